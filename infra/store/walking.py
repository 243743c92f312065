"""Which chunks stand in the graph of vectors: none of a small tenant, whose search reads all its rows.

A chunk costs four times as much to write with its place in the graph as without. When a tenant has grown enough, what
is stored from then on stands in the graph, and takes twice as many earlier chunks along each time, until all do.
"""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

GRAPH_FROM_CHUNKS = 10_000
"""Half of what a tenant needs to be searched by walking: its graph is whole before it is wanted."""
TAKEN_ALONG = 2
"""Earlier chunks for each new one."""
TAKE_ALONG = sa.text("""
update chunk_index i set is_walked = true from (
    select tenant_id, chunk_id from chunk_index where tenant_id = :tenant and not is_walked
    order by chunk_id limit :n for update skip locked
) o where (i.tenant_id, i.chunk_id) = (o.tenant_id, o.chunk_id)
""")
NOTE_WHOLE = sa.text(
    "update search_models set is_walked = true where tenant_id = :tenant"
    " and not exists (select from chunk_index where tenant_id = :tenant and not is_walked)"
)


def stands_in_graph(is_whole: bool, n_chunks: int) -> bool:
    """Whether a tenant's next chunks belong into the graph."""
    return is_whole or n_chunks >= GRAPH_FROM_CHUNKS


async def take_along(connection: AsyncConnection, tenant_id: int, n_new: int) -> None:
    """Put earlier chunks into the graph, and note it when none is outside; the caller holds the tenant's words.

    Whoever writes chunks outside meanwhile waits for that lock, then takes its own along: none is forgotten.
    """
    await connection.execute(TAKE_ALONG, {"tenant": tenant_id, "n": TAKEN_ALONG * n_new})
    await connection.execute(NOTE_WHOLE, {"tenant": tenant_id})
