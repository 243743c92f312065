"""One sync, from the source's list to the search index, as an async generator of progress.

Three things overlap: reading (list, fetch, parse, chunk), embedding, and storing. Between them are short queues, so a
fast source waits for a slow model and memory stays bounded whatever the size of the source. All that happens to an
item travels through the same queues in order, so the source's cursor only advances past what is stored.
"""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager

import msgspec

from domain.chunking import chunk
from domain.documents import Kept, Known
from domain.errors import Invalid, NotFound, Unavailable
from domain.integrations import Connector, Gone, Item, Page, Unreadable
from domain.item_limits import refusal, storable_id, storable_text
from domain.pagination import PageWatch
from domain.parsing import ParsedDocument, Parser
from domain.people import Viewer
from domain.progress import Progress, Stage, plus
from domain.scope import Scope, left_out
from domain.sharing import keep_up, share, touches_parts
from domain.sync_embedding import embed_steps
from domain.sync_ends import LINES_AHEAD, clean, end_part, owned, trim_lines, write_lines, write_put_off
from domain.sync_parts import HELD_ITEMS, LOOK_S, ROOM_S, PartState, Sharing
from domain.sync_steps import Failed, LeftOut, PageEnd, PartEnd, PartStart, Prepared, Run, Step, Unchanged, in_runs
from domain.sync_storing import store_documents
from domain.syncs import Sync
from domain.trails import ItemStage, Reached
from domain.vault import OpenVault, Tools

READ_AHEAD = 64
"""Items read but not yet embedded."""
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
    n_helpers = tools.kinds.described(integration.kind).n_readers - 1
    sharing = Sharing(n_helpers) if n_helpers else None
    run = Run(
        sync, integration, viewer, tools, open_vault, progress, judge=judge, sharing=sharing, n_put=start.processed
    )
    yield run.progress
    opening = tools.make_parser(parse_settings)
    async for _ in carry(run, lambda steps: _read(run, connector, opening, again, steps)):
        yield run.shown
    run.progress, run.sharing = run.shown, None
    try:
        async for _ in clean(run, connector):
            yield run.progress
    finally:
        await trim_lines(run)
    run.note(stage=Stage.DONE, current="")
    yield run.progress


async def carry(
    run: Run, read: Callable[[asyncio.Queue[Step | None]], Coroutine[object, object, None]]
) -> AsyncGenerator[None, None]:
    """Embed and store what `read` puts into its queue, until None comes; yields after each item, or once a second."""
    steps: asyncio.Queue[Step | None] = asyncio.Queue(READ_AHEAD)
    batches: asyncio.Queue[list[Step] | None] = asyncio.Queue(BATCHES_AHEAD)
    tasks = [asyncio.create_task(read(steps)), asyncio.create_task(embed_steps(run, steps, batches))]
    try:
        async for _ in _store(run, batches, tasks):
            yield
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


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
            while run.sharing and run.sharing.has_enough_waiting and await read_part(run, connector, parser, steps):
                pass
        total = run.progress.total
        run.note(is_listed=True, total=total if total is None else run.progress.found)  # it may have grown meanwhile
        await _finish_parts(run, connector, parser, steps)
    await steps.put(None)


async def _finish_parts(run: Run, connector: Connector, parser: Parser, steps: asyncio.Queue[Step | None]) -> None:
    while run.sharing and run.sharing.is_open:
        if not await read_part(run, connector, parser, steps):
            await asyncio.sleep(LOOK_S)


async def read_part(run: Run, connector: Connector, parser: Parser, steps: asyncio.Queue[Step | None]) -> bool:
    """Take a part of the sync and put its items into the queue; return whether there was one. Raises: Conflict."""
    while run.n_ahead > HELD_ITEMS:  # noqa: ASYNC110  # what lies here cannot be taken by others
        await asyncio.sleep(ROOM_S)
    async with run.open_vault(run.viewer) as vault:
        part = await vault.parts.take(run.sync.id, run.sync.attempt, is_leader=run.sharing is not None)
        if part is None:
            return False
        known = await vault.documents.known(run.integration.id, [item.external_id for item in part.items])
    run.held[part.ordinal] = part
    if run.sharing:
        run.sharing.note([PartState(part.ordinal, is_waiting=False)])
    await steps.put(PartStart(part))
    for item in part.items:
        await steps.put(await _prepare(run, connector, parser, item, known.get(item.external_id)))
    await steps.put(PartEnd())
    return True


async def _read_page(
    run: Run, connector: Connector, parser: Parser, page: Page, cursor: str | None, steps: asyncio.Queue[Step | None]
) -> None:
    if touches_parts(run, page):
        await _finish_parts(run, connector, parser, steps)
    n_found = run.progress.found + sum(not isinstance(entry, Gone) for entry in page.entries)
    total = page.total if page.total is not None else run.progress.total
    run.note(found=n_found, total=total, stage=Stage.READING)
    async with run.open_vault(run.viewer) as vault:
        known = await vault.documents.known(
            run.integration.id, [storable_id(entry.external_id) for entry in page.entries]
        )
    scope, shared = run.scope, await share(run, page, known)
    run.n_put += sum(not isinstance(entry, Gone) for entry in page.entries) - len(shared)
    for entry in page.entries:
        match entry:
            case Item() if entry.external_id in shared:
                pass
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
    last_part = run.sharing.last if run.sharing else 0
    await steps.put(PageEnd(cursor, page.groups, page.gone_groups, n_found, last_part))


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


async def _store(
    run: Run, batches: asyncio.Queue[list[Step] | None], tasks: Sequence[asyncio.Task[None]]
) -> AsyncIterator[None]:
    while True:
        try:
            # `wait_for` may swallow a cancellation before Python 3.12
            async with asyncio.timeout(LOOK_S if run.is_shared else HEARTBEAT_S):
                batch = await batches.get()
        except TimeoutError:
            for task in tasks:
                if task.done() and (error := task.exception()):
                    raise error from None
            await write_lines(run)
            await _keep_up(run)
            yield
            continue
        if batch is None:
            await _keep_up(run)
            await _end_page(run, PageEnd(None), run.progress)
            return
        for together in in_runs(batch):
            await _store_step(run, together)
            await write_lines(run, at_least=LINES_AHEAD)
            await _keep_up(run)
            yield


async def _store_step(run: Run, step: Step | list[Prepared]) -> None:
    match step:
        case list():
            await store_documents(run, step)
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
            run.ends.append((step, msgspec.structs.replace(run.progress, found=step.n_found)))
        case PartStart():
            run.begin(step.part)
        case PartEnd():
            await end_part(run)


async def _keep_up(run: Run) -> None:
    """Look after the parts, and end the pages of which everything is stored, in their order."""
    await keep_up(run)
    while run.ends and run.part is None and (not run.sharing or run.sharing.is_done(run.ends[0][0].last_part)):
        await _end_page(run, *run.ends.popleft())


async def _end_page(run: Run, end: PageEnd, progress: Progress) -> None:
    """Write what was put off for the page, and advance the cursor past it; groups hold from the same commit on."""
    has_parts = run.sharing is not None and end.last_part in run.sharing.states
    if not (run.succeeded or has_parts or end.groups or end.gone_groups or end.cursor is not None):
        return
    async with owned(run) as vault:
        if end.groups:
            await vault.access.replace_groups(run.integration.id, end.groups)
        if end.gone_groups:
            await vault.access.forget_groups(run.integration.id, end.gone_groups)
        await write_put_off(run, vault)
        if run.sharing and has_parts:
            run.sharing.fold(end.last_part)
            await vault.parts.remove(run.sync.id, end.last_part)
        if end.cursor is not None:
            passed = plus(progress, run.sharing.folded) if run.sharing else progress
            await vault.integrations.advance(run.integration.id, end.cursor)
            await vault.syncs.check_point(run.sync.id, run.sync.attempt, passed)
    run.unchanged, run.succeeded = [], []
