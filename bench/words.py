"""The lexical leg beside a peer: bm25s, which keeps the whole index in the memory of one process, over the same chunks.

python -m bench.words [how many documents]

The peer knows neither tenants nor permissions, and forgets when its process ends; it is the floor of what BM25 costs.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from importlib.util import find_spec

from bench import corpus
from bench.house import scratch_house
from domain.chunking import chunk
from domain.parsing import ParseSettings
from domain.ranking import DEPTH
from domain.search import SearchFilter
from infra.logs import configure_logs
from infra.parsers.reading import read

N_DOCUMENTS = 300
N_QUESTIONS = 100
ROUNDS = 3


async def p50_ms(call: Callable[[str], Awaitable[object]], questions: list[str]) -> float:
    """Return the median of several rounds' medians, in milliseconds."""
    rounds = []
    for _ in range(ROUNDS):
        took = []
        for question in questions:
            started = time.perf_counter()
            await call(question)
            took.append((time.perf_counter() - started) * 1000)
        rounds.append(statistics.median(took))
    return statistics.median(rounds)


def peer(
    texts: Sequence[Sequence[str]], lexemes: Callable[[str], list[str]]
) -> Callable[[str], Awaitable[object]] | None:
    """Return how bm25s finds the best of texts for a question; None where it is not installed."""
    if find_spec("bm25s") is None:
        return None
    import bm25s  # noqa: PLC0415

    index = bm25s.BM25()
    index.index(texts, show_progress=False)

    async def find(question: str) -> object:
        return index.retrieve([lexemes(question)], k=min(DEPTH, len(texts)), show_progress=False)

    return find


async def main(n_documents: int) -> None:
    """Print the table."""
    configure_logs("error", is_production=True)
    files, questions = corpus.documents(n_documents), corpus.questions(N_QUESTIONS)
    async with scratch_house() as measured:
        analyzer = measured.tools.analyzer
        measured.source.files = dict(files)
        sync = await measured.sync()
        chunks = [
            each
            for name, text in files.items()
            for each in chunk(read(name, "text/markdown", text.encode(), ParseSettings()))
        ]
        assert sync.progress.n_chunks == len(chunks), (sync.progress, sync.reason)

        def lexemes(text: str) -> list[str]:
            return [word.lexeme for word in analyzer.words(text)]

        by_peer = peer([lexemes(each.embedded_text) for each in chunks], lexemes)
        peer_ms = None if by_peer is None else await p50_ms(by_peer, questions)
        async with measured.stores.open_vault(measured.viewer) as vault:
            ours_ms = await p50_ms(lambda q: vault.passages.lexical(q, SearchFilter(), DEPTH), questions)
    n_best = min(DEPTH, len(chunks))
    print(
        f"\nThe best {n_best} of {len(chunks):,} chunks by words, {N_QUESTIONS} questions; medians of {ROUNDS}, p50 ms"
    )
    print(f"  bm25s, in memory                      {'not installed' if peer_ms is None else f'{peer_ms:8.2f}'}")
    print(f"  ours, in Postgres, with permissions   {ours_ms:8.2f}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else N_DOCUMENTS))
