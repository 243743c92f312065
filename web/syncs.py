"""One sync, watched live: the page, its stream, and its cancellation."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from litestar import Request, get, post
from litestar.params import FromPath

from domain.errors import NotFound
from domain.facts import Fact, SyncChanged
from domain.people import Viewer
from domain.syncs import Failure, Sync, SyncState
from domain.trails import SYNCS_WITH_LINES, ItemStage
from domain.vault import Tools, Vault
from web.doors import Doors
from web.events import CLOSE, Event, EventStream, follow, render_shared, renderings_of
from web.progress import view
from web.rendering import Page, SeeOther, page, see_other

N_FAILURES = 10
N_LINES = 50
ENDS = {
    ItemStage.FILTERED: "left out",
    ItemStage.FAILED: "failed",
    ItemStage.DELETED: "deleted, gone at the source",
}
PATH = (ItemStage.FETCHED, ItemStage.PARSED, ItemStage.EMBEDDED, ItemStage.VISIBLE)
WAYS = {
    **{stage: tuple((each.value, PATH.index(each) <= PATH.index(stage)) for each in PATH) for stage in PATH},
    **{stage: ((words, True),) for stage, words in ENDS.items()},
}
"""What an item has passed, in words, by the stage it has come to."""
PROGRESS = "syncs/_sync.html"
FAILURES = "syncs/_failures.html"


@get("/syncs/{sync_id:int}", include_in_schema=False)
async def show(vault: Vault, tools: Tools, sync_id: FromPath[int]) -> Page:
    """Show a sync; the page follows it by itself."""
    sync = await vault.syncs.get(sync_id)
    failures, n_failures = await read_failures(vault, sync)
    n_ahead = await count_ahead(vault, [sync])
    return page(
        "syncs/show.html",
        seen=view(sync, tools.now(), n_ahead.get(sync_id, 0)),
        failures=failures,
        n_failures=n_failures,
        **await read_lines(vault, sync),
    )


@get("/syncs/{sync_id:int}/lines", include_in_schema=False)
async def show_lines(vault: Vault, sync_id: FromPath[int]) -> Page:
    """Show how far each item has come; the region asks again by itself while the sync runs."""
    sync = await vault.syncs.get(sync_id)
    return page("syncs/lines.html", "syncs/_lines.html", **await read_lines(vault, sync))


@get("/syncs/{sync_id:int}/events", include_in_schema=False)
async def follow_one(
    request: Request[Any, Any, Any], viewer: Viewer, doors: Doors, sync_id: FromPath[int]
) -> EventStream:
    """Stream a sync's regions until it has ended. Raises: NotFound, before anything is sent."""
    async with doors.open_vault(viewer) as vault:
        await vault.syncs.get(sync_id)
    watch = SyncWatch(request, viewer, doors, sync_id)
    return EventStream(follow(doors.watch, request, viewer, watch.snapshot, watch.answer))


@post("/syncs/{sync_id:int}/cancellation", include_in_schema=False)
async def cancel(vault: Vault, sync_id: FromPath[int]) -> SeeOther:
    """Ask a sync to stop, and show how it does. Raises: Conflict when it has ended."""
    sync = await vault.syncs.cancel(sync_id)
    await vault.audit.record("sync.cancelled", sync.integration_name)
    return see_other(f"/syncs/{sync_id}")


async def count_ahead(vault: Vault, syncs: Iterable[Sync]) -> dict[int, int]:
    """Return how many others will be taken before each of those that wait."""
    return await vault.syncs.ahead([sync.id for sync in syncs if sync.state is SyncState.QUEUED])


async def read_lines(vault: Vault, sync: Sync) -> dict[str, Any]:
    """Return what the region of lines shows."""
    lines = await vault.trails.newest(sync.id, N_LINES)
    return {"sync": sync, "lines": lines, "n_lines": N_LINES, "n_syncs": SYNCS_WITH_LINES, "ways": WAYS}


async def read_failures(vault: Vault, sync: Sync) -> tuple[list[Failure], int]:
    """Return the first failures of a sync's integration, and how many there are."""
    n_failures = await vault.syncs.count_failures(sync.integration_id)
    if not n_failures:
        return [], 0
    return await vault.syncs.failures(sync.integration_id, 0, N_FAILURES), n_failures


@dataclass(slots=True)
class SyncWatch:
    """What one stream of a sync's page knows."""

    request: Request[Any, Any, Any]
    viewer: Viewer
    doors: Doors
    sync_id: int
    n_failed: int = -1
    """As the page shows it; failures are read again when it changes."""

    async def snapshot(self) -> Sequence[Event]:
        """Return the regions as they are now, read in a transaction of their own."""
        try:
            async with self.doors.open_vault(self.viewer) as vault:
                sync = await vault.syncs.get(self.sync_id)
                failures, n_failures = await read_failures(vault, sync)
                n_ahead = await count_ahead(vault, [sync])
        except NotFound:
            return [CLOSE]
        self.n_failed = sync.progress.failed
        seen = view(sync, self._now(), n_ahead.get(sync.id, 0))
        events = [
            Event(f"sync-{sync.id}", render_shared(self.request, PROGRESS, seen=seen)),
            Event(
                f"sync-{sync.id}-failures",
                render_shared(self.request, FAILURES, seen=seen, failures=failures, n_failures=n_failures),
            ),
        ]
        return [*events, CLOSE] if sync.is_final else events

    async def answer(self, fact: Fact) -> Sequence[Event]:
        """Return what a fact changes on the page; after the final state nothing more comes."""
        if not isinstance(fact, SyncChanged) or fact.sync.id != self.sync_id:
            return ()
        if fact.sync.is_final or fact.sync.progress.failed != self.n_failed:
            return await self.snapshot()
        return [Event(f"sync-{self.sync_id}", self._shared_markup(fact.sync))]

    def _shared_markup(self, sync: Sync) -> str:
        return renderings_of(self.request).once(
            ("sync", sync), lambda: render_shared(self.request, PROGRESS, seen=view(sync, self._now()))
        )

    def _now(self) -> datetime:
        tools: Tools = self.request.app.state.tools
        return tools.now()


routes = [show, show_lines, follow_one, cancel]
