"""Why a name that several people bear was taken for one of them, kept beside the mention."""

from alembic import op

revision = "0016"
down_revision = "0012"


def upgrade() -> None:
    op.execute("alter table mentions add column reason text not null default ''")


def downgrade() -> None:
    op.execute("alter table mentions drop column reason")
