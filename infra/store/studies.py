"""The readings for names and gaps that wait or run, which are jobs of the queue and nothing else."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.people import Viewer
from infra.queue import JobQueue, defer_study, study_lock

UNDER_WAY = sa.text("select exists (select from procrastinate_jobs where lock = :lock and status in ('todo', 'doing'))")


class StudyStore:
    """The readings of one tenant."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer, queue: JobQueue) -> None:
        self._connection = connection
        self._viewer = viewer
        self._queue = queue

    async def request(self) -> None:
        await defer_study(self._queue, self._connection, self._viewer.tenant_id)

    async def is_under_way(self) -> bool:
        rows = await self._connection.execute(UNDER_WAY, {"lock": study_lock(self._viewer.tenant_id)})
        return bool(rows.scalar_one())
