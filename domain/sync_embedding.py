"""The embedding stage of a sync: chunks of many documents together, each text once."""

import asyncio

import msgspec
import numpy as np

from domain.embedding import Embedder, Matrix
from domain.sync_steps import Prepared, Run, Step
from domain.trails import ItemStage, Reached

BATCH_CHUNKS = 128
"""Chunks embedded together, across documents: enough to sort by length, few enough to show progress."""

BATCHES_AT_ONCE = 2
"""The second begins while the first is at its end, where not all cores are busy."""
PAUSE_S = 0.05
"""A source that is silent for longer is not waited for; a faster one fills its batches."""


async def embed_steps(run: Run, steps: asyncio.Queue[Step | None], batches: asyncio.Queue[list[Step] | None]) -> None:
    """Pass steps on in batches, in order, documents with their vectors; None ends both queues."""
    begun: asyncio.Queue[asyncio.Task[list[Step]] | None] = asyncio.Queue()
    room = asyncio.Semaphore(BATCHES_AT_ONCE)
    beginning = asyncio.create_task(_begin(run, steps, begun, room))
    task: asyncio.Task[list[Step]] | None = None
    try:
        while (task := await begun.get()) is not None:
            await batches.put(await task)
            room.release()
        await beginning
        await batches.put(None)
    finally:
        left = [beginning, *([task] if task else []), *(begun.get_nowait() for _ in range(begun.qsize()))]
        for each in filter(None, left):
            each.cancel()
        await asyncio.gather(*filter(None, left), return_exceptions=True)


async def _begin(
    run: Run,
    steps: asyncio.Queue[Step | None],
    begun: asyncio.Queue[asyncio.Task[list[Step]] | None],
    room: asyncio.Semaphore,
) -> None:
    """Begin with a batch while the one before it is at its end, so that the embedder never waits for the next."""
    is_last = False
    try:
        while not is_last:
            await room.acquire()
            batch, is_last = await _next_batch(steps)
            begun.put_nowait(asyncio.create_task(_with_vectors(run, batch)))
    finally:
        begun.put_nowait(None)


async def _next_batch(steps: asyncio.Queue[Step | None]) -> tuple[list[Step], bool]:
    """Wait for one step, then take what comes without a pause, up to BATCH_CHUNKS chunks."""
    batch: list[Step] = []
    n_chunks = 0
    step = await steps.get()
    while step is not None:
        batch.append(step)
        n_chunks += len(step.chunks) if isinstance(step, Prepared) else 0
        if n_chunks >= BATCH_CHUNKS:
            return batch, False
        try:
            async with asyncio.timeout(PAUSE_S):
                step = await steps.get()
        except TimeoutError:
            return batch, False
    return batch, True


async def _with_vectors(run: Run, batch: list[Step]) -> list[Step]:
    texts = {
        each.content_hash: each.embedded_text for step in batch if isinstance(step, Prepared) for each in step.chunks
    }
    if not texts:
        return batch
    vectors = await _vectors(run, run.tools.embedder, texts)
    following = run.tools.next_embedder
    next_vectors = None if following is None else await _vectors(run, following, texts)
    embedded_items = [step.item for step in batch if isinstance(step, Prepared)]
    run.trace(*(Reached(item.external_id, item.name, ItemStage.EMBEDDED) for item in embedded_items))
    return [_filled(step, vectors, next_vectors) if isinstance(step, Prepared) else step for step in batch]


async def _vectors(run: Run, embedder: Embedder, texts: dict[bytes, str]) -> dict[bytes, Matrix]:
    """Return the vectors of texts by one model; what the tenant has already is not embedded again."""
    async with run.open_vault(run.viewer) as vault:
        vectors = dict(await vault.documents.vectors_by_hash(list(texts), embedder.model.label))
    missing = [content_hash for content_hash in texts if content_hash not in vectors]
    for start in range(0, len(missing), BATCH_CHUNKS):
        part = missing[start : start + BATCH_CHUNKS]
        embedded = await embedder.embed([texts[content_hash] for content_hash in part])
        vectors.update(zip(part, embedded, strict=True))
        run.count(n_embedded=len(part))
    return vectors


def _filled(step: Prepared, vectors: dict[bytes, Matrix], next_vectors: dict[bytes, Matrix] | None) -> Prepared:
    made, following = (
        None if held is None else np.array([held[each.content_hash] for each in step.chunks], np.float32)
        for held in (vectors, next_vectors)
    )
    return msgspec.structs.replace(step, vectors=made, next_vectors=following)
