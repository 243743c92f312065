"""The limits under which a tenant's files are read."""

from alembic import op

revision = "0005"
down_revision = "0004"

TABLE = """
create table parse_settings (
    tenant_id bigint primary key references tenants on delete cascade,
    version int not null,
    timeout_s double precision not null,
    max_memory_bytes bigint not null,
    max_unpacked_bytes bigint not null,
    max_characters bigint not null
);
alter table parse_settings enable row level security;
alter table parse_settings force row level security;
"""
CURRENT_TENANT = "(select nullif(current_setting('kv.tenant', true), '')::bigint)"


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(
        f"create policy tenant on parse_settings using (tenant_id = {CURRENT_TENANT})"
        f" with check (tenant_id = {CURRENT_TENANT})"
    )


def downgrade() -> None:
    op.execute("drop table parse_settings")
