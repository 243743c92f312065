"""Mails that were forwarded to a tenant's address, as they came in."""

from alembic import op

revision = "0013"
down_revision = "0012"

TABLES = """
create table received_mails (
    id bigint generated always as identity,
    tenant_id bigint not null,
    integration_id bigint not null,
    digest text not null,
    sender text not null,
    content bytea not null,
    received_at timestamptz not null default now(),
    primary key (tenant_id, id),
    unique (tenant_id, integration_id, digest),
    foreign key (tenant_id, integration_id) references integrations (tenant_id, id) on delete cascade
);
create index received_mails_order on received_mails (tenant_id, integration_id, id);
"""

CURRENT_TENANT = "(select nullif(current_setting('kv.tenant', true), '')::bigint)"


def upgrade() -> None:
    op.execute(TABLES)
    condition = f"tenant_id = {CURRENT_TENANT}"
    op.execute("alter table received_mails enable row level security")
    op.execute("alter table received_mails force row level security")
    op.execute(f"create policy tenant on received_mails using ({condition}) with check ({condition})")


def downgrade() -> None:
    op.execute("drop table received_mails")
