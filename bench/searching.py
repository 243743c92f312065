"""How long a search takes among many tenants, beside the bare SQL of each leg, and what HNSW finds of the exact best.

`python -m bench.searching [CHUNKS_OF_ALL [CHUNKS_OF_THE_TENANT]]`, 20,000 and a tenth more by default.
"""

import asyncio
import statistics
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence

import numpy as np

from bench import corpus
from bench.crowd import build, make_pool
from bench.house import Measured, scratch_house
from domain.embedding import Matrix
from domain.people import Role, Viewer
from domain.ranking import DEPTH, ask, embed_question, rank, rank_with_feedback
from domain.retrieval import search
from domain.search import SearchFilter
from domain.vault import Tools, Vault
from infra.embedded import POSTGRES_SETTINGS
from infra.logs import configure_logs
from infra.store import Stores
from infra.store.passages import EXACT_BELOW_CHUNKS, WALK_DEPTH, PassageStore
from tests import factories

N_QUESTIONS = 100
N_NEIGHBOURS = 10
CHUNKS_PER_OTHER = 50_000
POSTGRES = {**POSTGRES_SETTINGS, "shared_buffers": "1GB"}
"""A server of its own, as a vault of this size has: the embedded one is kept small beside everything else."""


async def timed(call: Callable[[str], Awaitable[object]], questions: list[str]) -> tuple[float, float]:
    """Return p50 and p95 in milliseconds, after one call that warms."""
    await call(questions[0])
    took = []
    for question in questions:
        started = time.perf_counter()
        await call(question)
        took.append((time.perf_counter() - started) * 1000)
    return float(np.percentile(took, 50)), float(np.percentile(took, 95))


async def recall(vault: Vault, vectors: Sequence[Matrix], depth: int) -> float:
    """Return the share of the exact best that the vector leg finds, with tenant and permissions."""
    assert isinstance(vault.passages, PassageStore)
    shares = []
    for vector in vectors:
        found = await vault.passages.dense(vector, SearchFilter(), depth)
        exact = await vault.passages.dense_exact(vector, SearchFilter(), N_NEIGHBOURS)
        best = {each.chunk_id for each in exact}
        shares.append(len(best & {each.chunk_id for each in found[:N_NEIGHBOURS]}) / max(1, len(best)))
    return statistics.fmean(shares)


async def crowded(measured: Measured, n_all: int, n_tenant: int) -> Viewer:
    """Build the table; return a member who may read half of the tenant's documents."""
    viewer = await factories.member(measured.stores.engine, measured.viewer.tenant_id, Role.MEMBER)
    tenants = {viewer.tenant_id: n_tenant}
    async with measured.stores.open_lobby() as lobby:
        for left in range(n_all - n_tenant, 0, -CHUNKS_PER_OTHER):
            other = await lobby.add_tenant("Other", f"other-{uuid.uuid4().hex[:8]}")
            tenants[other.id] = min(left, CHUNKS_PER_OTHER)
    pool = await make_pool(measured.tools)
    await asyncio.to_thread(build, measured.stores.engine, tenants, pool)
    return viewer


async def timings(
    stores: Stores, tools: Tools, viewer: Viewer, questions: list[str], depth: int
) -> dict[str, tuple[float, float]]:
    """Return p50 and p95 of each part of a search, and of the whole, which opens its own vault."""
    vectors = {question: await embed_question(tools, question) for question in questions}
    asked = {question: await ask(tools, question) for question in questions}
    everything = SearchFilter()

    async def whole(question: str) -> None:
        async with stores.open_vault(viewer) as vault:
            await search(vault, tools, question, everything)

    async with stores.open_vault(viewer) as vault:
        passages = vault.passages
        return {
            "lexical leg alone": await timed(lambda q: passages.lexical(q, everything, depth), questions),
            "vector leg alone": await timed(lambda q: passages.dense(vectors[q], everything, depth), questions),
            "embedding the question": await timed(lambda q: embed_question(tools, q), questions),
            "ranking": await timed(lambda q: rank(vault, asked[q], everything), questions),
            "with feedback": await timed(lambda q: rank_with_feedback(vault, asked[q], everything), questions),
            "whole search": await timed(whole, questions),
        }


async def asked_before(stores: Stores, tools: Tools, viewer: Viewer, questions: Sequence[str]) -> None:
    """Ask other questions first: a server in use has the vault's index in its buffers, one just filled has not."""
    for question in questions:
        async with stores.open_vault(viewer) as vault:
            await search(vault, tools, question, SearchFilter())


def print_table(head: str, rows: dict[str, tuple[float, float]], found: float) -> None:
    """Print what was measured; legs are asked for as many candidates as the search asks them for."""
    print(f"\n{head:<74}   p50 ms   p95 ms")
    for name, (p50, p95) in rows.items():
        print(f"  {name:<72} {p50:8.1f} {p95:8.1f}")
    slower = max(rows["lexical leg alone"][0], rows["vector leg alone"][0])
    print(f"  {'whole search to the slower leg':<72} {rows['whole search'][0] / slower:8.2f}")
    print(f"  {f'recall@{N_NEIGHBOURS} of the vector leg against exact search':<72} {found:8.3f}")


async def main(n_all: int, n_tenant: int) -> None:
    """Print the table."""
    configure_logs("error", is_production=True)
    others, questions = corpus.questions(2 * N_QUESTIONS)[::2], corpus.questions(2 * N_QUESTIONS)[1::2]
    is_exact = n_tenant < EXACT_BELOW_CHUNKS
    depth = DEPTH if is_exact else WALK_DEPTH
    async with scratch_house(POSTGRES) as measured:
        started = time.perf_counter()
        viewer = await crowded(measured, n_all, n_tenant)
        built_s = time.perf_counter() - started
        await asked_before(measured.stores, measured.tools, viewer, others)
        rows = await timings(measured.stores, measured.tools, viewer, questions, depth)
        vectors = [await embed_question(measured.tools, question) for question in questions]
        async with measured.stores.open_vault(viewer) as vault:
            found = await recall(vault, vectors, depth)
    leg = "exact" if is_exact else "HNSW, iterative"
    print_table(
        f"Search in {n_tenant:,} of {n_all:,} chunks, half readable ({leg}; built in {built_s:,.0f} s)", rows, found
    )


if __name__ == "__main__":
    sizes = [int(each) for each in sys.argv[1:]]
    n_all = sizes[0] if sizes else 40_000
    asyncio.run(main(n_all, sizes[1] if len(sizes) > 1 else n_all * 6 // 10))
