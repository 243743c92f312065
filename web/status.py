"""How the deployment and this vault stand, for admins: parts, workers, queue, what has failed lately; it moves live."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, get

from domain.facts import Fact
from domain.integrations import Integration
from domain.operations import Operations, WorkerProcess
from domain.people import Viewer
from domain.syncs import SyncState
from domain.vault import Tools
from web.doors import Doors, WebSettings
from web.events import CLOSE, Event, EventStream, follow, render_shared
from web.filters import plural
from web.health import NEEDED, UP
from web.progress import SyncView, duration_in_words, view
from web.rendering import Page, page
from web.sessions import find_visit, require_admin

RENEW_S = 3.0
STATE = "status/_state.html"
PARTS = {"postgres": "Postgres", "redis": "Redis"}
LONG_WAIT_S = 60.0
"""Syncs that wait for longer are a reason to add workers."""


class Part(msgspec.Struct, frozen=True):
    """One part of the deployment; `problem` is empty while it works."""

    name: str
    problem: str


class Failing(msgspec.Struct, frozen=True):
    """An integration of this vault that wants looking at."""

    integration: Integration
    seen: SyncView | None
    """Its newest sync, when that has failed."""
    n_failures: int


class Status(msgspec.Struct, frozen=True):
    """Everything the page shows."""

    verdict: str
    tone: str
    parts: tuple[Part, ...]
    workers: tuple[WorkerProcess, ...]
    """Those that are alive."""
    n_silent: int
    operations: Operations
    oldest: str
    """How long the oldest sync has waited, in words; "" when none waits."""
    advice: str
    failing: tuple[Failing, ...]
    version: str
    seen_at: datetime


@get("/status", include_in_schema=False, guards=[require_admin])
async def show(viewer: Viewer, doors: Doors, tools: Tools, settings: WebSettings) -> Page:
    """Show how everything stands. Raises: Unavailable."""
    return page("status/show.html", state=await read_status(viewer, doors, tools, settings))


@get("/status/events", include_in_schema=False, guards=[require_admin])
async def follow_status(request: Request[Any, Any, Any], viewer: Viewer, doors: Doors) -> EventStream:
    """Stream the page's region every few seconds."""
    watch = StatusWatch(request, viewer, doors)
    return EventStream(
        follow(
            doors.watch,
            request,
            viewer,
            watch.snapshot,
            watch.answer,
            ping_s=RENEW_S,
            on_silence=watch.snapshot,
        )
    )


async def read_status(viewer: Viewer, doors: Doors, tools: Tools, settings: WebSettings) -> Status:
    """Return how everything stands now. Raises: Unavailable."""
    now = tools.now()
    health = await doors.check_health()
    operations = await doors.read_operations()
    alive = tuple(worker for worker in operations.workers if worker.is_alive(now))
    verdict, tone = judge(health, n_workers=len(alive))
    age_s = operations.queue.age_s(now)
    return Status(
        verdict=verdict,
        tone=tone,
        parts=tuple(Part(PARTS.get(name, name), "" if state == UP else state) for name, state in health.items()),
        workers=alive,
        n_silent=len(operations.workers) - len(alive),
        operations=operations,
        oldest=duration_in_words(now - operations.queue.oldest_since) if operations.queue.oldest_since else "",
        advice=advise(operations, len(alive), age_s),
        failing=await read_failing(viewer, doors, now),
        version=settings.version,
        seen_at=now,
    )


def judge(health: dict[str, str], n_workers: int) -> tuple[str, str]:
    """Return the verdict over the parts, and its tone."""
    broken = [name for name, state in health.items() if state != UP]
    names = ", ".join(PARTS.get(name, name) for name in broken)
    if NEEDED in broken:
        return f"Down: {names}", "bad"
    if not n_workers:
        return "No worker is running", "bad"
    return (f"Degraded: {names}", "warning") if broken else ("Everything works", "good")


def advise(operations: Operations, n_workers: int, age_s: float) -> str:
    """Return what to do about the queue; "" when nothing is to be done."""
    if not n_workers:
        return "Syncs wait until a worker is started: run the process type “worker” at least once."
    if age_s > LONG_WAIT_S:
        return f"{plural(operations.queue.n_waiting, 'sync')} wait. Start more processes of the type “worker”."
    return ""


async def read_failing(viewer: Viewer, doors: Doors, now: datetime) -> tuple[Failing, ...]:
    """Return the integrations whose newest sync has failed, or some of whose items could not be read."""
    async with doors.open_vault(viewer) as vault:
        latest, counts = await vault.syncs.latest(), await vault.syncs.failure_counts()
        integrations = await vault.integrations.all()
    failed = {
        number: view(sync, now) for number, sync in latest.items() if sync.state in (SyncState.FAILED, SyncState.HELD)
    }
    return tuple(
        Failing(integration, failed.get(integration.id), counts.get(integration.id, 0))
        for integration in integrations
        if integration.id in failed or counts.get(integration.id)
    )


@dataclass(slots=True)
class StatusWatch:
    """What one stream of the page knows."""

    request: Request[Any, Any, Any]
    viewer: Viewer
    doors: Doors
    renewed_at: datetime | None = None

    async def snapshot(self) -> Sequence[Event]:
        """Return the region as it is now; whoever is no admin any more sees no more of it."""
        state = self.request.app.state
        visit = await find_visit(self.request, state)
        if visit.viewer is None or not visit.viewer.is_admin:
            return [CLOSE]
        status = await read_status(self.viewer, self.doors, state.tools, state.settings)
        self.renewed_at = status.seen_at
        return [Event("status", render_shared(self.request, STATE, state=status))]

    async def answer(self, fact: Fact) -> Sequence[Event]:  # noqa: ARG002  # any fact may have changed something
        """Return the region when it is due, however busy the vault is."""
        now = self.request.app.state.tools.now()
        is_due = self.renewed_at is None or (now - self.renewed_at).total_seconds() >= RENEW_S
        return await self.snapshot() if is_due else ()


routes = [show, follow_status]
