"""The job queue (procrastinate): jobs are rows, inserted in the same transaction as the change that wants them."""

from datetime import UTC, datetime

import psycopg
import sqlalchemy as sa
from procrastinate import App, PsycopgConnector
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from sqlalchemy.ext.asyncio import AsyncConnection

SYNC_TASK, PURGE_TASK, GOLDEN_TASK, FILL_TASK, STUDY_TASK = "sync", "purge", "golden_run", "fill_vectors", "study"
HELP_TASK = "help_sync"
SYNCS, UPLOADS, CHORES, HELP = "syncs", "uploads", "chores", "help"
STUDIES, SHORT_STUDIES = "studies", "short_studies"
SHORT_QUEUES = (UPLOADS, SHORT_STUDIES, CHORES)
"""Every worker keeps a place free for these, so that they never wait for a long sync to end."""
ALL_QUEUES = (SYNCS, *SHORT_QUEUES, STUDIES, HELP, "default")
"""A release before this one has put its jobs into the last; its workers do not look for studies and help."""
CHORE_PRIORITY, UPLOAD_PRIORITY = 100, 10
STUDY_PRIORITY, PURGE_PRIORITY, GOLDEN_PRIORITY, HELP_PRIORITY, FILL_PRIORITY = -5, -10, -10, -15, -20
"""Whoever has nothing else to do helps."""
SYNCS_PER_TENANT = 2
FREEST_LANE = sa.text(
    "select lane from generate_series(1, :n_lanes) lane left join procrastinate_jobs j"
    " on j.lock = format('tenant:%s:%s', cast(:tenant as bigint), lane) and j.status in ('todo', 'doing')"
    " group by lane order by count(j.id), lane limit 1"
)
WAITING = sa.text("select 1 from procrastinate_jobs where lock = :lock and status = 'todo' limit 1")
FREE_SLOTS = sa.text(
    "select slot from generate_series(1, :n_slots) slot where not exists (select from procrastinate_jobs j"
    " where j.lock = format('help:%s:%s', cast(:sync as bigint), slot) and j.status in ('todo', 'doing')) order by slot"
)
HELD = """
    from (select id from procrastinate_jobs where id = %(job_id)s
    and status = any(%(states)s::procrastinate_job_status[])
    and (worker_id is null or worker_id = %(worker_id)s) for update) held
"""
FINISH = f"select procrastinate_finish_job_v1(held.id, %(status)s::procrastinate_job_status, %(delete_job)s) {HELD}"
RETRY = f"""
    select procrastinate_retry_job_v2(held.id, %(retry_at)s, %(priority)s, %(queue)s, %(lock)s) {HELD}
"""


class OwnedJobs(JobManager):
    """Ends a job, or gives it back, only while it has not been given to another worker.

    A worker that was silent for long loses its jobs; when it wakes up, it must not delete them under their new owners:
    should those die, nobody would know any more that there is something to do.
    """

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        await self.connector.execute_query_all_async(
            FINISH,
            job_id=job.id,
            worker_id=job.worker_id,
            states=["todo", "doing"],
            status=status.value,
            delete_job=delete_job,
        )

    async def retry_job(
        self,
        job: Job,
        retry_at: datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        await self.connector.execute_query_all_async(
            RETRY,
            job_id=job.id,
            worker_id=job.worker_id,
            states=["doing"],
            retry_at=retry_at or datetime.now(UTC),
            priority=priority,
            queue=queue,
            lock=lock,
        )


class JobQueue(App):
    """The queue, which knows how many syncs of one tenant may run at once, uploads apart."""

    syncs_per_tenant = SYNCS_PER_TENANT


def make_queue(database_url: str, pool_size: int = 1, syncs_per_tenant: int = SYNCS_PER_TENANT) -> JobQueue:
    """Return the queue. Its pool opens with `queue.open_async()`, which only workers need: others only defer."""
    queue = JobQueue(connector=PsycopgConnector(conninfo=database_url, min_size=1, max_size=pool_size))
    queue.job_manager = OwnedJobs(queue.connector)
    queue.syncs_per_tenant = syncs_per_tenant
    return queue


async def defer_sync(
    queue: JobQueue, connection: AsyncConnection, tenant_id: int, sync_id: int, is_upload: bool
) -> None:
    """Insert a sync's job on this connection, into one of its tenant's lanes, or into the one for its uploads.

    A lane is a lock: one job runs in it at a time, on whichever worker, and the next lets those of other tenants pass.
    """
    lock = f"uploads:{tenant_id}" if is_upload else await _free_lane(queue, connection, tenant_id)
    raw = await connection.get_raw_connection()
    driver = raw.driver_connection
    assert isinstance(driver, psycopg.AsyncConnection)  # noqa: S101  # for the type checker: the engine is psycopg's
    job = queue.configure_task(
        SYNC_TASK,
        queue=UPLOADS if is_upload else SYNCS,
        priority=UPLOAD_PRIORITY if is_upload else 0,
        lock=lock,
        connection=driver,
    )
    await job.defer_async(tenant_id=tenant_id, sync_id=sync_id)


async def defer_purge(queue: JobQueue, connection: AsyncConnection, tenant_id: int, integration_id: int) -> None:
    """Insert the job that deletes what a removed integration has left, on this connection; syncs go before it."""
    raw = await connection.get_raw_connection()
    driver = raw.driver_connection
    assert isinstance(driver, psycopg.AsyncConnection)  # noqa: S101  # for the type checker: the engine is psycopg's
    job = queue.configure_task(
        PURGE_TASK, queue=SYNCS, priority=PURGE_PRIORITY, lock=f"purge:{tenant_id}", connection=driver
    )
    await job.defer_async(tenant_id=tenant_id, integration_id=integration_id)


async def _free_lane(queue: JobQueue, connection: AsyncConnection, tenant_id: int) -> str:
    rows = await connection.execute(FREEST_LANE, {"n_lanes": queue.syncs_per_tenant, "tenant": tenant_id})
    return f"tenant:{tenant_id}:{rows.scalar_one()}"


async def defer_golden_run(queue: JobQueue, connection: AsyncConnection, tenant_id: int, run_id: int) -> None:
    """Insert the job of a run over golden questions on this connection; one tenant's runs follow each other."""
    raw = await connection.get_raw_connection()
    driver = raw.driver_connection
    assert isinstance(driver, psycopg.AsyncConnection)  # noqa: S101  # for the type checker: the engine is psycopg's
    job = queue.configure_task(
        GOLDEN_TASK, queue=SYNCS, priority=GOLDEN_PRIORITY, lock=f"golden:{tenant_id}", connection=driver
    )
    await job.defer_async(tenant_id=tenant_id, run_id=run_id)


async def defer_filling(queue: JobQueue, connection: AsyncConnection, tenant_id: int) -> None:
    """Insert the job that fills in another model's vectors on this connection, unless one of the tenant waits."""
    await _defer_once(queue, connection, tenant_id, FILL_TASK, SYNCS, FILL_PRIORITY, f"vectors:{tenant_id}")


async def defer_study(queue: JobQueue, connection: AsyncConnection, tenant_id: int, *, is_short: bool = False) -> None:
    """Insert the job that reads new documents for names and gaps, unless one of the tenant waits.

    After an upload it is short, and need not wait for a long sync. Its queues are its own: workers of the release
    before this one, which may still run, do not know it.
    """
    where = SHORT_STUDIES if is_short else STUDIES
    await _defer_once(queue, connection, tenant_id, STUDY_TASK, where, STUDY_PRIORITY, study_lock(tenant_id))


def study_lock(tenant_id: int) -> str:
    """Return the lock under which a tenant's documents are read, one job at a time."""
    return f"study:{tenant_id}"


async def _defer_once(
    queue: JobQueue, connection: AsyncConnection, tenant_id: int, task: str, where: str, priority: int, lock: str
) -> None:
    waiting = await connection.execute(WAITING, {"lock": lock})
    if waiting.one_or_none() is not None:
        return
    raw = await connection.get_raw_connection()
    driver = raw.driver_connection
    assert isinstance(driver, psycopg.AsyncConnection)  # noqa: S101  # for the type checker: the engine is psycopg's
    job = queue.configure_task(task, queue=where, priority=priority, lock=lock, connection=driver)
    await job.defer_async(tenant_id=tenant_id)


async def defer_help(
    queue: JobQueue, connection: AsyncConnection, tenant_id: int, sync_id: int, n_helpers: int
) -> None:
    """Insert jobs that help with a sync on this connection, until so many wait or run."""
    slots = (await connection.execute(FREE_SLOTS, {"n_slots": n_helpers, "sync": sync_id})).scalars().all()
    raw = await connection.get_raw_connection()
    driver = raw.driver_connection
    assert isinstance(driver, psycopg.AsyncConnection)  # noqa: S101  # for the type checker: the engine is psycopg's
    for slot in slots:
        lock = f"help:{sync_id}:{slot}"
        job = queue.configure_task(HELP_TASK, queue=HELP, priority=HELP_PRIORITY, lock=lock, connection=driver)
        await job.defer_async(tenant_id=tenant_id, sync_id=sync_id)
