"""Integrations, syncs, uploads, documents, chunks and the search index; and the job queue.

`chunk_index` is the one tenant table without a policy: `@@` is not leakproof, so under row security the planner may
not use the GIN index for it. It holds no text, every statement on it names its tenant, and it is always joined to
`documents`, whose forced policy drops anything foreign. docs/decisions/0002 has the measurements.
"""

from procrastinate.schema import SchemaManager

from alembic import op

revision = "0002"
down_revision = "0001"

TABLES = """
create table integrations (
    id bigint generated always as identity primary key,
    tenant_id bigint not null references tenants on delete cascade,
    kind text not null,
    name text not null check (char_length(name) between 1 and 200),
    settings jsonb not null default '{}',
    cursor text not null default '',
    owner_id bigint references users on delete cascade,
    created_at timestamptz not null default now(),
    last_synced_at timestamptz,
    unique (tenant_id, id),
    unique (tenant_id, kind, name)
);

create table blobs (
    id bigint generated always as identity primary key,
    tenant_id bigint not null references tenants on delete cascade,
    size_bytes bigint not null,
    sha256 text not null,
    created_at timestamptz not null default now(),
    unique (tenant_id, id)
);

create table blob_parts (
    tenant_id bigint not null,
    blob_id bigint not null,
    ordinal int not null,
    bytes bytea not null,
    primary key (tenant_id, blob_id, ordinal),
    foreign key (tenant_id, blob_id) references blobs (tenant_id, id) on delete cascade
);
alter table blob_parts alter column bytes set storage external;

create table uploads (
    id bigint generated always as identity primary key,
    tenant_id bigint not null references tenants on delete cascade,
    name text not null,
    media_type text not null default '',
    size_bytes bigint not null,
    sha256 text not null,
    blob_id bigint,
    principals text[] not null,
    uploaded_by text not null,
    created_at timestamptz not null default now(),
    unique (tenant_id, id),
    foreign key (tenant_id, blob_id) references blobs (tenant_id, id)
);

create table syncs (
    id bigint generated always as identity primary key,
    tenant_id bigint not null,
    integration_id bigint not null,
    state text not null default 'queued'
        check (state in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    trigger text not null,
    progress jsonb not null default '{}',
    checkpoint jsonb not null default '{}',
    attempt int not null default 0,
    is_cancel_requested boolean not null default false,
    is_wanted_again boolean not null default false,
    reason text not null default '',
    requested_by text not null,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz,
    unique (tenant_id, id),
    foreign key (tenant_id, integration_id) references integrations (tenant_id, id) on delete cascade
);
create unique index syncs_one_live on syncs (tenant_id, integration_id) where state in ('queued', 'running');
create index syncs_page on syncs (tenant_id, integration_id, id desc);

create table sync_failures (
    id bigint generated always as identity primary key,
    tenant_id bigint not null,
    integration_id bigint not null,
    sync_id bigint not null,
    external_id text not null,
    name text not null,
    reason text not null,
    n_tries int not null default 1,
    is_retry_wanted boolean not null default false,
    created_at timestamptz not null default now(),
    unique (tenant_id, integration_id, external_id),
    foreign key (tenant_id, integration_id) references integrations (tenant_id, id) on delete cascade
);

create table documents (
    id bigint generated always as identity primary key,
    tenant_id bigint not null,
    integration_id bigint not null,
    external_id text not null,
    title text not null,
    media_type text not null,
    author text not null default '',
    url text not null default '',
    size_bytes bigint not null,
    n_chunks int not null default 0,
    revision text not null default '',
    content_hash text not null,
    version_id bigint,
    version_ordinal int not null default 0,
    blob_id bigint,
    seen_sync_id bigint,
    indexed_sync_id bigint,
    source_created_at timestamptz,
    source_modified_at timestamptz,
    indexed_at timestamptz not null default now(),
    sorted_at timestamptz not null,
    unique (tenant_id, id),
    unique (tenant_id, integration_id, external_id),
    foreign key (tenant_id, integration_id) references integrations (tenant_id, id) on delete cascade
);
create index documents_newest on documents (tenant_id, sorted_at desc, id desc);
create index documents_title on documents (tenant_id, lower(title), id);
create index documents_unseen on documents (tenant_id, integration_id, seen_sync_id);

create table document_versions (
    id bigint generated always as identity primary key,
    tenant_id bigint not null,
    document_id bigint not null,
    ordinal int not null,
    text text not null,
    blocks json not null,
    metadata jsonb not null,
    content_hash text not null,
    created_at timestamptz not null default now(),
    unique (tenant_id, id),
    unique (tenant_id, document_id, ordinal),
    foreign key (tenant_id, document_id) references documents (tenant_id, id) on delete cascade
);

create table document_access (
    tenant_id bigint not null,
    document_id bigint not null,
    principal text not null,
    primary key (tenant_id, document_id, principal),
    foreign key (tenant_id, document_id) references documents (tenant_id, id) on delete cascade
);

create table chunks (
    id bigint generated always as identity primary key,
    tenant_id bigint not null,
    document_id bigint not null,
    version_id bigint not null,
    ordinal int not null,
    start_at int not null,
    end_at int not null,
    page int,
    heading_path text[] not null,
    text text not null,
    content_hash bytea not null,
    model text not null,
    unique (tenant_id, id),
    foreign key (tenant_id, document_id) references documents (tenant_id, id) on delete cascade,
    foreign key (tenant_id, version_id) references document_versions (tenant_id, id) on delete cascade
);
create index chunks_document on chunks (tenant_id, document_id, ordinal);
create index chunks_version on chunks (tenant_id, version_id);
create index chunks_hash on chunks (tenant_id, content_hash);

create table chunk_index (
    tenant_id bigint not null,
    chunk_id bigint not null,
    document_id bigint not null,
    n_words int not null,
    tsv tsvector not null,
    sv sparsevec(1000000000) not null,
    embedding halfvec(384) not null,
    primary key (tenant_id, chunk_id),
    foreign key (tenant_id, chunk_id) references chunks (tenant_id, id) on delete cascade
);
create index chunk_index_document on chunk_index (tenant_id, document_id);
create index chunk_index_tsv on chunk_index using gin (tsv) with (fastupdate = off);
create index chunk_index_embedding on chunk_index
    using hnsw (embedding halfvec_ip_ops) with (m = 16, ef_construction = 64);

create table lexemes (
    tenant_id bigint not null references tenants on delete cascade,
    lexeme text not null,
    n_chunks int not null,
    primary key (tenant_id, lexeme)
);

create table lexical_statistics (
    tenant_id bigint primary key references tenants on delete cascade,
    n_chunks bigint not null default 0,
    n_words bigint not null default 0,
    pivot_words real not null default 0,
    reweighed_id bigint
);
"""

CURRENT_TENANT = "(select nullif(current_setting('kv.tenant', true), '')::bigint)"
LOCKED = (
    "integrations",
    "blobs",
    "blob_parts",
    "uploads",
    "syncs",
    "sync_failures",
    "documents",
    "document_versions",
    "document_access",
    "chunks",
    "lexemes",
    "lexical_statistics",
)


def upgrade() -> None:
    op.execute(TABLES)
    for table in LOCKED:
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(
            f"create policy tenant on {table} using (tenant_id = {CURRENT_TENANT})"
            f" with check (tenant_id = {CURRENT_TENANT})"
        )
    op.get_bind().exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))


def downgrade() -> None:
    op.execute("drop table lexical_statistics, lexemes, chunk_index, chunks, document_access, document_versions")
    op.execute("drop table documents, sync_failures, syncs, uploads, blob_parts, blobs, integrations")
