"""Parts of a sync: items that any worker may bring in, with who holds them and how far they are."""

from alembic import op

revision = "0021"
down_revision = "0020"

CURRENT_TENANT = "(select nullif(current_setting('kv.tenant', true), '')::bigint)"


def upgrade() -> None:
    op.execute("""
        create table sync_parts (
            id bigint generated always as identity primary key,
            tenant_id bigint not null,
            sync_id bigint not null,
            attempt int not null,
            ordinal int not null,
            items json not null,
            state text not null default 'waiting' check (state in ('waiting', 'taken', 'done')),
            claim int not null default 0,
            is_given_back boolean not null default false,
            counts jsonb not null default '{}',
            seen_at timestamptz not null default now(),
            unique (tenant_id, sync_id, ordinal),
            foreign key (tenant_id, sync_id) references syncs (tenant_id, id) on delete cascade
        );
        alter table sync_parts enable row level security;
        alter table sync_parts force row level security;
    """)
    op.execute(
        f"create policy tenant on sync_parts using (tenant_id = {CURRENT_TENANT})"
        f" with check (tenant_id = {CURRENT_TENANT})"
    )


def downgrade() -> None:
    op.execute("drop table sync_parts")
