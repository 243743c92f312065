"""Parts of syncs in Postgres: claimed by one worker at a time, and fenced by the row itself.

Whoever writes for a part holds its row until the commit, and whoever ends a sync or takes it over removes the rows: the
one waits for the other, so nothing is written for a part that is gone.
"""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import Conflict
from domain.integrations import Item
from domain.people import Viewer
from domain.progress import Progress
from domain.sync_parts import Part, PartLost, PartState
from infra.queue import CHORES, HELP_PRIORITY, JobQueue, defer_help

LEASE_S = 20
"""A worker silent for this long has lost its parts; the same as for jobs."""
LOOPS_A_WORKER = 2
"""A worker process stands so many times in the queue's list of workers."""
LOST = "Another worker has taken this part over, or its sync has ended."
ENDED = "This sync has ended, or another worker has taken it over."
CURRENT = "(s.tenant_id, s.id) = (p.tenant_id, p.sync_id) and s.attempt = p.attempt and s.state = 'running'"
"""Joins `sync_parts p` with its sync, while that is the attempt the part was made for."""

ADD = sa.text("""
insert into sync_parts (tenant_id, sync_id, attempt, ordinal, items)
select s.tenant_id, s.id, :attempt, :first + place - 1, cast(items as json)
from syncs s, unnest(cast(:parts as text[])) with ordinality each (items, place) where s.id = :sync
""")
TAKE = sa.text(f"""
update sync_parts set state = 'taken', claim = claim + 1, counts = '{{}}', seen_at = now() where id = (
    select p.id from sync_parts p join syncs s on {CURRENT} and not s.is_cancel_requested
    where p.sync_id = :sync and p.attempt = :attempt and (
        (p.state = 'waiting' and (:is_leader or not p.is_given_back))
        or (p.state = 'taken' and p.seen_at < now() - make_interval(secs => :lease_s))
    ) order by p.ordinal limit 1 for update of p skip locked
) returning id, ordinal, claim, items
""")
IS_CURRENT = sa.text("select from syncs where id = :sync and attempt = :attempt and state = 'running'")
HOLD = sa.text(f"""
select from sync_parts p join syncs s on {CURRENT}
where p.id = :id and p.claim = :claim and p.state = 'taken' for share of p
""")
BEAT = sa.text(f"""
update sync_parts p set seen_at = now(),
    counts = case when p.id = :current then cast(:counts as jsonb) else p.counts end
from syncs s where {CURRENT} and p.state = 'taken' and (p.id, p.claim) in (
    select * from unnest(cast(:ids as bigint[]), cast(:claims as int[]))
)
""")
FINISH = sa.text(f"""
update sync_parts p set state = 'done', counts = cast(:counts as jsonb)
from syncs s where {CURRENT} and p.id = :id and p.claim = :claim and p.state = 'taken'
""")
GIVE_BACK = sa.text("""
update sync_parts p set state = 'waiting', is_given_back = is_given_back or :is_refused
where p.state = 'taken' and (p.id, p.claim) in (
    select * from unnest(cast(:ids as bigint[]), cast(:claims as int[]))
)
""")
STATES = sa.text(
    "select ordinal, state = 'waiting' as is_waiting, state = 'done' as is_done, counts from sync_parts"
    " where sync_id = :sync order by ordinal"
)
REMOVE = sa.text("delete from sync_parts where sync_id = :sync and ordinal <= :last")
WORKERS = sa.text(
    "select count(*) from procrastinate_workers where last_heartbeat > now() - make_interval(secs => :lease_s)"
)
IS_OTHER_WORK_WAITING = sa.text("""
select exists (
    select from procrastinate_jobs j where j.status = 'todo' and j.priority > :priority and j.queue_name <> :chores
    and (j.scheduled_at is null or j.scheduled_at <= now()) and (j.lock is null or not exists (
        select from procrastinate_jobs busy where busy.lock = j.lock and busy.status = 'doing'
    ))
)
""")


class PartStore:
    """The parts of one tenant's syncs."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer, queue: JobQueue) -> None:
        self._connection = connection
        self._viewer = viewer
        self._queue = queue

    async def add(self, sync_id: int, attempt: int, first: int, parts: Sequence[Sequence[Item]]) -> None:
        written = [msgspec.json.encode(list(items)).decode() for items in parts]
        await self._connection.execute(ADD, {"sync": sync_id, "attempt": attempt, "first": first, "parts": written})

    async def call(self, sync_id: int, n_helpers: int) -> None:
        await defer_help(self._queue, self._connection, self._viewer.tenant_id, sync_id, n_helpers)

    async def n_workers(self) -> int:
        rows = await self._connection.execute(WORKERS, {"lease_s": LEASE_S})
        return int(rows.scalar_one()) // LOOPS_A_WORKER

    async def is_other_work_waiting(self) -> bool:
        binds = {"priority": HELP_PRIORITY, "chores": CHORES}
        return bool((await self._connection.execute(IS_OTHER_WORK_WAITING, binds)).scalar_one())

    async def take(self, sync_id: int, attempt: int, *, is_leader: bool = False) -> Part | None:
        binds = {"sync": sync_id, "attempt": attempt}
        rows = await self._connection.execute(TAKE, binds | {"is_leader": is_leader, "lease_s": LEASE_S})
        if row := rows.one_or_none():
            return msgspec.convert(dict(row._mapping), Part)
        if (await self._connection.execute(IS_CURRENT, binds)).one_or_none() is None:
            raise Conflict(ENDED)
        return None

    async def hold(self, part: Part) -> None:
        rows = await self._connection.execute(HOLD, {"id": part.id, "claim": part.claim})
        if rows.one_or_none() is None:
            raise PartLost(LOST)

    async def beat(self, parts: Sequence[Part], current: Part | None, counts: Progress) -> None:
        binds = {"current": current.id if current else 0, "counts": _encoded(counts)}
        rows = await self._connection.execute(BEAT, _claims(parts) | binds)
        if rows.rowcount < len(parts):
            raise PartLost(LOST)

    async def finish(self, part: Part, counts: Progress) -> None:
        binds = {"id": part.id, "claim": part.claim, "counts": _encoded(counts)}
        if not (await self._connection.execute(FINISH, binds)).rowcount:
            raise PartLost(LOST)

    async def give_back(self, parts: Sequence[Part], *, is_refused: bool) -> None:
        await self._connection.execute(GIVE_BACK, _claims(parts) | {"is_refused": is_refused})

    async def states(self, sync_id: int) -> list[PartState]:
        rows = await self._connection.execute(STATES, {"sync": sync_id})
        return [msgspec.convert(dict(row._mapping), PartState) for row in rows]

    async def remove(self, sync_id: int, last: int) -> None:
        await self._connection.execute(REMOVE, {"sync": sync_id, "last": last})


async def remove_parts(connection: AsyncConnection, sync_id: int) -> None:
    """Remove all parts of a sync that has ended, or has been taken over; whoever works on them writes no more."""
    await connection.execute(sa.text("delete from sync_parts where sync_id = :sync"), {"sync": sync_id})


def _claims(parts: Sequence[Part]) -> dict[str, object]:
    return {"ids": [part.id for part in parts], "claims": [part.claim for part in parts]}


def _encoded(counts: Progress) -> str:
    return msgspec.json.encode(counts).decode()
