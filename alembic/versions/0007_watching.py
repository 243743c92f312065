"""What people watch: lines of items, deletions that wait, schedules, removals in the background, reserved documents.

`due_syncs` and `webhook_deliveries` have no policy: a timer and a provider do not know tenants beforehand. They hold
ids and times, never content, and whatever they lead to is read in a transaction of its tenant.
"""

from alembic import op

revision = "0007"
down_revision = "0006"

TABLES = """
alter table syncs drop constraint syncs_state_check;
alter table syncs add constraint syncs_state_check
    check (state in ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'held'));

alter table integrations
    add column sync_every_minutes int not null default 15 check (sync_every_minutes >= 0),
    add column is_paused boolean not null default false,
    add column removed_at timestamptz;
create index integrations_removed on integrations (tenant_id, id) where removed_at is not null;

alter table documents
    add column gone_at timestamptz,
    add column is_kept boolean not null default false,
    add column reserved_for bigint;
create index documents_gone on documents (tenant_id, integration_id, id) where gone_at is not null;

create table sync_items (
    id bigint generated always as identity primary key,
    tenant_id bigint not null,
    integration_id bigint not null,
    sync_id bigint not null,
    external_id text not null,
    name text not null,
    stage text not null
        check (stage in ('fetched', 'parsed', 'embedded', 'visible', 'filtered', 'failed', 'deleted')),
    note text not null default '',
    changed_at timestamptz not null default now(),
    unique (tenant_id, sync_id, external_id),
    foreign key (tenant_id, integration_id) references integrations (tenant_id, id) on delete cascade,
    foreign key (tenant_id, sync_id) references syncs (tenant_id, id) on delete cascade
);
create index sync_items_newest on sync_items (tenant_id, sync_id, changed_at desc, id desc);
create index sync_items_integration on sync_items (tenant_id, integration_id, external_id);

create table deletion_guards (
    tenant_id bigint not null,
    integration_id bigint not null,
    sync_id bigint not null,
    state text not null check (state in ('asking', 'allowed')),
    n_deletions int,
    n_documents int not null default 0,
    decided_by text not null default '',
    created_at timestamptz not null default now(),
    primary key (tenant_id, integration_id),
    foreign key (tenant_id, integration_id) references integrations (tenant_id, id) on delete cascade
);

create table due_syncs (
    tenant_id bigint not null,
    integration_id bigint not null,
    kind text not null,
    account text not null default '',
    due_at timestamptz not null,
    primary key (tenant_id, integration_id),
    foreign key (tenant_id, integration_id) references integrations (tenant_id, id) on delete cascade
);
create index due_syncs_next on due_syncs (due_at);
create index due_syncs_account on due_syncs (kind, account) where account <> '';

create table webhook_deliveries (
    provider text not null,
    delivery text not null,
    received_at timestamptz not null default now(),
    primary key (provider, delivery)
);
create index webhook_deliveries_age on webhook_deliveries (received_at);

create table classifications (
    tenant_id bigint not null,
    document_id bigint not null,
    owner_id bigint not null,
    label text not null check (label in ('work', 'personal', 'unsure')),
    decided_by text not null check (decided_by in ('rule', 'examples', 'person')),
    reason text not null,
    vector halfvec(384),
    changed_at timestamptz not null default now(),
    primary key (tenant_id, document_id),
    foreign key (tenant_id, document_id) references documents (tenant_id, id) on delete cascade,
    foreign key (tenant_id, owner_id) references memberships (tenant_id, user_id) on delete cascade
);
create index classifications_queue on classifications (tenant_id, owner_id, label, document_id);
"""
LOCKED = ("sync_items", "deletion_guards", "classifications")
CURRENT_TENANT = "(select nullif(current_setting('kv.tenant', true), '')::bigint)"
BACKFILL = """
alter table integrations no force row level security;
insert into due_syncs (tenant_id, integration_id, kind, account, due_at)
select tenant_id, id, kind, coalesce(settings->>'account_id', ''), now() from integrations where kind <> 'upload';
alter table documents no force row level security;
update documents d set reserved_for = i.owner_id from integrations i
where (i.tenant_id, i.id) = (d.tenant_id, d.integration_id) and i.owner_id is not null;
alter table documents force row level security;
alter table integrations force row level security;
"""
"""Forced row security hides all rows from a migration, which has no tenant."""


def upgrade() -> None:
    op.execute(TABLES)
    for table in LOCKED:
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(
            f"create policy tenant on {table} using (tenant_id = {CURRENT_TENANT})"
            f" with check (tenant_id = {CURRENT_TENANT})"
        )
    op.execute(BACKFILL)


def downgrade() -> None:
    op.execute("alter table syncs drop constraint syncs_state_check")
    op.execute(
        "alter table syncs add constraint syncs_state_check"
        " check (state in ('queued', 'running', 'succeeded', 'failed', 'cancelled')) not valid"
    )
    op.execute("drop table classifications, webhook_deliveries, due_syncs, deletion_guards, sync_items")
    op.execute("alter table documents drop column gone_at, drop column is_kept, drop column reserved_for")
    op.execute("alter table integrations drop column sync_every_minutes, drop column is_paused, drop column removed_at")
