"""What is computed once only: hits of the embedding cache and of chunks' vectors in Postgres, and what a hit costs.

python -m bench.caching [how many documents]

A vault is synced, the same documents come to a second vault, and the first is synced into a second integration. Between
vaults only Redis is shared; within one, Postgres reuses the vector of a chunk with the same content.
"""

import asyncio
import dataclasses
import statistics
import sys
import time
import uuid
from collections.abc import Awaitable

from redis.asyncio import Redis

from bench import corpus
from bench.house import Measured, scratch_house
from domain.embedding import Embedder
from domain.integrations import IntegrationKind
from domain.people import system_viewer
from infra.inference.cache import CachedEmbedder
from infra.logs import configure_logs

N_DOCUMENTS = 60
N_QUESTIONS = 100
ROUNDS = 3


Run = tuple[float, int, int, int, int]
"""Seconds, chunks, chunks whose vector Postgres did not hold, texts found in Redis, and texts computed."""


async def synced(measured: Measured, cached: CachedEmbedder) -> Run:
    """Sync once. Redis is asked for statements and names too, not for chunks alone."""
    hits, misses = cached.n_hits, cached.n_misses
    started = time.perf_counter()
    sync = await measured.sync()
    took_s = time.perf_counter() - started
    progress = sync.progress
    return took_s, progress.n_chunks, progress.n_embedded, cached.n_hits - hits, cached.n_misses - misses


async def another(measured: Measured, *, is_same_vault: bool) -> Measured:
    """Return a second integration of the same vault, or of a new one."""
    viewer = measured.viewer
    if not is_same_vault:
        async with measured.stores.open_lobby() as lobby:
            viewer = system_viewer((await lobby.add_tenant("Second", f"second-{uuid.uuid4().hex[:8]}")).id)
    async with measured.stores.open_vault(viewer) as vault:
        integration = await vault.integrations.add(IntegrationKind.FOLDER, uuid.uuid4().hex[:8], {}, None)
    return dataclasses.replace(measured, viewer=viewer, integration_id=integration.id)


async def question_ms(embedder: Embedder, questions: list[str]) -> float:
    """Return the median time of a question's vector."""
    took = []
    for question in questions:
        started = time.perf_counter()
        await embedder.embed([question])
        took.append((time.perf_counter() - started) * 1000)
    return statistics.median(took)


def row(name: str, runs: list[Run]) -> str:
    """Return a line of the table: medians."""
    took_s, n_chunks, n_embedded, n_hits, n_misses = (statistics.median(each) for each in zip(*runs, strict=True))
    asked = n_hits + n_misses
    rate = f"{n_hits / asked:.0%} of {asked:.0f}" if asked else "none asked"
    return f"  {name:<34} {took_s:6.1f} {1 - n_embedded / n_chunks:18.0%} {rate:>20} {n_misses:10.0f}"


async def _timed_ms(asked: Awaitable[object]) -> float:
    started = time.perf_counter()
    await asked
    return (time.perf_counter() - started) * 1000


async def main(n_documents: int) -> None:
    """Print the tables."""
    configure_logs("error", is_production=True)
    names = ("a first vault", "the same documents, another vault", "the same documents, same vault")
    runs: dict[str, list[Run]] = {name: [] for name in names}
    async with scratch_house() as measured, Redis.from_url(measured.redis_url) as redis:
        cached = CachedEmbedder(measured.tools.embedder, redis)
        house = dataclasses.replace(measured, tools=dataclasses.replace(measured.tools, embedder=cached))
        for number in range(ROUNDS):
            house.source.files = dict(corpus.documents(n_documents, seed=number))
            first = await another(house, is_same_vault=False)
            runs[names[0]].append(await synced(first, cached))
            runs[names[1]].append(await synced(await another(house, is_same_vault=False), cached))
            runs[names[2]].append(await synced(await another(first, is_same_vault=True), cached))
        questions = corpus.questions(N_QUESTIONS)
        await cached.embed(questions)
        bare_ms = await question_ms(measured.tools.embedder, questions)
        hit_ms = await question_ms(cached, questions)
        keys = [cached._key(question) for question in questions]
        bare_get_ms = statistics.median([await _timed_ms(redis.mget([key])) for key in keys])
    head = f"Syncs of {n_documents} documents; medians of {ROUNDS}"
    print(f"\n{head:<36} {'s':>6} {'chunks in Postgres':>18} {'texts in Redis':>20} {'computed':>10}")
    for name in names:
        print(row(name, runs[name]))
    print(
        f"\nA question's vector, p50: computed {bare_ms:.2f} ms, from the cache {hit_ms:.2f} ms,"
        f" a bare MGET {bare_get_ms:.2f} ms"
    )


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else N_DOCUMENTS))
