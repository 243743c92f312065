"""The worker: takes sync jobs from the queue and carries each to its end, once, whatever happens to its process."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field

import msgspec
import structlog
from procrastinate import App, JobContext, RetryStrategy
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import DeleteJobCondition, Status
from psycopg import OperationalError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from domain.deletions import TooManyDeletions
from domain.errors import Conflict, Forbidden, NotFound, VaultError
from domain.people import Viewer, system_viewer
from domain.progress import Progress, Stage
from domain.schedules import Wakes
from domain.sync_parts import PartLost
from domain.syncing import sync_integration
from domain.syncs import Sync, SyncState
from domain.vault import OpenVault, Tools
from infra.golden_jobs import after_sync, register_golden_runs
from infra.help_jobs import register_help
from infra.model_jobs import register_fillings, request_filling
from infra.note_jobs import register_notes
from infra.queue import ALL_QUEUES, CHORE_PRIORITY, CHORES, PURGE_TASK, SHORT_QUEUES, SYNC_TASK
from infra.study_jobs import register_studies

SAVE_EVERY_S = 0.25
"""Progress is written at most this often: people see it move, Postgres does not feel it."""
HEARTBEAT_S = 5.0
STALLED_AFTER_S = 20.0
"""A worker silent for this long has died; its jobs are given to others. Well under a minute, above any GC pause."""
DRAIN_S = 5.0
"""What a running job gets to end by itself after SIGTERM; then it goes back to the queue, to be gone on with."""
END_S = 20.0
"""After SIGTERM the process is gone by then, whatever hangs in it: a job survives the death of its worker."""
MAX_ATTEMPTS = 50
PURGE_BATCH = 200
TENANTS_A_ROUND = 1_000
"""Those that are left wait for the next minute."""
RETRY_WAIT_S = 3
POLL_S = 1.0
RETURN_S = 1.0
"""Pause before work is taken up again after Postgres was lost."""
MISUNDERSTOOD = (
    "The source gave an answer that we do not understand. Sync again later; if it stays so, report sync number {id}."
)
INTERNAL = "Something went wrong on our side. Start it again; if it fails once more, report it as sync number {id}."

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Worker:
    """What jobs need; made in the composition root."""

    queue: App
    open_vault: OpenVault
    tools: Tools
    note_end: Callable[[Sync], None] | None = None
    """Counts syncs that have ended."""
    wakes: Wakes | None = None
    """Knows whose integrations are due; without it nothing begins by itself."""
    tidy: Callable[[], Awaitable[object]] | None = None
    """Removes what nobody refers to any more from the object store."""
    write_notes: Callable[[], Awaitable[object]] | None = None
    """Chooses and mails the weekly notes."""
    busy: set[int] = field(default_factory=set)
    """The syncs this process works on now."""

    async def run(self, concurrency: int) -> None:
        """Work until SIGTERM or SIGINT, then let running jobs reach a stop within DRAIN_S.

        A worker that loses Postgres takes up work again when it is back: the queue library stops in such a moment.
        """
        self._register()
        with _told_to_stop() as stop:
            while not stop.is_set():
                await self._work_until(stop, concurrency)

    async def _work_until(self, stop: asyncio.Event, concurrency: int) -> None:
        """Work until the event is set, or Postgres is lost."""
        working, told = asyncio.create_task(self._work(concurrency)), asyncio.create_task(stop.wait())
        await asyncio.wait((working, told), return_when=asyncio.FIRST_COMPLETED)
        working.cancel()
        told.cancel()
        try:
            await working
        except asyncio.CancelledError:
            stop.set()
            return
        except (ConnectorException, OperationalError, OSError) as error:
            log.warning("worker_interrupted", reason=str(error.__cause__ or error), next="taking up work again")
        await asyncio.sleep(RETURN_S)

    async def _work(self, concurrency: int) -> None:
        async with self.queue.open_async():
            await self._revive_stalled()
            loops = [
                asyncio.create_task(self._take(concurrency, ALL_QUEUES)),
                asyncio.create_task(self._take(1, SHORT_QUEUES)),
            ]
            try:
                await asyncio.wait(loops, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for loop in loops:
                    loop.cancel()
                ended = await asyncio.gather(*loops, return_exceptions=True)
            for error in ended:
                if isinstance(error, Exception):
                    raise error

    async def _take(self, concurrency: int, queues: Sequence[str]) -> None:
        """Take jobs; looking every second, rather than listening, saves a connection to Postgres for each worker."""
        await self.queue.run_worker_async(
            concurrency=concurrency,
            queues=list(queues),
            delete_jobs=DeleteJobCondition.SUCCESSFUL,
            update_heartbeat_interval=HEARTBEAT_S,
            stalled_worker_timeout=STALLED_AFTER_S,
            shutdown_graceful_timeout=DRAIN_S,
            fetch_job_polling_interval=POLL_S,
            listen_notify=False,
            install_signal_handlers=False,
        )

    def _register(self) -> None:
        @self.queue.task(
            name=SYNC_TASK, pass_context=True, retry=RetryStrategy(max_attempts=MAX_ATTEMPTS, wait=RETRY_WAIT_S)
        )
        async def sync(context: JobContext, tenant_id: int, sync_id: int) -> None:
            with structlog.contextvars.bound_contextvars(job=context.job.id, tenant=tenant_id, sync=sync_id):
                self.busy.add(sync_id)
                try:
                    ended = await run_sync(self.open_vault, self.tools, system_viewer(tenant_id), sync_id)
                finally:
                    self.busy.discard(sync_id)
                if ended and self.note_end:
                    self.note_end(ended)
                if ended:
                    await after_sync(self.open_vault, self.tools, system_viewer(tenant_id), ended)
                    await request_filling(self.open_vault, system_viewer(tenant_id))

        register_help(self.queue, self.open_vault, self.tools, self.busy)
        register_golden_runs(self.queue, self.open_vault, self.tools)
        register_fillings(self.queue, self.open_vault, self.tools)
        register_studies(self.queue, self.open_vault, self.tools)

        @self.queue.periodic(cron="* * * * * */5")
        @self.queue.task(name="revive_stalled", queue=CHORES, priority=CHORE_PRIORITY, queueing_lock="revive_stalled")
        async def revive_stalled(timestamp: int) -> None:  # noqa: ARG001  # the queue passes the time it was due
            await self._revive_stalled()

        self._register_purging()
        if self.write_notes:
            register_notes(self.queue, self.write_notes)
        if self.tidy:
            self._register_tidying(self.tidy)

    def _register_tidying(self, tidy: Callable[[], Awaitable[object]]) -> None:
        @self.queue.periodic(cron="17 * * * *")
        @self.queue.task(name="tidy_objects", queue=CHORES, priority=CHORE_PRIORITY, queueing_lock="tidy_objects")
        async def tidy_objects(timestamp: int) -> None:  # noqa: ARG001  # the queue passes the time it was due
            await tidy()

    def _register_purging(self) -> None:
        @self.queue.task(name=PURGE_TASK, retry=RetryStrategy(max_attempts=MAX_ATTEMPTS, wait=RETRY_WAIT_S))
        async def purge(tenant_id: int, integration_id: int) -> None:
            await run_purge(self.open_vault, system_viewer(tenant_id), integration_id)

        @self.queue.periodic(cron="* * * * *")
        @self.queue.task(name="request_due", queue=CHORES, priority=CHORE_PRIORITY, queueing_lock="request_due")
        async def request_due(timestamp: int) -> None:  # noqa: ARG001  # the queue passes the time it was due
            await self.request_due()

    async def request_due(self) -> None:
        """Request a sync of everything that is due, whichever tenant it belongs to, each tenant by itself."""
        for tenant_id in await self.wakes.due_tenants(TENANTS_A_ROUND) if self.wakes else ():
            try:
                async with self.open_vault(system_viewer(tenant_id)) as vault:
                    await vault.schedules.request_due()
            except (VaultError, DBAPIError):  # the others are not to wait for one that cannot be served
                log.exception("schedule_failed", tenant=tenant_id)

    async def _revive_stalled(self) -> None:
        """Give the jobs of dead workers back to the queue."""
        stalled = await self.queue.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_S)
        for job in stalled:
            log.warning("job_revived", job=job.id, task=job.task_name)
            if job.queueing_lock:  # a chore: it comes again by itself, and may not wait twice
                await self.queue.job_manager.finish_job(job, Status.ABORTED, delete_job=True)
            else:
                await self.queue.job_manager.retry_job(job)


@contextmanager
def _told_to_stop() -> Iterator[asyncio.Event]:
    """Yield what is set by SIGTERM and SIGINT; who does not leave within END_S after that is ended."""
    stop, last = asyncio.Event(), threading.Timer(END_S, _end_at_once)
    last.daemon = True

    def hear() -> None:
        if not stop.is_set():
            last.start()
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, hear)
    try:
        yield stop
    finally:
        last.cancel()


def _end_at_once() -> None:
    log.error("worker_ended_at_once", reason=f"Its jobs had not come to a stop {END_S:.0f} s after it was told to.")
    os._exit(1)


async def run_sync(open_vault: OpenVault, tools: Tools, viewer: Viewer, sync_id: int) -> Sync | None:
    """Carry one sync to its end and return it; None when it had ended already or belongs to another by now.

    When the process is told to stop, or loses Postgres, the sync stays as it is: its job goes back to the queue, and
    the next attempt goes on from the checkpoint.
    Raises: DBAPIError, PoolTimeout or ConnectorException when Postgres is lost on the way.
    """
    try:
        async with open_vault(viewer) as vault:
            sync = await vault.syncs.claim(sync_id)
    except (Conflict, NotFound):
        return None
    log.info("sync_started", attempt=sync.attempt, integration=sync.integration_id)
    state, reason, saver = SyncState.SUCCEEDED, "", Saver(open_vault, viewer, sync)
    problem: str | None = ""
    try:
        async with aclosing(sync_integration(sync, viewer, tools, open_vault)) as run:
            async for progress in run:
                if await saver.offer(progress):
                    state = SyncState.CANCELLED
                    break
    except TooManyDeletions as question:
        state, reason = SyncState.HELD, question.message
    except PartLost:  # the sync may well be ours still: its job finds out
        log.warning("sync_part_lost", attempt=sync.attempt)
        raise
    except Conflict:
        log.warning("sync_taken_over", attempt=sync.attempt)
        return None
    except (DBAPIError, PoolTimeout, ConnectorException):
        log.exception("sync_interrupted")
        raise
    except VaultError as error:
        state, reason = SyncState.FAILED, error.message
        problem = error.message if isinstance(error, Forbidden) else None
    except msgspec.MsgspecError:
        log.exception("sync_misunderstood")
        state, reason, problem = SyncState.FAILED, MISUNDERSTOOD.format(id=sync_id), None
    except Exception:
        log.exception("sync_failed")
        state, reason, problem = SyncState.FAILED, INTERNAL.format(id=sync_id), None
    return await _finish(open_vault, viewer, sync, state, saver.progress, reason, problem)


async def run_purge(open_vault: OpenVault, viewer: Viewer, integration_id: int) -> None:
    """Delete what a removed integration has left, a batch a transaction; killed in between, it goes on where it was."""
    has_more = True
    while has_more:
        async with open_vault(viewer) as vault:
            has_more = await vault.removals.purge(integration_id, PURGE_BATCH)


class Saver:
    """Writes a run's progress to its row: on every change of stage, else every SAVE_EVERY_S."""

    def __init__(self, open_vault: OpenVault, viewer: Viewer, sync: Sync) -> None:
        self._open_vault = open_vault
        self._viewer = viewer
        self._sync = sync
        self._saved_at = 0.0
        self._stage: Stage | None = None
        self.progress = sync.progress

    async def offer(self, progress: Progress) -> bool:
        """Take note of progress, write it when that is due, and return whether somebody asked to cancel.

        Raises: Conflict when another attempt has taken the sync over.
        """
        self.progress = progress
        if progress.stage is self._stage and time.monotonic() - self._saved_at < SAVE_EVERY_S:
            return False
        async with self._open_vault(self._viewer) as vault:
            written = await vault.syncs.save(self._sync.id, self._sync.attempt, progress)
        self._stage, self._saved_at = progress.stage, time.monotonic()
        return written.is_cancel_requested


async def _finish(
    open_vault: OpenVault,
    viewer: Viewer,
    sync: Sync,
    state: SyncState,
    progress: Progress,
    reason: str,
    problem: str | None,
) -> Sync | None:
    """Write the end of a sync, and what it learnt of our access, unless it learnt nothing (None)."""
    try:
        async with open_vault(viewer) as vault:
            finished = await vault.syncs.finish(sync.id, sync.attempt, state, progress, reason)
            if problem is not None:
                await vault.credentials.note_problem(sync.integration_id, problem)
            await vault.surveys.note_pace(sync.id)
    except Conflict:
        return None
    log.info("sync_finished", state=state, indexed=progress.indexed, failed=progress.failed, skipped=progress.skipped)
    return finished
