"""One graph of vectors becomes sixteen of each column, by tenant: a search walks past few foreign chunks.

The two graphs of all tenants go: the version before this one still finds the same, by comparing a tenant's every chunk,
for as long as its instances are being replaced.
"""

from alembic import op

revision = "0025"
down_revision = "0020"

N_GRAPHS = 16
"""As `infra.store.columns.N_GRAPHS` has it."""
COLUMNS = ("embedding", "embedding_next")
MEMORY = "set local maintenance_work_mem = '256MB'"
"""Holds the graph of 100,000 chunks while it is built."""


def upgrade() -> None:
    op.execute(MEMORY)
    for column in COLUMNS:
        for graph in range(N_GRAPHS):
            op.execute(
                f"create index chunk_index_{column}_{graph} on chunk_index using hnsw ({column} halfvec_ip_ops)"
                f" with (m = 16, ef_construction = 200) where tenant_id % {N_GRAPHS} = {graph}"
            )
        op.execute(f"drop index chunk_index_{column}")


def downgrade() -> None:
    for column in COLUMNS:
        op.execute(
            f"create index chunk_index_{column} on chunk_index using hnsw ({column} halfvec_ip_ops)"
            " with (m = 16, ef_construction = 200)"
        )
        for graph in range(N_GRAPHS):
            op.execute(f"drop index chunk_index_{column}_{graph}")
