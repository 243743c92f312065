"""One sync, watched."""

import asyncio

import msgspec
from litestar import Litestar

from domain.facts import Fact, SyncChanged
from domain.people import Viewer
from domain.progress import Progress, Stage
from domain.syncs import SyncState
from domain.vault import Tools
from infra.store import Stores
from tests import factories
from tests.web.browser import Browser
from tests.web.pressing import press
from tests.web.streams import listening
from tests.web.test_integrations import failing, running


async def test_a_finished_sync_tells_what_came_of_it_and_does_not_listen(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, source: factories.Source
) -> None:
    source.files = {"a.txt": "Alpha", "empty.txt": b""}
    sync = await factories.synced(stores, tools, admin_viewer)
    await admin.visit(f"/syncs/{sync.id}")
    assert "Done, but 1 item could not be read" in admin.words
    assert "The file is empty." in admin.words
    assert not admin.page.css("[sse-connect]")


async def test_a_stream_shows_each_step_and_closes_after_the_last(
    app: Litestar, admin: Browser, admin_viewer: Viewer, stores: Stores, facts: "asyncio.Queue[Fact]"
) -> None:
    folder = await factories.integration(stores, admin_viewer)
    sync = await running(stores, admin_viewer, folder, Progress(Stage.READING, 4, processed=1, indexed=1))
    await admin.visit(f"/syncs/{sync.id}")
    assert admin.page.css_first(f'[sse-connect="/syncs/{sync.id}/events"][sse-close="close"]') is not None
    async with listening(app, admin, f"/syncs/{sync.id}/events") as stream:
        assert [await stream.next_event() for _ in range(2)]
        two = msgspec.structs.replace(sync.progress, processed=2, current="two.txt")
        facts.put_nowait(SyncChanged(msgspec.structs.replace(sync, progress=two)))
        name, markup = await stream.next_event() or ("", "")
        assert (name, "two.txt" in markup) == (f"sync-{sync.id}", True)
        async with stores.open_vault(admin_viewer) as vault:
            done = Progress(Stage.DONE, 4, processed=4, indexed=4, is_listed=True)
            finished = await vault.syncs.finish(sync.id, sync.attempt, SyncState.SUCCEEDED, done)
        facts.put_nowait(SyncChanged(finished))
        events = await stream.rest()
    assert [name for name, _ in events] == [f"sync-{sync.id}", f"sync-{sync.id}-failures", "close"]
    assert "Up to date" in events[0][1]


async def test_a_failure_appears_while_the_sync_goes_on(
    app: Litestar, admin: Browser, admin_viewer: Viewer, stores: Stores, facts: "asyncio.Queue[Fact]"
) -> None:
    folder = await factories.integration(stores, admin_viewer)
    sync = await running(stores, admin_viewer, folder, Progress(Stage.READING, 4))
    async with listening(app, admin, f"/syncs/{sync.id}/events") as stream:
        assert [await stream.next_event() for _ in range(2)]
        async with stores.open_vault(admin_viewer) as vault:
            await vault.syncs.add_failure(sync.id, "x", "scan.pdf", "It is encrypted. Save it without a password.")
            moved = await vault.syncs.save(sync.id, sync.attempt, Progress(Stage.READING, 4, processed=1, failed=1))
        facts.put_nowait(SyncChanged(moved))
        events = dict([await stream.next_event() or ("", "") for _ in range(2)])
    assert "Save it without a password" in events[f"sync-{sync.id}-failures"]


async def test_a_stream_that_is_opened_late_gets_the_end_at_once(
    app: Litestar, admin: Browser, admin_viewer: Viewer, stores: Stores
) -> None:
    folder = await factories.integration(stores, admin_viewer)
    sync = await failing(stores, admin_viewer, folder, 1)
    async with listening(app, admin, f"/syncs/{sync.id}/events") as stream:
        events = await stream.rest()
    assert [name for name, _ in events][-1] == "close"


async def test_another_vaults_sync_is_not_found_before_a_byte_is_streamed(
    app: Litestar, stranger: Browser, admin_viewer: Viewer, stores: Stores
) -> None:
    folder = await factories.integration(stores, admin_viewer)
    sync = await running(stores, admin_viewer, folder, Progress())
    async with listening(app, stranger, f"/syncs/{sync.id}/events") as stream:
        assert (stream.status, stream.headers["content-type"].split(";")[0]) == (404, "text/html")
    assert (await stranger.visit(f"/syncs/{sync.id}")).status == 404


async def test_a_stream_holds_no_database_connection(
    app: Litestar, admin: Browser, admin_viewer: Viewer, stores: Stores
) -> None:
    folder = await factories.integration(stores, admin_viewer)
    sync = await running(stores, admin_viewer, folder, Progress())
    async with listening(app, admin, f"/syncs/{sync.id}/events") as stream:
        assert [await stream.next_event() for _ in range(2)]
        assert stores.engine.pool.checkedout() == 0  # type: ignore[attr-defined]  # a queue pool has it


async def test_a_sync_that_has_ended_cannot_be_cancelled(admin: Browser, admin_viewer: Viewer, stores: Stores) -> None:
    folder = await factories.integration(stores, admin_viewer)
    sync = await running(stores, admin_viewer, folder, Progress())
    await admin.visit(f"/syncs/{sync.id}")
    async with stores.open_vault(admin_viewer) as vault:
        await vault.syncs.finish(sync.id, sync.attempt, SyncState.SUCCEEDED, Progress(Stage.DONE))
    await press(admin, f"/syncs/{sync.id}/cancellation")
    assert (admin.status, "has ended already" in admin.words) == (409, True)
