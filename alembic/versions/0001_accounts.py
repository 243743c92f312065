"""Tenants, users, memberships, sessions, invitations, API tokens and the audit trail."""

from alembic import op

revision = "0001"
down_revision = None

TABLES = """
create extension if not exists vector;

create table tenants (
    id bigint generated always as identity primary key,
    name text not null check (char_length(name) between 1 and 200),
    slug text not null unique check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    created_at timestamptz not null default now()
);

create table users (
    id bigint generated always as identity primary key,
    email text not null check (char_length(email) between 3 and 320),
    name text not null check (char_length(name) between 1 and 200),
    password_hash text not null,
    created_at timestamptz not null default now()
);
create unique index users_email on users (lower(email));

create table memberships (
    tenant_id bigint not null references tenants on delete cascade,
    user_id bigint not null references users on delete cascade,
    role text not null check (role in ('admin', 'member')),
    joined_at timestamptz not null default now(),
    last_seen_at timestamptz,
    primary key (tenant_id, user_id)
);
create index memberships_user on memberships (user_id);

create table sessions (
    id bigint generated always as identity primary key,
    tenant_id bigint not null,
    user_id bigint not null,
    token_hash bytea not null unique,
    user_agent text not null default '',
    created_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    expires_at timestamptz not null,
    foreign key (tenant_id, user_id) references memberships on delete cascade
);
create index sessions_user on sessions (user_id);

create table invitations (
    id bigint generated always as identity primary key,
    tenant_id bigint not null references tenants on delete cascade,
    email text not null,
    role text not null check (role in ('admin', 'member')),
    token_hash bytea not null unique,
    invited_by bigint references users on delete set null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz
);
create unique index invitations_open on invitations (tenant_id, lower(email)) where used_at is null;

create table api_tokens (
    id bigint generated always as identity primary key,
    tenant_id bigint not null,
    user_id bigint not null,
    name text not null,
    token_hash bytea not null unique,
    created_at timestamptz not null default now(),
    last_used_at timestamptz,
    foreign key (tenant_id, user_id) references memberships on delete cascade
);
create index api_tokens_user on api_tokens (tenant_id, user_id);

create table audit_events (
    id bigint generated always as identity primary key,
    tenant_id bigint not null references tenants on delete cascade,
    user_id bigint,
    actor text not null,
    action text not null,
    subject text not null,
    created_at timestamptz not null default now()
);
create index audit_events_page on audit_events (tenant_id, id desc);
"""

CURRENT_TENANT = "(select nullif(current_setting('kv.tenant', true), '')::bigint)"
IN_LOBBY = "(select current_setting('kv.lobby', true) = 'on')"


def upgrade() -> None:
    op.execute(TABLES)
    lock("tenants", "id")
    for table in ("memberships", "sessions", "invitations", "api_tokens", "audit_events"):
        lock(table, "tenant_id")


def lock(table: str, column: str) -> None:
    """Let a row through for its own tenant, or in the lobby, where nobody knows yet which tenant it will be."""
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(
        f"create policy tenant on {table} using ({column} = {CURRENT_TENANT} or {IN_LOBBY})"
        f" with check ({column} = {CURRENT_TENANT} or {IN_LOBBY})"
    )


def downgrade() -> None:
    op.execute("drop table audit_events, api_tokens, invitations, sessions, memberships, users, tenants")
