"""How workers and queue stand, read from the queue's own tables: they hold ids only, and no tenant's content."""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.errors import Unavailable
from domain.operations import Operations, Queue, WorkerProcess
from infra.queue import SYNC_TASK

WORKERS = sa.text(
    "select w.id, w.last_heartbeat as last_seen_at, count(j.id) as n_jobs from procrastinate_workers w"
    " left join procrastinate_jobs j on j.worker_id = w.id and j.status = 'doing' group by w.id order by w.id"
)
QUEUE = sa.text(
    "with live as (select id, status from procrastinate_jobs where status in ('todo', 'doing') and task_name = :task)"
    " select count(*) filter (where status = 'todo') as n_waiting,"
    " count(*) filter (where status = 'doing') as n_running, (select at from procrastinate_events"
    " where job_id = (select min(id) from live where status = 'todo') and type = 'deferred' order by id limit 1)"
    " as oldest_since from live"
)
AHEAD = sa.text(
    "select cast(mine.args->>'sync_id' as bigint) as sync_id, count(other.id) as n from procrastinate_jobs mine"
    " left join procrastinate_jobs other on other.status = 'todo' and other.task_name = :task"
    " and (other.priority > mine.priority or (other.priority = mine.priority and other.id < mine.id))"
    " where mine.status = 'todo' and mine.task_name = :task"
    " and cast(mine.args->>'sync_id' as bigint) = any(:syncs) group by mine.id order by mine.id"
)


async def read_operations(engine: AsyncEngine) -> Operations:
    """Return how they stand now. Raises: Unavailable."""
    try:
        async with engine.connect() as connection:
            workers = list(await connection.execute(WORKERS))
            [queue] = await connection.execute(QUEUE, {"task": SYNC_TASK})
    except (SQLAlchemyError, OSError) as error:
        raise Unavailable("Postgres does not answer.") from error
    processes = tuple(msgspec.convert(dict(row._mapping), WorkerProcess) for row in workers)
    return Operations(processes, msgspec.convert(dict(queue._mapping), Queue))


async def count_ahead(connection: AsyncConnection, sync_ids: Sequence[int]) -> dict[int, int]:
    """Return how many syncs of all tenants will be taken before each of these that waits."""
    rows = await connection.execute(AHEAD, {"task": SYNC_TASK, "syncs": list(sync_ids)})
    return {row.sync_id: row.n for row in rows}
