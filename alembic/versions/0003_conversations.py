"""Conversations and their messages."""

from alembic import op

revision = "0003"
down_revision = "0002"

TABLES = """
create table conversations (
    id bigint generated always as identity primary key,
    tenant_id bigint not null,
    user_id bigint not null,
    name text not null check (char_length(name) between 1 and 200),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (tenant_id, id),
    foreign key (tenant_id, user_id) references memberships on delete cascade
);
create index conversations_page on conversations (tenant_id, user_id, updated_at desc, id desc);

create table messages (
    id bigint generated always as identity primary key,
    tenant_id bigint not null,
    conversation_id bigint not null,
    role text not null check (role in ('question', 'answer')),
    state text not null check (state in ('pending', 'complete', 'failed')),
    text text not null,
    answer json,
    created_at timestamptz not null default now(),
    unique (tenant_id, id),
    foreign key (tenant_id, conversation_id) references conversations (tenant_id, id) on delete cascade
);
create index messages_conversation on messages (tenant_id, conversation_id, id);
"""

CURRENT_TENANT = "(select nullif(current_setting('kv.tenant', true), '')::bigint)"


def upgrade() -> None:
    op.execute(TABLES)
    for table in ("conversations", "messages"):
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(
            f"create policy tenant on {table} using (tenant_id = {CURRENT_TENANT})"
            f" with check (tenant_id = {CURRENT_TENANT})"
        )


def downgrade() -> None:
    op.execute("drop table messages, conversations")
