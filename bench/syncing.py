"""How much of the bare embedder's speed is left in a sync, and what an unchanged source costs.

`python -m bench.syncing memory [N_DOCUMENTS]` shows instead what a worker weighs during a large sync, and what an
unchanged corpus of that size costs.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable
from typing import TypeVar

import msgspec
import psutil

from bench import corpus
from bench.house import Measured, scratch_house
from domain.chunking import chunk
from domain.parsing import ParseSettings
from domain.studying import study
from infra.logs import configure_logs
from infra.parsers.reading import read

N_DOCUMENTS = 300
ROUNDS = 3
BATCH = 128
Result = TypeVar("Result")


async def bare(measured: Measured, files: dict[str, str]) -> tuple[int, float]:
    """Return how many chunks the files have, and the seconds the embedder alone takes for them."""
    texts = [
        each.embedded_text
        for name, text in files.items()
        for each in chunk(read(name, "text/markdown", text.encode(), ParseSettings()))
    ]
    started = time.perf_counter()
    for start in range(0, len(texts), BATCH):
        await measured.tools.embedder.embed(texts[start : start + BATCH])
    return len(texts), time.perf_counter() - started


class Round(msgspec.Struct, frozen=True):
    """What one round showed, all per second but the ratio."""

    bare: float
    """Chunks."""
    chunks: float
    documents: float
    ratio: float
    """Of the bare embedder's chunks per second."""
    studied: float
    """Documents read for names and gaps."""
    repeated: float
    """Unchanged documents."""


async def measure(measured: Measured, number: int) -> Round:
    """Measure one round, each with documents and a folder of its own."""
    files = corpus.documents(N_DOCUMENTS, seed=number)
    n_chunks, bare_s = await bare(measured, files)
    measured.source.files = files
    folder = await measured.folder(f"Round {number}")
    sync, took_s = await timed(folder.sync())
    assert sync.progress.n_chunks == n_chunks, (sync.progress, sync.reason)
    has_more, studied_s = await timed(study(measured.stores.open_vault, measured.viewer, measured.tools))
    assert not has_more
    again, again_s = await timed(folder.sync())
    assert (again.progress.skipped, again.progress.n_embedded) == (N_DOCUMENTS, 0), again.progress
    return Round(
        bare=n_chunks / bare_s,
        chunks=n_chunks / took_s,
        documents=N_DOCUMENTS / took_s,
        ratio=bare_s / took_s,
        studied=N_DOCUMENTS / studied_s,
        repeated=N_DOCUMENTS / again_s,
    )


async def timed(work: Awaitable[Result]) -> tuple[Result, float]:
    """Return what the work returns, and the seconds it took."""
    started = time.perf_counter()
    return await work, time.perf_counter() - started


async def main() -> None:
    """Print the table."""
    configure_logs("error", is_production=True)
    async with scratch_house() as measured:
        rounds = [await measure(measured, number) for number in range(ROUNDS)]

    def middle(name: str) -> float:
        return statistics.median(getattr(each, name) for each in rounds)

    print("\nSync of Markdown documents, two sections of about 200 tokens each; medians of", ROUNDS)
    print(f"  bare embedder     {middle('bare'):8.1f} chunks/s")
    print(f"  whole sync        {middle('chunks'):8.1f} chunks/s  {middle('documents'):.1f} documents/s")
    print(f"  sync / bare       {middle('ratio'):8.2f}")
    print(f"  unchanged again   {middle('repeated'):8.0f} documents/s, 0 embeddings")
    print(f"  read afterwards   {middle('studied'):8.1f} documents/s, for names and gaps")


async def weigh(n_documents: int) -> None:
    """Print the memory of the worker, its parser included, after each tenth of a sync of short notes."""
    configure_logs("error", is_production=True)
    process, peaks = psutil.Process(), [0.0]

    def now_mb() -> float:
        held = [process, *process.children(recursive=True)]
        return sum(each.memory_info().rss for each in held if "postgres" not in each.name()) / 1e6

    async def watch() -> None:
        while True:
            done = measured.source.n_fetched * 10 // n_documents
            peaks.extend([0.0] * (done + 1 - len(peaks)))
            peaks[done] = max(peaks[done], now_mb())
            await asyncio.sleep(0.2)

    async with scratch_house() as measured:
        measured.source.files = {
            f"note-{number}.md": f"# Note {number}\n\nShip {number} carries {number * 7} tons of grain."
            for number in range(n_documents)
        }
        alone_mb = now_mb()
        watching = asyncio.create_task(watch())
        started = time.perf_counter()
        sync = await measured.sync()
        took_s = time.perf_counter() - started
        assert sync.progress.indexed == n_documents, (sync.progress, sync.reason)
        watching.cancel()
        started = time.perf_counter()
        again = await measured.sync()
        again_s = time.perf_counter() - started
        assert (again.progress.skipped, again.progress.n_embedded) == (n_documents, 0), again.progress
    print(f"\nA sync of {n_documents:,} short notes: {n_documents / took_s:.0f} documents/s; worker and parser, MB")
    print(f"  before, its embedder warm  {alone_mb:8.0f}")
    print("  by tenths         ", "  ".join(f"{each:.0f}" for each in peaks))
    print(f"  unchanged again   {n_documents / again_s:8.0f} documents/s, 0 embeddings")


if __name__ == "__main__":
    is_weighing = sys.argv[1:2] == ["memory"]
    asyncio.run(weigh(int(sys.argv[2]) if len(sys.argv) > 2 else 10_000) if is_weighing else main())
