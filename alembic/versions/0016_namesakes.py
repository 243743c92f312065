"""Why a name that several people bear was taken for one of them; and who answered, as a relation."""

from alembic import op

revision = "0016"
down_revision = "0013"

KINDS = (
    "'owns', 'maintains', 'created', 'decided', 'approved', 'reviewed', 'uses', 'depends_on', 'replaces', 'part_of',"
    " 'reports_to', 'works_with', 'mentions'"
)


def upgrade() -> None:
    op.execute("alter table relations drop constraint relations_kind_check")
    op.execute(f"alter table relations add constraint relations_kind_check check (kind in ({KINDS}, 'answered'))")
    op.execute("alter table mentions add column reason text not null default ''")


def downgrade() -> None:
    op.execute("delete from relations where kind = 'answered'")
    op.execute("alter table relations drop constraint relations_kind_check")
    op.execute(f"alter table relations add constraint relations_kind_check check (kind in ({KINDS}))")
    op.execute("alter table mentions drop column reason")
