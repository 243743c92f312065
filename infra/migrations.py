"""Bring the database to the newest schema; safe to run twice at once, since the second run waits for the first."""

from pathlib import Path

import sqlalchemy as sa
from alembic.config import Config

from alembic import command
from infra.database import sqlalchemy_url

FOLDER = Path(__file__).parent.parent / "alembic"
LOCK = 7_310_418
"""An arbitrary number that all releases share: the key of the advisory lock."""


def migrate(database_url: str) -> None:
    """Run all revisions that are not applied yet, in one connection, under an advisory lock."""
    engine = sa.create_engine(sqlalchemy_url(database_url), poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.text("select pg_advisory_lock(:key)"), {"key": LOCK})
        connection.commit()
        config = Config()
        config.set_main_option("script_location", str(FOLDER))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
        connection.execute(sa.text("select pg_advisory_unlock(:key)"), {"key": LOCK})
    engine.dispose()
