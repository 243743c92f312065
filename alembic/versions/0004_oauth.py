"""Tickets of consents under way, and sealed credentials of integrations."""

from alembic import op

revision = "0004"
down_revision = "0003"

TABLES = """
create table oauth_nonces (
    tenant_id bigint not null,
    user_id bigint not null,
    nonce_hash bytea not null,
    verifier text not null,
    expires_at timestamptz not null,
    primary key (tenant_id, nonce_hash),
    foreign key (tenant_id, user_id) references memberships on delete cascade
);
create index oauth_nonces_expiry on oauth_nonces (tenant_id, expires_at);

create table credentials (
    tenant_id bigint not null,
    integration_id bigint not null,
    key_id text not null,
    sealed bytea not null,
    scopes text[] not null default '{}',
    expires_at timestamptz,
    updated_at timestamptz not null default now(),
    primary key (tenant_id, integration_id),
    foreign key (tenant_id, integration_id) references integrations (tenant_id, id) on delete cascade
);
"""

CURRENT_TENANT = "(select nullif(current_setting('kv.tenant', true), '')::bigint)"


def upgrade() -> None:
    op.execute(TABLES)
    for table in ("oauth_nonces", "credentials"):
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(
            f"create policy tenant on {table} using (tenant_id = {CURRENT_TENANT})"
            f" with check (tenant_id = {CURRENT_TENANT})"
        )


def downgrade() -> None:
    op.execute("drop table credentials, oauth_nonces")
