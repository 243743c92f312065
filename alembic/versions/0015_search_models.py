"""Models of vectors: which one made each, a second column for the next one, and how far each tenant's change is."""

from alembic import op

revision = "0015"
down_revision = "0014"

TABLES = """
create table embedding_models (
    id integer generated always as identity primary key,
    label text not null unique,
    n_dimensions integer not null
);

alter table chunk_index
    add column model_id integer not null default 0,
    add column embedding_next halfvec(384),
    add column model_next_id integer not null default 0;
create index chunk_index_embedding_next on chunk_index
    using hnsw (embedding_next halfvec_ip_ops) with (m = 16, ef_construction = 200);

create table search_models (
    tenant_id bigint primary key references tenants on delete cascade,
    model text not null,
    model_next text not null default '',
    is_next_read boolean not null default false,
    is_original boolean not null default true,
    state text not null default 'waiting' check (state in ('waiting', 'filling', 'evaluating', 'ready')),
    filled_to bigint not null default 0,
    n_filled bigint not null default 0,
    n_total bigint not null default 0,
    evaluation jsonb,
    changed_by text not null default '',
    changed_at timestamptz
);

alter table classifications add column model text not null default '';
alter table gap_evidence add column model text not null default '';
"""

CURRENT_TENANT = "(select nullif(current_setting('kv.tenant', true), '')::bigint)"


def upgrade() -> None:
    op.execute(TABLES)
    op.execute("alter table search_models enable row level security")
    op.execute("alter table search_models force row level security")
    op.execute(
        f"create policy tenant on search_models using (tenant_id = {CURRENT_TENANT})"
        f" with check (tenant_id = {CURRENT_TENANT})"
    )


def downgrade() -> None:
    op.execute("alter table gap_evidence drop column model")
    op.execute("alter table classifications drop column model")
    op.execute("drop table search_models")
    op.execute("drop index chunk_index_embedding_next")
    op.execute("alter table chunk_index drop column model_next_id, drop column embedding_next, drop column model_id")
    op.execute("drop table embedding_models")
