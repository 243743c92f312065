"""One tenant's long syncs, and what another tenant has to wait because of them."""

import asyncio
import dataclasses
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa

from domain.errors import Throttled
from domain.integrations import Integration, IntegrationKind
from domain.people import Viewer
from domain.syncs import Sync, SyncState, Trigger
from domain.vault import Tools
from infra.store import Stores, syncs
from infra.worker import Worker
from tests import factories

CONCURRENCY = 2
SECONDS = 5.0
"""What a small upload may wait because of other tenants."""


@pytest.fixture
def tools_of_both(tools: Tools, source: factories.Source) -> Tools:
    """Folders are read without end, uploads are what `source` holds."""
    endless = factories.Source(files={f"{number}.md": f"# {number}\n\nText." for number in range(6)}, hangs_after=1)

    def connect(integration: Integration, *_: object) -> factories.Source:
        return source if integration.kind == IntegrationKind.UPLOAD else endless

    return dataclasses.replace(tools, connect=connect)


@asynccontextmanager
async def working(stores: Stores, tools: Tools) -> AsyncIterator[None]:
    """A worker, until SIGTERM; what other tests have left in the queue is not for it."""
    async with stores.engine.begin() as connection:
        await connection.execute(sa.text("update procrastinate_jobs set status = 'cancelled' where status = 'todo'"))
    task = asyncio.create_task(Worker(stores.queue, stores.open_vault, tools).run(CONCURRENCY))
    try:
        yield
    finally:
        signal.raise_signal(signal.SIGTERM)
        await task
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().remove_signal_handler(number)


async def requested(stores: Stores, viewer: Viewer, kind: IntegrationKind, name: str) -> Sync:
    async with stores.open_vault(viewer) as vault:
        integration = await vault.integrations.add(kind, name, {}, None)
        return await vault.syncs.request(integration.id, Trigger.PERSON)


async def states(stores: Stores, viewer: Viewer, syncs: list[Sync]) -> list[SyncState]:
    async with stores.open_vault(viewer) as vault:
        return [(await vault.syncs.get(sync.id)).state for sync in syncs]


async def until(stores: Stores, viewer: Viewer, syncs: list[Sync], wanted: list[SyncState], within_s: float) -> None:
    async with asyncio.timeout(within_s):
        while await states(stores, viewer, syncs) != wanted:  # noqa: ASYNC110  # the other side is Postgres
            await asyncio.sleep(0.05)


async def test_a_small_upload_is_not_held_up_by_the_long_syncs_of_another_tenant(
    stores: Stores, tools_of_both: Tools, viewer: Viewer, source: factories.Source
) -> None:
    source.files = {"note.md": "# Note\n\nOne small file."}
    other = await factories.member(stores.engine)
    async with working(stores, tools_of_both):
        long = [await requested(stores, viewer, IntegrationKind.FOLDER, f"Folder {number}") for number in range(3)]
        running = [SyncState.RUNNING, SyncState.RUNNING, SyncState.QUEUED]
        await until(stores, viewer, long, running, within_s=30)
        began = time.monotonic()
        upload = await requested(stores, other, IntegrationKind.UPLOAD, "Uploads")
        await until(stores, other, [upload], [SyncState.SUCCEEDED], within_s=30)
        waited_s = time.monotonic() - began
        assert await states(stores, viewer, long) == running
    async with stores.open_vault(other) as vault:
        assert await vault.documents.count() == 1
    assert waited_s < SECONDS


async def test_a_tenant_runs_so_many_syncs_at_once_and_the_others_are_next(stores: Stores, viewer: Viewer) -> None:
    """Four syncs share the two lanes of their tenant, evenly; another tenant's is in none of them."""
    other = await factories.member(stores.engine)
    mine = [await requested(stores, viewer, IntegrationKind.FOLDER, f"Folder {number}") for number in range(4)]
    theirs = await requested(stores, other, IntegrationKind.FOLDER, "Folder")
    async with stores.engine.connect() as connection:
        rows = await connection.execute(
            sa.text(
                "select lock from procrastinate_jobs where cast(args->>'sync_id' as bigint) = any(:ids) order by id"
            ),
            {"ids": [sync.id for sync in (*mine, theirs)]},
        )
        lanes = list(rows.scalars())
    first, second = f"tenant:{viewer.tenant_id}:1", f"tenant:{viewer.tenant_id}:2"
    assert lanes == [first, second, first, second, f"tenant:{other.tenant_id}:1"]


async def test_when_many_wait_another_sync_is_put_off_and_an_upload_is_not(
    stores: Stores, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syncs, "MAX_WAITING", 2)
    for number in range(2):
        await requested(stores, viewer, IntegrationKind.FOLDER, f"Folder {number}")
    with pytest.raises(Throttled, match="Ask again"):
        await requested(stores, viewer, IntegrationKind.FOLDER, "One more")
    async with stores.open_vault(viewer) as vault:
        uploads = await vault.integrations.add(IntegrationKind.UPLOAD, "Uploads", {}, None)
        assert (await vault.syncs.request(uploads.id, Trigger.UPLOAD)).state is SyncState.QUEUED


async def test_a_sync_that_waits_tells_how_many_are_ahead_of_it(stores: Stores, viewer: Viewer) -> None:
    first, second = [await requested(stores, viewer, IntegrationKind.FOLDER, name) for name in ("One", "Two")]
    upload = await requested(stores, viewer, IntegrationKind.UPLOAD, "Uploads")
    async with stores.open_vault(viewer) as vault:
        ahead = await vault.syncs.ahead([first.id, second.id, upload.id])
    assert ahead[second.id] == ahead[first.id] + 1
    assert ahead[upload.id] < ahead[first.id]
