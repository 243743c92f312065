"""Several workers on one sync: two in this process, each with a source of its own, on the real database."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.errors import Conflict, Forbidden
from domain.integrations import Gone, Item
from domain.people import Viewer, system_viewer
from domain.progress import Progress
from domain.sync_parts import PartLost, PartState, Sharing
from domain.syncs import Sync, SyncState, Trigger
from domain.vault import Tools
from infra.database import tenant_transaction
from infra.help_jobs import run_help
from infra.store import Stores
from infra.worker import run_sync
from tests import factories
from tests.factories import Source

N_FILES = 300
"""Enough for parts to lie ready while the leader holds all it may."""


@pytest_asyncio.fixture(autouse=True)
async def two_workers(engine: AsyncEngine) -> AsyncIterator[None]:
    """Two worker processes are alive, as far as the queue knows; each twice. Nothing else is to be done."""
    async with engine.begin() as connection:
        await connection.execute(sa.text("update procrastinate_jobs set status = 'cancelled' where status = 'todo'"))
        added = await connection.execute(
            sa.text("insert into procrastinate_workers select from generate_series(1, 4) returning id")
        )
        ids = list(added.scalars())
    yield
    async with engine.begin() as connection:
        await connection.execute(sa.text("delete from procrastinate_workers where id = any(:ids)"), {"ids": ids})


@pytest.fixture
def other(source: Source) -> Source:
    """The same source, as the other worker reaches it."""
    source.page_size = 50
    source.files = {f"note-{number:03}.md": f"# Note {number}\n\nCrate {number} is here." for number in range(N_FILES)}
    return Source(files=source.files, page_size=50)


@pytest.fixture
def other_tools(tools: Tools, other: Source) -> Tools:
    return dataclasses.replace(tools, connect=lambda *_: other)


async def requested(stores: Stores, viewer: Viewer) -> Sync:
    folder = await factories.integration(stores, viewer)
    async with stores.open_vault(viewer) as vault:
        return await vault.syncs.request(folder.id, Trigger.IMPORT)


async def together(stores: Stores, tools: Tools, other_tools: Tools, viewer: Viewer) -> Sync:
    """Carry a sync to its end with a leader, and a helper that comes as soon as there are parts."""
    sync, system = await requested(stores, viewer), system_viewer(viewer.tenant_id)
    leading = asyncio.create_task(run_sync(stores.open_vault, tools, system, sync.id))
    await parts_of(stores, viewer, sync.id, leading)
    await run_help(stores.open_vault, other_tools, system, sync.id)
    finished = await leading
    assert finished is not None
    return finished


async def parts_of(stores: Stores, viewer: Viewer, sync_id: int, leading: asyncio.Task[Sync | None]) -> None:
    """Return when there are parts, or the sync has ended."""
    while not leading.done():
        async with stores.open_vault(viewer) as vault:
            if await vault.parts.states(sync_id):
                return
        await asyncio.sleep(0.01)


async def held_once(stores: Stores, viewer: Viewer) -> list[str]:
    """The external ids of all documents, each of which has one version."""
    async with tenant_transaction(stores.engine, viewer.tenant_id) as connection:
        rows = list(
            await connection.execute(sa.text("select external_id, version_ordinal from documents order by external_id"))
        )
        assert {row.version_ordinal for row in rows} <= {1}, "a document was written twice"
        left = await connection.execute(sa.text("select count(*) from sync_parts"))
        assert left.scalar_one() == 0, "parts are left behind"
    return [row.external_id for row in rows]


async def test_two_workers_bring_in_one_sync_every_document_once_and_every_count_right(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source, other: Source, other_tools: Tools
) -> None:
    source.files |= {"note-080.md": b"", "note-095.md": b""}
    sync = await together(stores, tools, other_tools, viewer)
    progress = sync.progress
    assert (sync.state, progress.found, progress.processed) == (SyncState.SUCCEEDED, N_FILES, N_FILES), progress
    assert (progress.indexed, progress.failed, progress.skipped) == (N_FILES - 2, 2, 0)
    assert (progress.n_chunks, progress.n_embedded) == (N_FILES - 2, N_FILES - 2)
    assert len(await held_once(stores, viewer)) == N_FILES - 2
    assert other.n_fetched > 0, "the other worker has helped"
    assert source.n_fetched + other.n_fetched == N_FILES
    async with stores.open_vault(viewer) as vault:
        failures = await vault.syncs.failures(sync.integration_id, 0, 9)
    assert {each.name for each in failures} == {"note-080.md", "note-095.md"}
    again = await factories.synced(stores, tools, viewer)
    assert (again.progress.skipped, again.progress.failed, again.progress.n_embedded) == (N_FILES - 2, 2, 0)


async def test_a_small_sync_makes_no_parts_and_calls_nobody(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source, other: Source
) -> None:
    source.files = {name: source.files[name] for name in list(source.files)[:10]}
    sync = await factories.synced(stores, tools, viewer)
    async with stores.engine.connect() as connection:
        jobs = await connection.execute(
            sa.text("select count(*) from procrastinate_jobs where lock like :lock"), {"lock": f"help:{sync.id}:%"}
        )
        assert jobs.scalar_one() == 0
    assert (sync.progress.indexed, source.n_fetched) == (10, 10)


async def test_a_part_claimed_anew_and_a_sync_taken_over_shut_out_those_who_held_them_before(
    stores: Stores, viewer: Viewer
) -> None:
    sync, system = await requested(stores, viewer), system_viewer(viewer.tenant_id)
    async with stores.open_vault(system) as vault:
        claimed = await vault.syncs.claim(sync.id)
        await vault.parts.add(sync.id, claimed.attempt, 1, [[Item("a.md", "a.md", "1")], [Item("b.md", "b.md", "1")]])
        first, second = [await vault.parts.take(sync.id, claimed.attempt) for _ in range(2)]
        assert first is not None
        assert second is not None
        await vault.parts.give_back([first], is_refused=False)
        anew = await vault.parts.take(sync.id, claimed.attempt)
        assert anew is not None
        assert (anew.id, anew.items) == (first.id, first.items)
    for is_lost, part in ((True, first), (False, anew), (False, second)):
        async with stores.open_vault(system) as vault:
            if is_lost:
                with pytest.raises(PartLost):
                    await vault.parts.hold(part)
            else:
                await vault.parts.hold(part)
    async with stores.open_vault(system) as vault:
        await vault.syncs.claim(sync.id)
    for part in (anew, second):
        async with stores.open_vault(system) as vault:
            with pytest.raises(PartLost):
                await vault.parts.hold(part)
            with pytest.raises(Conflict):
                await vault.parts.take(sync.id, claimed.attempt)


async def test_a_cancelled_sync_ends_at_once_and_its_helpers_write_nothing_more(
    stores: Stores, tools: Tools, viewer: Viewer, other_tools: Tools
) -> None:
    sync, system = await requested(stores, viewer), system_viewer(viewer.tenant_id)
    leading = asyncio.create_task(run_sync(stores.open_vault, tools, system, sync.id))
    await parts_of(stores, viewer, sync.id, leading)
    helping = asyncio.create_task(run_help(stores.open_vault, other_tools, system, sync.id))
    async with stores.open_vault(viewer) as vault:
        await vault.syncs.cancel(sync.id)
    finished = await leading
    n_held = len(await held_once(stores, viewer))
    await helping
    assert finished is not None
    assert (finished.state, n_held < N_FILES) == (SyncState.CANCELLED, True)
    assert len(await held_once(stores, viewer)) == n_held


async def test_what_one_helper_died_over_and_another_was_refused_is_brought_in_all_the_same(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source, other_tools: Tools
) -> None:
    class ShutOut(Source):
        async def fetch(self, item: Item) -> bytes:
            raise Forbidden("You are not let in here.")

    shut_out = dataclasses.replace(other_tools, connect=lambda *_: ShutOut())
    sync, system = await requested(stores, viewer), system_viewer(viewer.tenant_id)
    leading = asyncio.create_task(run_sync(stores.open_vault, tools, system, sync.id))
    await parts_of(stores, viewer, sync.id, leading)
    async with stores.open_vault(system) as vault:
        taken = await vault.parts.take(sync.id, 1)
    assert taken is not None
    await run_help(stores.open_vault, shut_out, system, sync.id)
    async with tenant_transaction(stores.engine, viewer.tenant_id) as connection:
        await connection.execute(
            sa.text("update sync_parts set seen_at = now() - interval '21 seconds' where id = :id"), {"id": taken.id}
        )
    finished = await leading
    assert finished is not None
    assert (finished.state, finished.progress.indexed, finished.progress.failed) == (SyncState.SUCCEEDED, N_FILES, 0)
    assert (len(await held_once(stores, viewer)), source.n_fetched) == (N_FILES, N_FILES)
    with pytest.raises(PartLost):
        async with stores.open_vault(system) as vault:
            await vault.parts.hold(taken)


async def test_a_sync_begun_again_from_its_cursor_counts_every_item_once(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source, other: Source, other_tools: Tools
) -> None:
    """The first worker dies when a helper holds parts of several pages; what was counted behind the cursor is not lost,
    what lies before it is not counted twice, and an item that is gone in a later page is gone in the end.
    """
    source.is_snapshot = other.is_snapshot = False
    source.log = [source.item(name) for name in sorted(source.files)]
    source.log.append(Gone("note-090.md"))
    sync, system = await requested(stores, viewer), system_viewer(viewer.tenant_id)
    leading = asyncio.create_task(run_sync(stores.open_vault, tools, system, sync.id))
    await parts_of(stores, viewer, sync.id, leading)
    helping = asyncio.create_task(run_help(stores.open_vault, other_tools, system, sync.id))
    while other.n_fetched < 9 and not leading.done():  # noqa: ASYNC110  # another worker moves it
        await asyncio.sleep(0.01)
    leading.cancel()
    await asyncio.gather(leading, return_exceptions=True)
    again = asyncio.create_task(run_sync(stores.open_vault, tools, system, sync.id))
    await parts_of(stores, viewer, sync.id, again)
    await asyncio.gather(helping, run_help(stores.open_vault, other_tools, system, sync.id))
    finished = await again
    assert finished is not None
    progress = finished.progress
    assert (finished.attempt, progress.found, progress.processed, progress.indexed) == (2, N_FILES, N_FILES, N_FILES)
    assert (progress.deleted, len(await held_once(stores, viewer))) == (1, N_FILES - 1)


def test_progress_of_a_part_that_is_begun_anew_does_not_go_back() -> None:
    sharing = Sharing(7, states={}, external_ids={1: frozenset("a")})
    sharing.note([PartState(1, is_waiting=False, counts=Progress(processed=20))])
    sharing.note([PartState(1, is_waiting=False, counts=Progress(processed=3))])
    assert sharing.shown(Progress()).processed == 20
    sharing.note([PartState(1, is_waiting=False, is_done=True, counts=Progress(processed=32))])
    assert (sharing.shown(Progress()).processed, sharing.is_open) == (32, False)
