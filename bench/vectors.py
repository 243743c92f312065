"""The vector leg beside peers that keep all vectors in the memory of one process: numpy as the floor, and faiss.

python -m bench.vectors [how many documents]

The peers know neither tenants nor permissions, and forget when their process ends. faiss is asked for the exact nearest
and by a graph like the one in Postgres (m = 16, ef_construction = 200, ef_search = 200).
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from importlib.util import find_spec

import numpy as np
import sqlalchemy as sa

from bench import corpus
from bench.house import Measured, scratch_house
from domain.embedding import Matrix
from domain.ranking import DEPTH, embed_question
from domain.search import SearchFilter
from infra.database import tenant_transaction
from infra.logs import configure_logs

N_DOCUMENTS = 300
N_QUESTIONS = 100
ROUNDS = 3
LINKS, EF_CONSTRUCTION, EF_SEARCH = 16, 200, 200
VECTORS = "select embedding::vector::real[] from chunk_index where tenant_id = :tenant order by chunk_id"
Find = Callable[[Matrix], Awaitable[object]]


async def stored(measured: Measured) -> Matrix:
    """Return the tenant's vectors: (n, d) float32."""
    tenant_id = measured.viewer.tenant_id
    async with tenant_transaction(measured.stores.engine, tenant_id) as connection:
        rows = await connection.execute(sa.text(VECTORS), {"tenant": tenant_id})
        return np.array(rows.scalars().all(), np.float32)


def peers(vectors: Matrix) -> dict[str, Find | None]:
    """Return what finds the nearest of a question, by name; None for what is not installed."""
    depth = min(DEPTH, len(vectors))

    async def by_numpy(question: Matrix) -> object:
        scores = vectors @ question
        best = np.argpartition(-scores, depth - 1)[:depth]
        return best[np.argsort(-scores[best])]

    found: dict[str, Find | None] = {"numpy, exact": by_numpy, "faiss, exact": None, "faiss, HNSW": None}
    if find_spec("faiss") is not None:
        import faiss  # noqa: PLC0415

        exact = faiss.IndexFlatIP(vectors.shape[1])
        graph = faiss.IndexHNSWFlat(vectors.shape[1], LINKS, faiss.METRIC_INNER_PRODUCT)
        graph.hnsw.efConstruction, graph.hnsw.efSearch = EF_CONSTRUCTION, EF_SEARCH
        for index in (exact, graph):
            index.add(vectors)

        def by(index: "faiss.Index") -> Find:
            async def find(question: Matrix) -> object:
                return index.search(question[None], depth)

            return find

        found |= {"faiss, exact": by(exact), "faiss, HNSW": by(graph)}
    return found


async def p50_ms(find: Find, questions: Sequence[Matrix]) -> float:
    """Return the median of several rounds' medians, in milliseconds."""
    rounds = []
    for _ in range(ROUNDS):
        took = []
        for question in questions:
            started = time.perf_counter()
            await find(question)
            took.append((time.perf_counter() - started) * 1000)
        rounds.append(statistics.median(took))
    return statistics.median(rounds)


async def main(n_documents: int) -> None:
    """Print the table."""
    configure_logs("error", is_production=True)
    async with scratch_house() as measured:
        measured.source.files = dict(corpus.documents(n_documents))
        await measured.sync()
        vectors = await stored(measured)
        questions = [await embed_question(measured.tools, each) for each in corpus.questions(N_QUESTIONS)]
        took = {name: None if find is None else await p50_ms(find, questions) for name, find in peers(vectors).items()}
        async with measured.stores.open_vault(measured.viewer) as vault:
            took["ours, in Postgres, with permissions"] = await p50_ms(
                lambda question: vault.passages.dense(question, SearchFilter(), DEPTH), questions
            )
    n_best = min(DEPTH, len(vectors))
    print(f"\nThe nearest {n_best} of {len(vectors):,} chunks, {N_QUESTIONS} questions; medians of {ROUNDS}, p50 ms")
    for name, milliseconds in took.items():
        print(f"  {name:<38} {'not installed' if milliseconds is None else f'{milliseconds:8.2f}'}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else N_DOCUMENTS))
