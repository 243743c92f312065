"""The glossary that documents write, a denser graph of vectors, and word weights made anew with new constants of BM25.

A pivot of zero tells the end of the next sync to rewrite a tenant's weights; until then the old ones serve.
"""

from alembic import op

revision = "0008"
down_revision = "0007"

TABLES = """
create table glossary (
    tenant_id bigint not null,
    document_id bigint not null,
    short text not null,
    long text not null,
    primary key (tenant_id, document_id, short, long),
    foreign key (tenant_id, document_id) references documents (tenant_id, id) on delete cascade
);
create index glossary_short on glossary (tenant_id, lower(short));
drop index chunk_index_embedding;
create index chunk_index_embedding on chunk_index
    using hnsw (embedding halfvec_ip_ops) with (m = 16, ef_construction = 200);
"""

CURRENT_TENANT = "(select nullif(current_setting('kv.tenant', true), '')::bigint)"


def upgrade() -> None:
    op.execute(TABLES)
    op.execute("alter table glossary enable row level security")
    op.execute("alter table glossary force row level security")
    op.execute(
        f"create policy tenant on glossary using (tenant_id = {CURRENT_TENANT})"
        f" with check (tenant_id = {CURRENT_TENANT})"
    )
    op.execute("alter table lexical_statistics no force row level security")
    op.execute("update lexical_statistics set pivot_words = 0, reweighed_id = null")
    op.execute("alter table lexical_statistics force row level security")


def downgrade() -> None:
    op.execute("drop table glossary")
    op.execute("drop index chunk_index_embedding")
    op.execute(
        "create index chunk_index_embedding on chunk_index"
        " using hnsw (embedding halfvec_ip_ops) with (m = 16, ef_construction = 64)"
    )
