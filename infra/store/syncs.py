"""Syncs in Postgres: their rows are the truth, and each write checks that it still owns its sync."""

from collections.abc import Callable, Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import Conflict, NotFound, Throttled
from domain.facts import Fact, SyncChanged
from domain.people import Viewer
from domain.progress import Progress
from domain.syncs import Failure, Sync, SyncState, Trigger
from infra.queue import JobQueue, defer_study, defer_sync
from infra.store.integrations import VISIBLE
from infra.store.operations import count_ahead
from infra.store.sync_parts import remove_parts

COLUMNS = """
    s.id, s.integration_id, i.name as integration_name, s.state, s.trigger, s.progress, s.checkpoint, s.attempt,
    s.is_cancel_requested, s.reason, s.requested_by, s.created_at, s.started_at, s.finished_at
"""
FROM = "from syncs s join integrations i on (i.tenant_id, i.id) = (s.tenant_id, s.integration_id)"
MAX_WAITING = 200
"""Syncs of one tenant that may wait at once; whoever asks for more is told to come back, which is kinder than a queue
nobody sees the end of. Uploads are never refused."""
WAIT_S = 300.0
MANY_WAIT = "So many syncs are waiting already that another would not begin soon. Ask again when some are done."
TAKEN_OVER = "Another worker has taken this sync over."
NOT_FOUND = "This sync does not exist, or is not yours to see."


class SyncStore:
    """The syncs of one tenant."""

    def __init__(
        self, connection: AsyncConnection, viewer: Viewer, announce: Callable[[int, Fact], None], queue: JobQueue
    ) -> None:
        self._connection = connection
        self._viewer = viewer
        self._announce = announce
        self._queue = queue

    @property
    def _binds(self) -> dict[str, object]:
        return {"viewer": self._viewer.user_id, "is_system": self._viewer.is_system}

    async def request(self, integration_id: int, trigger: Trigger) -> Sync:
        inserted = await self._connection.execute(
            sa.text(
                "insert into syncs (tenant_id, integration_id, trigger, progress, requested_by)"
                " select i.tenant_id, i.id, :trigger, cast(:progress as jsonb), :by from integrations i"
                f" where i.id = :integration and {VISIBLE}"
                " on conflict (tenant_id, integration_id) where state in ('queued', 'running') do update set"
                " is_wanted_again = syncs.state = 'running' returning id, trigger, (xmax = 0) as is_new,"
                " (select kind from integrations i where (i.tenant_id, i.id) = (syncs.tenant_id, syncs.integration_id))"
            ),
            {
                **self._binds,
                "integration": integration_id,
                "trigger": trigger,
                "progress": _encoded(Progress()),
                "by": self._viewer.name,
            },
        )
        row = inserted.one_or_none()
        if row is None:
            raise NotFound("This integration does not exist, or is not yours to see.")
        if row.is_new and trigger is Trigger.PERSON:
            await self._refuse_when_many_wait()
        if trigger is not Trigger.IMPORT and (row.is_new or row.trigger == Trigger.IMPORT):
            await defer_sync(self._queue, self._connection, self._viewer.tenant_id, row.id, row.kind == "upload")
        return self._announced(await self.get(row.id))

    async def _refuse_when_many_wait(self) -> None:
        rows = await self._connection.execute(sa.text("select count(*) from syncs where state = 'queued'"))
        if rows.scalar_one() > MAX_WAITING:
            raise Throttled(MANY_WAIT, WAIT_S)

    async def get(self, sync_id: int) -> Sync:
        rows = await self._connection.execute(
            sa.text(f"select {COLUMNS} {FROM} where s.id = :id and {VISIBLE}"), {**self._binds, "id": sync_id}
        )
        if row := rows.one_or_none():
            return _sync(row)
        raise NotFound(NOT_FOUND)

    async def latest(self) -> dict[int, Sync]:
        rows = await self._connection.execute(
            sa.text(
                f"select {COLUMNS} from integrations i cross join lateral (select * from syncs"
                " where (tenant_id, integration_id) = (i.tenant_id, i.id) order by id desc limit 1) s"
                f" where {VISIBLE}"
            ),
            self._binds,
        )
        return {row.integration_id: _sync(row) for row in rows}

    async def page(self, integration_id: int, before_id: int | None, size: int) -> list[Sync]:
        rows = await self._connection.execute(
            sa.text(
                f"select {COLUMNS} {FROM} where s.integration_id = :integration and {VISIBLE}"
                " and (cast(:before as bigint) is null or s.id < :before) order by s.id desc limit :size"
            ),
            {**self._binds, "integration": integration_id, "before": before_id, "size": size},
        )
        return [_sync(row) for row in rows]

    async def ahead(self, sync_ids: Sequence[int]) -> dict[int, int]:
        return await count_ahead(self._connection, sync_ids) if sync_ids else {}

    async def claim(self, sync_id: int) -> Sync:
        rows = await self._connection.execute(
            sa.text(
                "update syncs set state = 'running', attempt = attempt + 1, started_at = coalesce(started_at, now()),"
                " is_wanted_again = false where id = :id and state in ('queued', 'running') returning id"
            ),
            {"id": sync_id},
        )
        if rows.one_or_none() is None:
            await self.get(sync_id)
            raise Conflict("This sync has ended already.")
        await remove_parts(self._connection, sync_id)
        return self._announced(await self.get(sync_id))

    async def hold(self, sync_id: int, attempt: int) -> bool:
        rows = await self._connection.execute(
            sa.text(
                "select is_cancel_requested from syncs"
                " where id = :id and attempt = :attempt and state = 'running' for share"
            ),
            {"id": sync_id, "attempt": attempt},
        )
        is_cancel_requested = rows.scalar_one_or_none()
        if is_cancel_requested is None:
            raise Conflict(TAKEN_OVER)
        return bool(is_cancel_requested)

    async def save(self, sync_id: int, attempt: int, progress: Progress) -> Sync:
        rows = await self._connection.execute(
            sa.text(
                "update syncs set progress = cast(:progress as jsonb)"
                " where id = :id and attempt = :attempt and state = 'running' returning id"
            ),
            {"id": sync_id, "attempt": attempt, "progress": _encoded(progress)},
        )
        if rows.one_or_none() is None:
            raise Conflict(TAKEN_OVER)
        return self._announced(await self.get(sync_id))

    async def check_point(self, sync_id: int, attempt: int, progress: Progress) -> None:
        rows = await self._connection.execute(
            sa.text(
                "update syncs set checkpoint = cast(:progress as jsonb)"
                " where id = :id and attempt = :attempt and state = 'running' returning id"
            ),
            {"id": sync_id, "attempt": attempt, "progress": _encoded(progress)},
        )
        if rows.one_or_none() is None:
            raise Conflict(TAKEN_OVER)

    async def finish(self, sync_id: int, attempt: int, state: SyncState, progress: Progress, reason: str = "") -> Sync:
        rows = await self._connection.execute(
            sa.text(
                "update syncs set state = :state, reason = :reason, progress = cast(:progress as jsonb),"
                " finished_at = now() where id = :id and attempt = :attempt and state = 'running'"
                " returning integration_id, trigger, is_wanted_again"
            ),
            {
                "id": sync_id,
                "attempt": attempt,
                "state": state,
                "reason": reason.replace("\0", "")[:2000],
                "progress": _encoded(progress),
            },
        )
        row = rows.one_or_none()
        if row is None:
            raise Conflict(TAKEN_OVER)
        await remove_parts(self._connection, sync_id)
        if state is SyncState.SUCCEEDED:
            await self._connection.execute(
                sa.text("update integrations set last_synced_at = now() where id = :id"), {"id": row.integration_id}
            )
        await defer_study(self._queue, self._connection, self._viewer.tenant_id, is_short=row.trigger == Trigger.UPLOAD)
        if row.is_wanted_again and state is not SyncState.CANCELLED:
            await self.request(row.integration_id, Trigger.UPLOAD)
        return self._announced(await self.get(sync_id))

    async def cancel(self, sync_id: int) -> Sync:
        sync = await self.get(sync_id)
        if sync.is_final:
            raise Conflict("This sync has ended already, so there is nothing to cancel.")
        await self._connection.execute(
            sa.text(
                "update syncs set is_cancel_requested = true, is_wanted_again = false,"
                " finished_at = case when state = 'queued' then now() end,"
                " state = case when state = 'queued' then 'cancelled' else state end"
                " where id = :id and state in ('queued', 'running')"
            ),
            {"id": sync_id},
        )
        return self._announced(await self.get(sync_id))

    async def add_failure(self, sync_id: int, external_id: str, name: str, reason: str) -> None:
        await self._connection.execute(
            sa.text(
                "insert into sync_failures (tenant_id, integration_id, sync_id, external_id, name, reason)"
                " select tenant_id, integration_id, id, :external_id, :name, :reason from syncs where id = :sync"
                " on conflict (tenant_id, integration_id, external_id) do update set sync_id = excluded.sync_id,"
                " reason = excluded.reason, name = excluded.name, n_tries = sync_failures.n_tries + 1,"
                " is_retry_wanted = false, created_at = now()"
            ),
            {
                "sync": sync_id,
                "external_id": external_id,
                "name": name.replace("\0", "")[:1000],
                "reason": reason.replace("\0", "")[:2000],
            },
        )

    async def clear_failures(self, integration_id: int, external_ids: Sequence[str]) -> None:
        await self._connection.execute(
            sa.text(
                "delete from sync_failures where integration_id = :integration and external_id = any(:external_ids)"
            ),
            {"integration": integration_id, "external_ids": list(external_ids)},
        )

    async def failures(self, integration_id: int, after_id: int, size: int) -> list[Failure]:
        rows = await self._connection.execute(
            sa.text(
                "select f.id, f.sync_id, f.integration_id, f.external_id, f.name, f.reason, f.n_tries, f.created_at"
                " from sync_failures f join integrations i on (i.tenant_id, i.id) = (f.tenant_id, f.integration_id)"
                f" where f.integration_id = :integration and f.id > :after and {VISIBLE} order by f.id limit :size"
            ),
            {**self._binds, "integration": integration_id, "after": after_id, "size": size},
        )
        return [msgspec.convert(dict(row._mapping), Failure) for row in rows]

    async def count_failures(self, integration_id: int) -> int:
        rows = await self._connection.execute(
            sa.text("select count(*) from sync_failures where integration_id = :integration"),
            {"integration": integration_id},
        )
        return int(rows.scalar_one())

    async def failure_counts(self) -> dict[int, int]:
        rows = await self._connection.execute(
            sa.text(
                "select f.integration_id, count(*) as n from sync_failures f"
                " join integrations i on (i.tenant_id, i.id) = (f.tenant_id, f.integration_id)"
                f" where {VISIBLE} group by f.integration_id order by f.integration_id"
            ),
            self._binds,
        )
        return {row.integration_id: row.n for row in rows}

    async def retry(self, integration_id: int, failure_ids: Sequence[int]) -> int:
        rows = await self._connection.execute(
            sa.text(
                "update sync_failures set is_retry_wanted = true where integration_id = :integration"
                " and (id = any(cast(:ids as bigint[])) or cardinality(cast(:ids as bigint[])) = 0)"
            ),
            {"integration": integration_id, "ids": list(failure_ids)},
        )
        return rows.rowcount

    async def retries(self, integration_id: int) -> list[str]:
        rows = await self._connection.execute(
            sa.text(
                "select external_id from sync_failures where integration_id = :integration and is_retry_wanted"
                " order by id"
            ),
            {"integration": integration_id},
        )
        return list(rows.scalars())

    def _announced(self, sync: Sync) -> Sync:
        self._announce(self._viewer.tenant_id, SyncChanged(sync))
        return sync


def _encoded(progress: Progress) -> str:
    safe = msgspec.structs.replace(progress, current=progress.current.replace("\0", "")[:500])
    return msgspec.json.encode(safe).decode()


def _sync(row: sa.Row[tuple[object, ...]]) -> Sync:
    return msgspec.convert(dict(row._mapping), Sync)
