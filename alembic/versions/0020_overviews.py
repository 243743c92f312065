"""What a vault was like when it was last seen as a whole, so that an unchanged one is not gone through again."""

from alembic import op

revision = "0020"
down_revision = "0015"

CURRENT_TENANT = "(select nullif(current_setting('kv.tenant', true), '')::bigint)"


def upgrade() -> None:
    op.execute("""
        create table vault_overviews (
            tenant_id bigint primary key references tenants on delete cascade,
            mark text not null
        );
        alter table vault_overviews enable row level security;
        alter table vault_overviews force row level security;
    """)
    op.execute(
        f"create policy tenant on vault_overviews using (tenant_id = {CURRENT_TENANT})"
        f" with check (tenant_id = {CURRENT_TENANT})"
    )


def downgrade() -> None:
    op.execute("drop table vault_overviews")
