"""Releases: a migration only adds, so that the version before it goes on while instances are replaced one by one."""

import ast
import importlib.util
import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.people import Viewer
from domain.scope import scope_of
from infra.store import Stores

VERSIONS = sorted((Path(__file__).parent.parent / "alembic" / "versions").glob("*.py"))
TAKES_AWAY = re.compile(
    r"\b(drop\s+(table|column|not\s+null)|rename|alter\s+column\s+\w+\s+(set\s+not\s+null|type))\b",
    re.IGNORECASE,
)


def statements(path: Path) -> str:
    """Everything a revision says outside of its way back."""
    module = ast.parse(path.read_text())
    kept = [node for node in module.body if getattr(node, "name", "") != "downgrade"]
    return "\n".join(ast.unparse(node) for node in kept)


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.stem)
def test_a_migration_takes_nothing_away_that_the_version_before_it_uses(path: Path) -> None:
    assert not TAKES_AWAY.search(statements(path)), "take it away one release later, when nobody uses it"


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.stem)
def test_a_new_column_does_not_ask_the_version_before_it_for_a_value(path: Path) -> None:
    for added in re.findall(r"add\s+column\s+[^,;]*", statements(path), re.IGNORECASE):
        needs_value = "not null" in added.lower() and "default" not in added.lower()
        assert not needs_value or "generated" in added.lower(), added


def test_revisions_form_one_line() -> None:
    revisions = {}
    for path in VERSIONS:
        found = dict(re.findall(r'^(revision|down_revision) = (".*"|None)$', path.read_text(), re.MULTILINE))
        revisions[found["revision"]] = found["down_revision"]
    followers = [before for before in revisions.values() if before != "None"]
    assert len(set(followers)) == len(followers), "two revisions follow the same one"
    assert set(followers) <= set(revisions)


async def test_folders_chosen_under_the_old_key_are_what_is_read_again_and_a_mailbox_keeps_its_own(
    stores: Stores, viewer: Viewer, engine: AsyncEngine
) -> None:
    spec = importlib.util.spec_from_file_location("moving", next(each for each in VERSIONS if "0027" in each.name))
    assert spec is not None and spec.loader is not None
    moving = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(moving)
    old = {"folders": "plans\nnotes/2026", "path": "/srv"}
    async with stores.open_vault(viewer) as vault:
        chosen = await vault.integrations.add("folder", "Old choice", old, None)
        newer = await vault.integrations.add("webdav", "Newer", old | {"scope_folders": "letters"}, None)
        mailbox = await vault.integrations.add("imap", "Mail", old, viewer.user_id)
        await vault.integrations.advance(chosen.id, "far")
    async with engine.begin() as connection:
        for statement in filter(None, map(str.strip, moving.MOVE.split(";"))):
            await connection.execute(sa.text(statement))
    async with stores.open_vault(viewer) as vault:
        read = [await vault.integrations.get(each.id) for each in (chosen, newer, mailbox)]
        seen = await vault.integrations.all()
    assert [scope_of(each.settings).folders for each in read] == [("plans", "notes/2026"), ("letters",), ()]
    assert (read[0].cursor, read[0].settings["path"], read[2].settings) == ("", "/srv", old)
    assert {each.name for each in seen} == {"Old choice", "Newer", "Mail"}, "row security holds as before"
