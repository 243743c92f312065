"""Folders that were chosen before scopes had a key of their own are read again, instead of everything.

The old key stays: instances of older versions go by it for as long as they are being replaced. A mailbox by IMAP keeps
it for good: there it is the field of its form, and was never a scope.
"""

from alembic import op

revision = "0027"
down_revision = "0025"

MOVE = """
alter table integrations no force row level security;
update integrations set cursor = '', settings = settings || jsonb_build_object('scope_folders', settings->>'folders')
where kind <> 'imap' and settings->>'folders' <> '' and not settings ? 'scope_folders';
alter table integrations force row level security;
"""
"""Forced row security hides all rows from a migration. Without a cursor, the next sync lists everything and lets go of
what came in meanwhile; what is unchanged is not read again, and a great loss asks first."""


def upgrade() -> None:
    op.execute(MOVE)


def downgrade() -> None:
    """Keep what was moved: the version before reads it from the same place."""
