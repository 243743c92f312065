"""What documents tell the whole vault, of replaced records and departed people; and what detectors reckon with."""

from alembic import op

revision = "0022"
down_revision = "0021"

TABLES = """
create table tidings (
    tenant_id bigint not null,
    document_id bigint not null,
    kind text not null check (kind in ('replaced', 'departed')),
    subject text not null,
    successor text not null default '',
    since timestamptz,
    foreign key (tenant_id, document_id) references detections (tenant_id, document_id) on delete cascade
);
create index tidings_of_document on tidings (tenant_id, document_id);

create table known_tidings (
    id bigint generated always as identity primary key,
    tenant_id bigint not null references tenants on delete cascade,
    kind text not null check (kind in ('replaced', 'departed')),
    subject text not null,
    successor text not null default '',
    since timestamptz
);
create index known_tidings_of_tenant on known_tidings (tenant_id, id);
"""
NAMES = ("tidings", "known_tidings")

CURRENT_TENANT = "(select nullif(current_setting('kv.tenant', true), '')::bigint)"


def upgrade() -> None:
    op.execute(TABLES)
    for name in NAMES:
        op.execute(f"alter table {name} enable row level security")
        op.execute(f"alter table {name} force row level security")
        op.execute(
            f"create policy tenant on {name} using (tenant_id = {CURRENT_TENANT})"
            f" with check (tenant_id = {CURRENT_TENANT})"
        )


def downgrade() -> None:
    op.execute(f"drop table {', '.join(reversed(NAMES))}")
