"""Sync throughput by format, beside its floor, the bare reader and the bare embedder, and a peer that reads the format.

python -m bench.formats [how many documents of each]
"""

import asyncio
import statistics
import sys
import time

from bench import corpus
from bench.house import Measured, scratch_house
from bench.peer_readers import READERS
from bench.written_files import WRITERS
from domain.chunking import chunk
from domain.parsing import ParseSettings
from infra.logs import configure_logs
from infra.parsers.detection import media_type_of
from infra.parsers.reading import read

N_DOCUMENTS = 60
ROUNDS = 3
BATCH = 128


async def bare(measured: Measured, files: dict[str, bytes]) -> tuple[float, float]:
    """Return the seconds that reading alone takes, and embedding alone."""
    started = time.perf_counter()
    parsed = [read(name, media_type_of(name), content, ParseSettings()) for name, content in files.items()]
    read_s = time.perf_counter() - started
    texts = [each.embedded_text for document in parsed for each in chunk(document)]
    started = time.perf_counter()
    for at in range(0, len(texts), BATCH):
        await measured.tools.embedder.embed(texts[at : at + BATCH])
    return read_s, time.perf_counter() - started


async def measure(measured: Measured, name: str, n_documents: int) -> tuple[float, float, float, float, str]:
    """Return medians: documents/s of the reader, and of a sync, and that to the floor; KB a document; the peer."""
    suffix, write = WRITERS[name]
    readers, syncs, ratios, peers, size_bytes = [], [], [], [], 0
    peer = READERS[name]()
    for number in range(ROUNDS):
        texts = corpus.documents(n_documents, seed=100 * list(WRITERS).index(name) + number)
        files = {f"{number}/{title.removesuffix('.md')}{suffix}": write(text) for title, text in texts.items()}
        size_bytes = sum(map(len, files.values())) // n_documents
        read_s, embed_s = await bare(measured, files)
        measured.source.files = dict(files)
        folder = await measured.folder(f"{name} {number}")
        started = time.perf_counter()
        sync = await folder.sync()
        took_s = time.perf_counter() - started
        assert sync.progress.indexed == n_documents, (sync.progress, sync.reason)
        readers.append(n_documents / read_s)
        syncs.append(n_documents / took_s)
        ratios.append((read_s + embed_s) / took_s)
        started = time.perf_counter()
        for content in files.values() if peer else ():
            peer.read(content)
        peers.append(n_documents / (time.perf_counter() - started))
    by_peer = f"{statistics.median(peers):10.0f} ({peer.name})" if peer else "not installed"
    return (*map(statistics.median, (readers, syncs, ratios)), size_bytes / 1024, by_peer)


async def main(n_documents: int) -> None:
    """Print the table."""
    configure_logs("error", is_production=True)
    print(f"\nSync of {n_documents} documents of each format, the same words; medians of {ROUNDS}, documents/s")
    print("  format          KB each   bare reader   whole sync   both alone / sync   peer that reads")
    async with scratch_house() as measured:
        for name in WRITERS:
            reader, sync, ratio, size, by_peer = await measure(measured, name, n_documents)
            print(f"  {name:<14} {size:8.1f} {reader:13.0f} {sync:12.1f} {ratio:19.2f}   {by_peer}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else N_DOCUMENTS))
