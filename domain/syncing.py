"""One sync, from the source's list to the search index, as an async generator of progress.

Three things overlap: reading (list, fetch, parse, chunk), embedding, and storing. Between them are short queues, so a
fast source waits for a slow model and memory stays bounded whatever the size of the source. All that happens to an
item travels through the same queues in order, so the source's cursor only advances past what is stored.
"""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
import numpy as np

from domain.chunking import chunk
from domain.documents import Incoming, Kept, Known
from domain.embedding import Matrix
from domain.errors import Invalid, NotFound, Unavailable
from domain.examining import examine
from domain.integrations import Connector, Gone, Item, Page, Unreadable
from domain.parsing import ParsedDocument, Parser
from domain.people import Viewer
from domain.progress import Progress, Stage
from domain.sync_steps import Failed, PageEnd, Prepared, Run, Step, Unchanged
from domain.syncs import Sync
from domain.vault import OpenVault, Tools, Vault

READ_AHEAD = 64
"""Items read but not yet embedded."""
BATCH_CHUNKS = 128
"""Chunks embedded together, across documents: enough to sort by length, few enough to show progress."""
BATCHES_AHEAD = 2
"""Batches embedded but not yet stored."""
HEARTBEAT_S = 1.0
"""Progress is yielded at least this often, so that a cancel is seen while a source is slow."""
VANISHED_BATCH = 500


async def sync_integration(
    sync: Sync, viewer: Viewer, tools: Tools, open_vault: OpenVault
) -> AsyncGenerator[Progress, None]:
    """Bring an integration up to date, yielding progress after every item and at least once a second.

    Documents are stored one transaction each, under the sync's attempt: an attempt that lost its sync writes nothing.
    Closing the generator stops it at once; what is stored stays, and the next run goes on from the cursor.
    Raises: Unavailable or Forbidden from the source, Conflict when another attempt has taken over.
    """
    async with open_vault(viewer) as vault:
        integration = await vault.integrations.get(sync.integration_id)
        again = await vault.syncs.retries(integration.id)
    connector = tools.connect(integration, viewer, open_vault)
    start = Progress() if connector.is_snapshot else sync.checkpoint
    run = Run(sync, integration, viewer, tools, open_vault, msgspec.structs.replace(start, stage=Stage.LISTING))
    yield run.progress
    steps: asyncio.Queue[Step | None] = asyncio.Queue(READ_AHEAD)
    batches: asyncio.Queue[list[Step] | None] = asyncio.Queue(BATCHES_AHEAD)
    tasks = [
        asyncio.create_task(_read(run, connector, again, steps)),
        asyncio.create_task(_embed(run, steps, batches)),
    ]
    try:
        async for _ in _store(run, batches, tasks):
            yield run.progress
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    async for _ in _clean(run, connector):
        yield run.progress
    run.note(stage=Stage.DONE, current="")
    yield run.progress


async def _read(run: Run, connector: Connector, again: Sequence[str], steps: asyncio.Queue[Step | None]) -> None:
    async with run.tools.make_parser() as parser:
        if again and not connector.is_snapshot:
            async for page in connector.again(again):
                await _read_page(run, connector, parser, page, None, steps)
        async for page in connector.pages("" if connector.is_snapshot else run.integration.cursor):
            cursor = None if connector.is_snapshot else page.cursor
            await _read_page(run, connector, parser, page, cursor, steps)
    run.note(is_listed=True)
    await steps.put(None)


async def _read_page(
    run: Run, connector: Connector, parser: Parser, page: Page, cursor: str | None, steps: asyncio.Queue[Step | None]
) -> None:
    n_items = sum(not isinstance(entry, Gone) for entry in page.entries)
    run.count(found=n_items)
    run.note(total=page.total if page.total is not None else run.progress.total, stage=Stage.READING)
    async with run.open_vault(run.viewer) as vault:
        known = await vault.documents.known(run.integration.id, [entry.external_id for entry in page.entries])
    for entry in page.entries:
        match entry:
            case Item():
                await steps.put(await _prepare(run, connector, parser, entry, known.get(entry.external_id)))
            case Unreadable():
                held = known.get(entry.external_id)
                document_id = held.document_id if held else None
                await steps.put(Failed(entry.external_id, entry.name, entry.reason, document_id))
            case Gone():
                await steps.put(entry)
    await steps.put(PageEnd(cursor))


async def _prepare(run: Run, connector: Connector, parser: Parser, item: Item, known: Known | None) -> Step:
    if known and item.revision and item.revision == known.revision:
        return _unchanged(run, item, known)
    run.note(current=item.name)
    try:
        content = await connector.fetch(item)
        content_hash = hashlib.sha256(content).hexdigest()
        if known and content_hash == known.content_hash:
            return _unchanged(run, item, known)
        parsed = await parser.parse(item.name, item.media_type, content)
    except (Invalid, NotFound, Unavailable) as error:
        return Failed(item.external_id, item.name, error.message, known.document_id if known else None)
    parsed = _with_what_the_source_says(parsed, item)
    chunks = await asyncio.to_thread(chunk, parsed)
    return Prepared(item, content_hash, parsed, chunks, len(content))


def _unchanged(run: Run, item: Item, known: Known) -> Unchanged:
    principals = None if frozenset(item.principals) == known.principals else item.principals
    kept = Kept(known.document_id, item.revision, principals)
    return Unchanged(kept, item.external_id, known.indexed_sync_id == run.sync.id)


def _with_what_the_source_says(parsed: ParsedDocument, item: Item) -> ParsedDocument:
    """The file knows its author and dates best; where it is silent, the source's own record serves."""
    return msgspec.structs.replace(
        parsed,
        title=parsed.title.strip() or item.name,
        author=parsed.author or item.author,
        created_at=parsed.created_at or item.created_at,
        modified_at=parsed.modified_at or item.modified_at,
    )


async def _embed(run: Run, steps: asyncio.Queue[Step | None], batches: asyncio.Queue[list[Step] | None]) -> None:
    is_last = False
    while not is_last:
        batch, is_last = await _next_batch(steps)
        await batches.put(await _with_vectors(run, batch))
    await batches.put(None)


async def _next_batch(steps: asyncio.Queue[Step | None]) -> tuple[list[Step], bool]:
    """Wait for one step, then take what is there, up to BATCH_CHUNKS chunks."""
    batch: list[Step] = []
    n_chunks = 0
    step = await steps.get()
    while step is not None:
        batch.append(step)
        n_chunks += len(step.chunks) if isinstance(step, Prepared) else 0
        if n_chunks >= BATCH_CHUNKS or steps.empty():
            return batch, False
        step = steps.get_nowait()
    return batch, True


async def _with_vectors(run: Run, batch: list[Step]) -> list[Step]:
    texts = {
        each.content_hash: each.embedded_text for step in batch if isinstance(step, Prepared) for each in step.chunks
    }
    if not texts:
        return batch
    async with run.open_vault(run.viewer) as vault:
        vectors = dict(await vault.documents.vectors_by_hash(list(texts)))
    missing = [content_hash for content_hash in texts if content_hash not in vectors]
    for start in range(0, len(missing), BATCH_CHUNKS):
        part = missing[start : start + BATCH_CHUNKS]
        embedded = await run.tools.embedder.embed([texts[content_hash] for content_hash in part])
        vectors.update(zip(part, embedded, strict=True))
        run.count(n_embedded=len(part))
    return [_filled(step, vectors) if isinstance(step, Prepared) else step for step in batch]


def _filled(step: Prepared, vectors: dict[bytes, Matrix]) -> Prepared:
    rows = [vectors[each.content_hash] for each in step.chunks]
    return msgspec.structs.replace(step, vectors=np.array(rows, np.float32))


async def _store(
    run: Run, batches: asyncio.Queue[list[Step] | None], tasks: Sequence[asyncio.Task[None]]
) -> AsyncIterator[None]:
    while True:
        try:
            batch = await asyncio.wait_for(batches.get(), HEARTBEAT_S)
        except TimeoutError:
            for task in tasks:
                if task.done() and (error := task.exception()):
                    raise error from None
            yield
            continue
        if batch is None:
            await _end_page(run, None)
            return
        for step in batch:
            await _store_step(run, step)
            yield


async def _store_step(run: Run, step: Step) -> None:
    match step:
        case Prepared():
            await _store_document(run, step)
        case Unchanged():
            run.unchanged.append(step)
            run.succeeded.append(step.external_id)
            run.count(processed=1, indexed=int(step.is_from_this_sync), skipped=int(not step.is_from_this_sync))
        case Failed():
            async with _owned(run) as vault:
                await vault.syncs.add_failure(run.sync.id, step.external_id, step.name, step.reason)
                if step.document_id is not None:
                    await vault.documents.keep(run.sync.id, [Kept(step.document_id, revision="")])
            run.count(processed=1, failed=1)
        case Gone():
            async with _owned(run) as vault:
                n_deleted = await vault.documents.remove(run.integration.id, [step.external_id])
                await vault.syncs.clear_failures(run.integration.id, [step.external_id])
            run.count(deleted=n_deleted)
        case PageEnd():
            await _end_page(run, step.cursor)


async def _store_document(run: Run, step: Prepared) -> None:
    incoming = Incoming(
        integration_id=run.integration.id,
        sync_id=run.sync.id,
        external_id=step.item.external_id,
        revision=step.item.revision,
        content_hash=step.content_hash,
        size_bytes=step.size_bytes,
        url=step.item.url,
        principals=step.item.principals,
        parsed=step.parsed,
        blob_id=step.item.blob_id,
    )
    vectors = step.vectors if step.vectors is not None else np.zeros((0, 0), np.float32)
    async with _owned(run) as vault:
        await vault.documents.replace(incoming, step.chunks, vectors)
    run.succeeded.append(step.item.external_id)
    run.count(processed=1, indexed=1, n_chunks=len(step.chunks))


async def _end_page(run: Run, cursor: str | None) -> None:
    """Write what was put off for the page, and advance the cursor past it."""
    if not run.succeeded and cursor is None:
        return
    async with _owned(run) as vault:
        if run.unchanged:
            await vault.documents.keep(run.sync.id, [each.kept for each in run.unchanged])
        if run.succeeded:
            await vault.syncs.clear_failures(run.integration.id, run.succeeded)
        if cursor is not None:
            await vault.integrations.advance(run.integration.id, cursor)
            await vault.syncs.check_point(run.sync.id, run.sync.attempt, run.progress)
    run.unchanged, run.succeeded = [], []


async def _clean(run: Run, connector: Connector) -> AsyncIterator[None]:
    """Delete what has vanished at the source, and bring word weights up to date."""
    run.note(stage=Stage.CLEANING, current="")
    yield
    while connector.is_snapshot:
        async with _owned(run) as vault:
            vanished = await vault.documents.vanished(run.integration.id, run.sync.id, VANISHED_BATCH)
            n_deleted = await vault.documents.remove(run.integration.id, vanished)
        run.count(deleted=n_deleted)
        yield
        if len(vanished) < VANISHED_BATCH:
            break
    async for _ in examine(run.open_vault, run.viewer, run.tools):
        yield
    is_unsettled = True
    while is_unsettled:
        async with run.open_vault(run.viewer) as vault:
            is_unsettled = await vault.documents.settle()
        yield


@asynccontextmanager
async def _owned(run: Run) -> AsyncIterator[Vault]:
    """Open a transaction in which no other attempt can take the sync over before this one commits."""
    async with run.open_vault(run.viewer) as vault:
        await vault.syncs.hold(run.sync.id, run.sync.attempt)
        yield vault
