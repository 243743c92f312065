"""How fast this deployment's syncs are, by kind of source: sums over all tenants, of which none can be made out."""

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.execute("""
        create table sync_paces (
            kind text primary key,
            n_items bigint not null,
            n_chunks bigint not null,
            seconds double precision not null
        )
    """)


def downgrade() -> None:
    op.execute("drop table sync_paces")
