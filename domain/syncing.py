"""One sync, from the source's list to the search index, as an async generator of progress.

Three things overlap: reading (list, fetch, parse, chunk), embedding, and storing. Between them are short queues, so a
fast source waits for a slow model and memory stays bounded whatever the size of the source. All that happens to an
item travels through the same queues in order, so the source's cursor only advances past what is stored.
"""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager

import msgspec
import numpy as np

from domain.chunking import chunk
from domain.documents import Arrival, Incoming, Kept, Known
from domain.embedding import Embedder, Matrix
from domain.errors import Invalid, NotFound, Unavailable
from domain.integrations import Connector, Gone, Item, Page, Unreadable
from domain.item_limits import refusal, storable_id, storable_text
from domain.pagination import PageWatch
from domain.parsing import ParsedDocument, Parser
from domain.people import Viewer
from domain.privacy import Judge, classify, mean_vector, signals_of
from domain.progress import Progress, Stage
from domain.scope import Scope, left_out
from domain.sync_ends import LINES_AHEAD, clean, open_what_is_shared, owned, trim_lines, write_lines
from domain.sync_steps import Failed, LeftOut, PageEnd, Prepared, Run, Step, Unchanged, in_runs
from domain.syncs import Sync
from domain.trails import ItemStage, Reached
from domain.vault import OpenVault, Tools

READ_AHEAD = 64
"""Items read but not yet embedded."""
BATCH_CHUNKS = 128
"""Chunks embedded together, across documents: enough to sort by length, few enough to show progress."""
BATCHES_AHEAD = 2
"""Batches embedded but not yet stored."""
HEARTBEAT_S = 1.0
"""Progress is yielded at least this often, so that a cancel is seen while a source is slow."""
LEFT_OUT_LINES = 200
"""Items that are not chosen get a line each up to this number; all of them are counted."""


async def sync_integration(
    sync: Sync, viewer: Viewer, tools: Tools, open_vault: OpenVault
) -> AsyncGenerator[Progress, None]:
    """Bring an integration up to date, yielding progress after every item and at least once a second.

    Documents are stored a batch a transaction, under the sync's attempt: an attempt that lost its sync writes nothing.
    Closing the generator stops it at once; what is stored stays, and the next run goes on from the cursor.
    Raises: Unavailable or Forbidden from the source, Conflict when another attempt has taken over, TooManyDeletions
    when a person has to be asked before what is gone at the source is deleted.
    """
    async with open_vault(viewer) as vault:
        integration = await vault.integrations.get(sync.integration_id)
        again = await vault.syncs.retries(integration.id)
        parse_settings = await vault.parsing.get()
        judge = None if integration.owner_id is None else await vault.reviews.judge(integration.owner_id)
        if await vault.credentials.warn(integration.id, tools.now()):
            await vault.audit.record("integration.access_ending", integration.name)
    connector = tools.connect(integration, viewer, open_vault)
    start = Progress() if connector.is_snapshot else sync.checkpoint
    progress = msgspec.structs.replace(start, stage=Stage.LISTING)
    run = Run(sync, integration, viewer, tools, open_vault, progress, judge=judge)
    yield run.progress
    steps: asyncio.Queue[Step | None] = asyncio.Queue(READ_AHEAD)
    batches: asyncio.Queue[list[Step] | None] = asyncio.Queue(BATCHES_AHEAD)
    tasks = [
        asyncio.create_task(_read(run, connector, tools.make_parser(parse_settings), again, steps)),
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
    try:
        async for _ in clean(run, connector):
            yield run.progress
    finally:
        await trim_lines(run)
    run.note(stage=Stage.DONE, current="")
    yield run.progress


async def _read(
    run: Run,
    connector: Connector,
    opening: AbstractAsyncContextManager[Parser],
    again: Sequence[str],
    steps: asyncio.Queue[Step | None],
) -> None:
    async with opening as parser:
        if again and not connector.is_snapshot:
            async for page in connector.again(again):
                await _read_page(run, connector, parser, page, None, steps)
        watch = PageWatch()
        async for page in connector.pages("" if connector.is_snapshot else run.integration.cursor):
            if not watch.is_news(page):
                continue
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
        known = await vault.documents.known(
            run.integration.id, [storable_id(entry.external_id) for entry in page.entries]
        )
    scope = run.scope
    for entry in page.entries:
        match entry:
            case Item():
                held = known.get(entry.external_id)
                step = _left_out(entry, scope, held) or await _prepare(run, connector, parser, entry, held)
                await steps.put(step)
            case Unreadable():
                held = known.get(entry.external_id)
                document_id = held.document_id if held else None
                await steps.put(Failed(entry.external_id, entry.name, entry.reason, document_id))
            case Gone():
                await steps.put(entry)
    await steps.put(PageEnd(cursor, page.groups, page.gone_groups))


def _left_out(item: Item, scope: Scope, known: Known | None) -> LeftOut | None:
    reason = "" if scope.is_everything else left_out(item, scope)
    return LeftOut(item.external_id, item.name, reason, is_held=known is not None) if reason else None


async def _prepare(run: Run, connector: Connector, parser: Parser, item: Item, known: Known | None) -> Step:
    if reason := refusal(item):
        return Failed(storable_id(item.external_id), storable_text(item.name), reason)
    if known and item.revision and item.revision == known.revision:
        return _unchanged(run, item, known)
    run.note(current=item.name)
    try:
        content = await connector.fetch(item)
        run.trace(Reached(item.external_id, item.name, ItemStage.FETCHED))
        content_hash = hashlib.sha256(content).hexdigest()
        if known and content_hash == known.content_hash:
            run.lines.pop(item.external_id, None)
            return _unchanged(run, item, known)
        parsed = await parser.parse(item.name, item.media_type, content)
    except (Invalid, NotFound, Unavailable) as error:
        return Failed(item.external_id, item.name, error.message, known.document_id if known else None)
    parsed = _with_what_the_source_says(parsed, item)
    chunks = await asyncio.to_thread(chunk, parsed)
    run.trace(Reached(item.external_id, item.name, ItemStage.PARSED))
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


async def _store(
    run: Run, batches: asyncio.Queue[list[Step] | None], tasks: Sequence[asyncio.Task[None]]
) -> AsyncIterator[None]:
    while True:
        try:
            async with asyncio.timeout(HEARTBEAT_S):  # `wait_for` may swallow a cancellation before Python 3.12
                batch = await batches.get()
        except TimeoutError:
            for task in tasks:
                if task.done() and (error := task.exception()):
                    raise error from None
            await write_lines(run)
            yield
            continue
        if batch is None:
            await _end_page(run, PageEnd(None))
            return
        for together in in_runs(batch):
            await _store_step(run, together)
            await write_lines(run, at_least=LINES_AHEAD)
            yield


async def _store_step(run: Run, step: Step | list[Prepared]) -> None:
    match step:
        case list():
            await _store_documents(run, step)
        case Unchanged():
            run.unchanged.append(step)
            run.succeeded.append(step.external_id)
            run.count(processed=1, indexed=int(step.is_from_this_sync), skipped=int(not step.is_from_this_sync))
        case LeftOut():
            if step.is_held:
                async with owned(run) as vault:
                    await vault.deletions.mark(run.integration.id, [step.external_id])
            if run.progress.filtered < LEFT_OUT_LINES:
                run.trace(Reached(step.external_id, step.name, ItemStage.FILTERED, step.reason))
            run.count(processed=1, filtered=1)
        case Failed():
            run.trace(Reached(step.external_id, step.name, ItemStage.FAILED, step.reason))
            async with owned(run) as vault:
                await vault.syncs.add_failure(run.sync.id, step.external_id, step.name, step.reason)
                if step.document_id is not None:
                    await vault.documents.keep(run.sync.id, [Kept(step.document_id, revision="")])
            run.count(processed=1, failed=1)
        case Gone():
            async with owned(run) as vault:
                await vault.deletions.mark(run.integration.id, [step.external_id])
                await vault.syncs.clear_failures(run.integration.id, [step.external_id])
        case PageEnd():
            await _end_page(run, step)


async def _store_documents(run: Run, steps: Sequence[Prepared]) -> None:
    async with owned(run) as vault:
        document_ids = await vault.documents.put([_arrival(run, step) for step in steps])
        if run.judge:
            for document_id, step in zip(document_ids, steps, strict=True):
                vector = mean_vector(_judged(run.judge, run.tools, step))
                verdict = classify(signals_of(step.item, step.parsed), vector, run.judge)
                await vault.reviews.put(document_id, run.judge.owner_id, verdict, vector, run.judge.model)
    for step in steps:
        run.trace(Reached(step.item.external_id, step.item.name, ItemStage.VISIBLE))
        run.succeeded.append(step.item.external_id)
    run.count(processed=len(steps), indexed=len(steps), n_chunks=sum(len(step.chunks) for step in steps))


def _arrival(run: Run, step: Prepared) -> Arrival:
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
    return Arrival(incoming, step.chunks, vectors, step.next_vectors)


def _judged(judge: Judge, tools: Tools, step: Prepared) -> Matrix | None:
    """Return the vectors that may be compared with the judge's examples: those of the same model, where there are."""
    made = dict(zip(tools.embedders, (step.vectors, step.next_vectors), strict=False))
    return made.get(judge.model)


async def _end_page(run: Run, end: PageEnd) -> None:
    """Write what was put off for the page, and advance the cursor past it; groups hold from the same commit on."""
    if not run.succeeded and end == PageEnd(None):
        return
    async with owned(run) as vault:
        if end.groups:
            await vault.access.replace_groups(run.integration.id, end.groups)
        if end.gone_groups:
            await vault.access.forget_groups(run.integration.id, end.gone_groups)
        if run.unchanged:
            await vault.documents.keep(run.sync.id, [each.kept for each in run.unchanged])
            await open_what_is_shared(run, vault)
        if run.succeeded:
            await vault.syncs.clear_failures(run.integration.id, run.succeeded)
        await vault.trails.write(run.sync.id, run.take_lines())
        if end.cursor is not None:
            await vault.integrations.advance(run.integration.id, end.cursor)
            await vault.syncs.check_point(run.sync.id, run.sync.attempt, run.progress)
    run.unchanged, run.succeeded = [], []
