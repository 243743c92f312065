"""The index of words and both graphs of vectors in sixteen parts, by tenant: a search reads few foreign chunks.

The indexes of all tenants go. The version before this one still finds the same for as long as its instances are being
replaced: it reads all chunks of its tenant.
"""

from alembic import op

revision = "0025"
down_revision = "0023"

N_PARTS = 16
"""As `infra.store.columns.N_PARTS` has it."""
WHOLE = {
    "chunk_index_tsv": "gin (tsv) with (fastupdate = off)",
    "chunk_index_embedding": "hnsw (embedding halfvec_ip_ops) with (m = 16, ef_construction = 200)",
    "chunk_index_embedding_next": "hnsw (embedding_next halfvec_ip_ops) with (m = 16, ef_construction = 200)",
}
MEMORY = "set local maintenance_work_mem = '256MB'"
"""Holds the graph of 100,000 chunks while it is built."""


def upgrade() -> None:
    op.execute(MEMORY)
    for name, method in WHOLE.items():
        for part in range(N_PARTS):
            op.execute(f"create index {name}_{part} on chunk_index using {method} where tenant_id % {N_PARTS} = {part}")
    op.execute(f"drop index {', '.join(WHOLE)}")  # last: from here on, searches wait for the commit


def downgrade() -> None:
    for name, method in WHOLE.items():
        op.execute(f"create index {name} on chunk_index using {method}")
    for name in WHOLE:
        for part in range(N_PARTS):
            op.execute(f"drop index {name}_{part}")
