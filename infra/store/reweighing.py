"""Bring the stored BM25 weights up to date with a tenant's mean chunk length, when that has moved."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.lexical import chunk_weights
from infra.analysis import WordAnalyzer
from infra.store.chunk_writing import count_words, sparse_text

TOLERANCE = 0.15
"""BM25's length norm moves by less than a tenth for this much drift; below it nothing is rewritten."""
BATCH = 200

BEGIN = """
update lexical_statistics set pivot_words = n_words::real / n_chunks, reweighed_id = 0
where tenant_id = :tenant and reweighed_id is null and n_chunks > 0
    and (pivot_words = 0 or abs(n_words::real / n_chunks / pivot_words - 1) > :tolerance)
"""
NEXT = """
select c.id, d.title, c.heading_path, c.text, s.pivot_words from lexical_statistics s
join chunks c on c.tenant_id = s.tenant_id and c.id > s.reweighed_id
join documents d on (d.tenant_id, d.id) = (c.tenant_id, c.document_id)
where s.tenant_id = :tenant order by c.id limit :batch
"""
WRITE = "update chunk_index set sv = cast(:sv as sparsevec) where tenant_id = :tenant and chunk_id = :id"
ADVANCE = "update lexical_statistics set reweighed_id = :id where tenant_id = :tenant"


async def reweigh(connection: AsyncConnection, tenant_id: int, analyzer: WordAnalyzer) -> bool:
    """Rewrite the next batch of weights, beginning anew when the mean has drifted; return whether more is to do.

    New chunks are weighed against the new mean from the first batch's commit on, so a killed run only goes on.
    """
    await connection.execute(sa.text(BEGIN), {"tenant": tenant_id, "tolerance": TOLERANCE})
    rows = (await connection.execute(sa.text(NEXT), {"tenant": tenant_id, "batch": BATCH})).all()
    if rows:
        weighed = [
            {
                "tenant": tenant_id,
                "id": row.id,
                "sv": sparse_text(
                    chunk_weights(count_words(analyzer, row.title, row.heading_path, row.text), row.pivot_words)
                ),
            }
            for row in rows
        ]
        await connection.execute(sa.text(WRITE), weighed)
    last_id = int(rows[-1].id) if len(rows) == BATCH else None
    await connection.execute(sa.text(ADVANCE), {"tenant": tenant_id, "id": last_id})
    return last_id is not None
