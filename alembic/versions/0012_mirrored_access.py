"""Who is who at the sources: proven addresses, groups with members; apps of tenants; how access stands."""

from alembic import op

revision = "0012"
down_revision = "0011"

TABLES = """
create table member_addresses (
    tenant_id bigint not null,
    user_id bigint not null,
    email text not null check (email = lower(email)),
    proof text not null check (proof in ('invitation', 'consent')),
    created_at timestamptz not null default now(),
    primary key (tenant_id, user_id, email),
    foreign key (tenant_id, user_id) references memberships on delete cascade
);

create table source_groups (
    tenant_id bigint not null,
    integration_id bigint not null,
    principal text not null,
    title text not null,
    primary key (tenant_id, principal),
    foreign key (tenant_id, integration_id) references integrations (tenant_id, id) on delete cascade
);
create index source_groups_integration on source_groups (tenant_id, integration_id);

create table group_members (
    tenant_id bigint not null,
    principal text not null,
    member text not null,
    primary key (tenant_id, principal, member),
    foreign key (tenant_id, principal) references source_groups (tenant_id, principal) on delete cascade
);
create index group_members_member on group_members (tenant_id, member);

create table provider_apps (
    tenant_id bigint not null references tenants on delete cascade,
    app text not null,
    client_id text not null,
    key_id text not null,
    sealed bytea not null,
    updated_at timestamptz not null default now(),
    primary key (tenant_id, app)
);

alter table credentials
    add column dies_at timestamptz,
    add column problem text not null default '',
    add column warned_at timestamptz;
alter table sessions add column viewed_user_id bigint references users on delete set null;
"""

CURRENT_TENANT = "(select nullif(current_setting('kv.tenant', true), '')::bigint)"
IN_LOBBY = "(select current_setting('kv.lobby', true) = 'on')"
LOCKED = ("source_groups", "group_members", "provider_apps")


def upgrade() -> None:
    op.execute(TABLES)
    for table, condition in (
        ("member_addresses", f"tenant_id = {CURRENT_TENANT} or {IN_LOBBY}"),
        *((table, f"tenant_id = {CURRENT_TENANT}") for table in LOCKED),
    ):
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy tenant on {table} using ({condition}) with check ({condition})")


def downgrade() -> None:
    op.execute("alter table sessions drop column viewed_user_id")
    op.execute("alter table credentials drop column warned_at, drop column problem, drop column dies_at")
    op.execute("drop table provider_apps, group_members, source_groups, member_addresses")
