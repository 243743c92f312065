"""How long a search takes, beside the bare SQL of each of its legs."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import numpy as np

from bench import corpus
from bench.house import scratch_house
from domain.retrieval import DEPTH, embed_question, search
from domain.search import SearchFilter
from infra.logs import configure_logs

N_DOCUMENTS = 400
N_QUESTIONS = 100


async def timed(call: Callable[[str], Awaitable[object]], questions: list[str]) -> tuple[float, float]:
    """Return p50 and p95 in milliseconds."""
    took = []
    for question in questions:
        started = time.perf_counter()
        await call(question)
        took.append((time.perf_counter() - started) * 1000)
    return float(np.percentile(took, 50)), float(np.percentile(took, 95))


async def main() -> None:
    """Print the table."""
    configure_logs("error", is_production=True)
    questions = corpus.questions(N_QUESTIONS)
    async with scratch_house() as measured:
        measured.source.files = dict(corpus.documents(N_DOCUMENTS))
        sync = await measured.sync()
        tools = measured.tools
        vectors = {question: await embed_question(tools, question) for question in questions}
        async with measured.stores.open_vault(measured.viewer) as vault:
            rows = {
                "lexical leg alone": await timed(lambda q: vault.passages.lexical(q, SearchFilter(), DEPTH), questions),
                "vector leg alone": await timed(
                    lambda q: vault.passages.dense(vectors[q], SearchFilter(), DEPTH), questions
                ),
                "embedding the question": await timed(lambda q: embed_question(tools, q), questions),
                "whole search": await timed(lambda q: search(vault, tools, q, SearchFilter()), questions),
            }
    print(f"\nSearch over {sync.progress.n_chunks} chunks, {N_QUESTIONS} questions     p50 ms   p95 ms")
    for name, (p50, p95) in rows.items():
        print(f"  {name:<42} {p50:8.1f} {p95:8.1f}")


if __name__ == "__main__":
    asyncio.run(main())
