"""Schedules in Postgres, and the ledger of who is due, which holds ids and times of all tenants."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.errors import Conflict, NotFound
from domain.people import Viewer
from domain.schedules import Schedule
from domain.syncs import Sync, Trigger
from infra.queue import SYNC_TASK
from infra.store.integrations import VISIBLE
from infra.store.syncs import SyncStore

NOT_FOUND = "This integration does not exist, or is not yours to see."
SET_DUE = sa.text(
    "update due_syncs u set due_at = case when i.is_paused or i.sync_every_minutes = 0 or i.removed_at is not null"
    " then 'infinity'::timestamptz else least(u.due_at, now() + make_interval(mins => i.sync_every_minutes)) end"
    " from integrations i where (i.tenant_id, i.id) = (u.tenant_id, u.integration_id) and u.integration_id = :id"
    " and u.tenant_id = :tenant"
)
TAKE_DUE = sa.text(
    "select u.integration_id, i.sync_every_minutes, i.is_paused, exists (select from syncs s"
    " where (s.tenant_id, s.integration_id) = (i.tenant_id, i.id) and s.state in ('queued', 'running')) as is_live"
    " from due_syncs u join integrations i on (i.tenant_id, i.id) = (u.tenant_id, u.integration_id)"
    " where u.tenant_id = :tenant and u.due_at <= now() and i.removed_at is null"
    " order by u.due_at, u.integration_id for update of u skip locked"
)
NEXT_DUE = sa.text(
    "update due_syncs set due_at = case when :minutes = 0 then 'infinity'::timestamptz"
    " else now() + make_interval(mins => :minutes) end where tenant_id = :tenant and integration_id = :id"
)
LOST = "No worker could bring this sync to its end, so it was given up. What was brought in stays; a new one goes on."
GIVE_UP_LOST = sa.text(
    "update syncs s set state = 'failed', reason = :reason, finished_at = now() where s.integration_id = :id"
    " and s.state in ('queued', 'running') and s.trigger <> 'import' and s.created_at < now() - interval '10 minutes'"
    " and not exists (select from procrastinate_jobs j where j.task_name = :task and j.status in ('todo', 'doing')"
    " and cast(j.args->>'sync_id' as bigint) = s.id)"
)
"""A sync without a job would look as if it were under way for ever, and keep every other from beginning."""
LIVE = sa.text("select id from syncs where integration_id = :id and state in ('queued', 'running')")


class ScheduleStore:
    """The schedules of one tenant's integrations."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer, syncs: SyncStore) -> None:
        self._connection = connection
        self._viewer = viewer
        self._syncs = syncs

    async def get(self, integration_id: int) -> Schedule:
        rows = await self._connection.execute(
            sa.text(f"select i.sync_every_minutes, i.is_paused from integrations i where i.id = :id and {VISIBLE}"),
            {"id": integration_id, "viewer": self._viewer.user_id, "is_system": self._viewer.is_system},
        )
        row = rows.one_or_none()
        if row is None:
            raise NotFound(NOT_FOUND)
        return Schedule(row.sync_every_minutes, row.is_paused)

    async def set(self, integration_id: int, every_minutes: int) -> None:
        schedule = await self.get(integration_id)
        await self._write(integration_id, Schedule(every_minutes, schedule.is_paused))

    async def pause(self, integration_id: int) -> None:
        schedule = await self.get(integration_id)
        await self._write(integration_id, Schedule(schedule.every_minutes, is_paused=True))
        for sync_id in (await self._connection.execute(LIVE, {"id": integration_id})).scalars():
            try:
                await self._syncs.cancel(sync_id)
            except Conflict:  # it has ended in this very moment
                continue

    async def resume(self, integration_id: int) -> None:
        schedule = await self.get(integration_id)
        await self._write(integration_id, Schedule(schedule.every_minutes, is_paused=False))

    async def _write(self, integration_id: int, schedule: Schedule) -> None:
        binds = {"id": integration_id, "tenant": self._viewer.tenant_id}
        await self._connection.execute(
            sa.text("update integrations set sync_every_minutes = :minutes, is_paused = :is_paused where id = :id"),
            {"id": integration_id, "minutes": schedule.every_minutes, "is_paused": schedule.is_paused},
        )
        await self._connection.execute(SET_DUE, binds)

    async def request_due(self) -> list[Sync]:
        rows = await self._connection.execute(TAKE_DUE, {"tenant": self._viewer.tenant_id})
        requested = []
        for row in rows.all():
            is_live = row.is_live and not await self._give_up_lost(row.integration_id)
            if not is_live and not row.is_paused:
                requested.append(await self._syncs.request(row.integration_id, Trigger.SCHEDULE))
            minutes = 0 if row.is_paused else row.sync_every_minutes
            await self._connection.execute(
                NEXT_DUE, {"tenant": self._viewer.tenant_id, "id": row.integration_id, "minutes": minutes}
            )
        return requested

    async def _give_up_lost(self, integration_id: int) -> bool:
        """End a sync that no worker has or will have any more; return whether there was one."""
        binds = {"id": integration_id, "task": SYNC_TASK, "reason": LOST}
        rows = await self._connection.execute(GIVE_UP_LOST, binds)
        return rows.rowcount > 0

    async def ring(self, integration_id: int) -> Sync | None:
        if (await self.get(integration_id)).is_paused:
            return None
        return await self._syncs.request(integration_id, Trigger.WEBHOOK)


class WakeStore:
    """The ledger across tenants; each call is a transaction of its own."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def due_tenants(self, limit: int) -> Sequence[int]:
        """Return tenants that have something due, those that wait longest first."""
        async with self._engine.begin() as connection:
            rows = await connection.execute(
                sa.text(
                    "select tenant_id from due_syncs where due_at <= now()"
                    " group by tenant_id order by min(due_at), tenant_id limit :limit"
                ),
                {"limit": limit},
            )
            return list(rows.scalars())

    async def is_first(self, provider: str, delivery: str) -> bool:
        """Remember a delivery, and return whether it is seen for the first time within a day."""
        async with self._engine.begin() as connection:
            await connection.execute(
                sa.text("delete from webhook_deliveries where received_at < now() - interval '1 day'")
            )
            rows = await connection.execute(
                sa.text(
                    "insert into webhook_deliveries (provider, delivery) values (:provider, :delivery)"
                    " on conflict do nothing returning 1"
                ),
                {"provider": provider, "delivery": delivery},
            )
            return rows.one_or_none() is not None

    async def readers_of(self, kind: str, account: str) -> Sequence[tuple[int, int]]:
        """Accounts in a workspace are written `WORKSPACE/PERSON`."""
        async with self._engine.begin() as connection:
            rows = await connection.execute(
                sa.text(
                    "select tenant_id, integration_id from due_syncs where kind = :kind"
                    " and split_part(account, '/', 1) = :account and account <> '' order by tenant_id, integration_id"
                ),
                {"kind": kind, "account": account},
            )
            return [(row.tenant_id, row.integration_id) for row in rows]
