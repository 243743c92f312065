"""Only chunks of tenants that are searched by walking stand in the graphs of vectors; small tenants are read whole.

What stands already stays in the graphs. The version before this one still finds the same for as long as its instances
are being replaced: it reads all chunks of its tenant, and what it writes stands in the graphs.
"""

from alembic import op

revision = "0030"
down_revision = "0027"

N_PARTS = 16
"""As `infra.store.columns.N_PARTS` has it."""
GRAPHS = {"chunk_index_walk": "embedding", "chunk_index_walk_next": "embedding_next"}
EARLIER = {"chunk_index_embedding": "embedding", "chunk_index_embedding_next": "embedding_next"}
METHOD = "hnsw ({column} halfvec_ip_ops) with (m = 16, ef_construction = 200)"
MEMORY = "set local maintenance_work_mem = '256MB'"
"""Holds the graph of 100,000 chunks while it is built."""


def upgrade() -> None:
    op.execute("alter table chunk_index add column is_walked boolean not null default true")
    op.execute("alter table search_models add column is_walked boolean not null default true")
    op.execute("create index chunk_index_outside on chunk_index (tenant_id, chunk_id) where not is_walked")
    op.execute(MEMORY)
    for name, column in GRAPHS.items():
        for part in range(N_PARTS):
            op.execute(
                f"create index {name}_{part} on chunk_index using {METHOD.format(column=column)}"
                f" where tenant_id % {N_PARTS} = {part} and is_walked"
            )
    op.execute(f"drop index {', '.join(f'{name}_{part}' for name in EARLIER for part in range(N_PARTS))}")


def downgrade() -> None:
    for name, column in EARLIER.items():
        for part in range(N_PARTS):
            op.execute(
                f"create index {name}_{part} on chunk_index using {METHOD.format(column=column)}"
                f" where tenant_id % {N_PARTS} = {part}"
            )
    for name in GRAPHS:
        for part in range(N_PARTS):
            op.execute(f"drop index {name}_{part}")
    op.execute("drop index chunk_index_outside")
    op.execute("alter table search_models drop column is_walked")
    op.execute("alter table chunk_index drop column is_walked")
