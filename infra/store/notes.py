"""Weekly notes in Postgres: the rows are the budget, and the lock by which each note is chosen and mailed once."""

from collections.abc import Sequence
from datetime import date, timedelta

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.gap_ranking import Lesson
from domain.notes import BUDGET, QUIET_WEEKS, Ask, NoteQuestion
from domain.people import EVERYONE, Viewer
from infra.store.access import READABLE, access_binds

WHY = """
    case when r.user_id is not null then r.asked_by || ' says that you know'
        when lower(e.addressee) = lower(u.name) and e.addressee_reason like 'knows %'
            then 'you know' || substr(e.addressee_reason, 6)
        when lower(e.person) in (lower(u.name), lower(split_part(u.name, ' ', 1))) then 'the text names you'
        when lower(e.addressee) = lower(u.name) and e.addressee_reason = 'is named in it' then 'the text names you'
        else 'you wrote the document' end
"""
CLUSTER = "coalesce({0}.twin_of, {0}.id)"
IS_THEIRS = """(lower(e.person) = lower(u.name)
    or lower(d.author) in (lower(u.name), lower(u.email)) or d.author ilike '%<' || u.email || '>%'
    or (lower(e.person) = lower(split_part(u.name, ' ', 1)) and 1 = (select count(*) from memberships m
        join users o on o.id = m.user_id where m.tenant_id = g.tenant_id
        and lower(split_part(o.name, ' ', 1)) = lower(e.person))))"""
"""The text names the member, or they wrote it."""
OTHERS_TURN = """exists (select from users x join memberships m on m.user_id = x.id
    where m.tenant_id = g.tenant_id and x.id <> u.id and lower(x.name) = lower(e.addressee)
    and exists (select from document_access c where (c.tenant_id, c.document_id) = (d.tenant_id, d.id)
        and c.principal in (:everyone, 'user:' || x.id, 'email:' || lower(x.email)))
    and not exists (select from gap_refusals f where (f.tenant_id, f.gap_id, f.user_id) = (g.tenant_id, g.id, x.id))
    and not exists (select from note_questions q
        where (q.tenant_id, q.gap_id, q.user_id) = (g.tenant_id, g.id, x.id)))"""
"""Somebody else knows better, may read it, and has not been asked in a note yet."""
CANDIDATES = f"""
with asked as (
    select distinct on ({CLUSTER.format("g")}) g.id, (r.user_id is not null) as is_requested,
        e.score * coalesce(w.weight, 1) as score
    from gaps g join gap_evidence e on (e.tenant_id, e.gap_id) = (g.tenant_id, g.id)
    join documents d on (d.tenant_id, d.id) = (e.tenant_id, e.document_id)
    join users u on u.id = :user
    left join gap_requests r on (r.tenant_id, r.gap_id, r.user_id) = (g.tenant_id, g.id, :user)
    left join unnest(cast(:kinds as text[]), cast(:weights as real[])) w (kind, weight) on w.kind = g.kind
    where g.state = 'open' and {READABLE}
    and (r.user_id is not null or (g.kind <> all(cast(:muted as text[]))
        and (lower(e.addressee) = lower(u.name) or ({IS_THEIRS} and not {OTHERS_TURN}))))
    and not exists (select from gap_refusals x where (x.tenant_id, x.gap_id, x.user_id) = (g.tenant_id, g.id, :user))
    and not exists (select from note_questions q join gaps k on (k.tenant_id, k.id) = (q.tenant_id, q.gap_id)
        where {CLUSTER.format("k")} = {CLUSTER.format("g")} and q.tenant_id = g.tenant_id
        and ((q.user_id = :user and q.week > :quiet) or q.week = :week))
    order by {CLUSTER.format("g")}, is_requested desc, score desc, g.id
)
select id from asked order by is_requested desc, score desc, id limit :budget
"""
QUESTIONS = f"""
select distinct on (q.place) q.place, q.gap_id, g.kind, e.question, e.document_id, d.title, {WHY} as why
from note_questions q join gaps g on (g.tenant_id, g.id) = (q.tenant_id, q.gap_id)
join gap_evidence e on (e.tenant_id, e.gap_id) = (g.tenant_id, g.id)
join documents d on (d.tenant_id, d.id) = (e.tenant_id, e.document_id)
join users u on u.id = q.user_id
left join gap_requests r on (r.tenant_id, r.gap_id, r.user_id) = (q.tenant_id, q.gap_id, q.user_id)
where q.user_id = :user and q.week = :week and g.state = 'open' and {READABLE}
order by q.place, e.score desc, e.document_id
"""


class NoteStore:
    """The weekly notes of one tenant."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer) -> None:
        self._connection = connection
        self._viewer = viewer

    @property
    def _binds(self) -> dict[str, object]:
        return {**access_binds(self._viewer), "tenant": self._viewer.tenant_id, "user": self._viewer.user_id}

    async def due_members(self, week: date) -> list[int]:
        rows = await self._connection.execute(
            sa.text(
                "select m.user_id from memberships m where m.tenant_id = :tenant and not exists (select from"
                " weekly_notes n where (n.tenant_id, n.user_id, n.week) = (m.tenant_id, m.user_id, :week))"
                " order by m.user_id"
            ),
            {"tenant": self._viewer.tenant_id, "week": week},
        )
        return list(rows.scalars())

    async def choose(self, week: date, lessons: Sequence[Lesson] = ()) -> bool:
        binds = {
            **self._binds,
            "week": week,
            "quiet": week - timedelta(weeks=QUIET_WEEKS),
            "budget": BUDGET,
            "everyone": EVERYONE,
            "muted": [each.kind.value for each in lessons if each.is_muted],
            "kinds": [each.kind.value for each in lessons],
            "weights": [each.weight for each in lessons],
        }
        if not (await self._connection.execute(sa.text(CANDIDATES), binds)).first():
            return False
        taken = await self._connection.execute(
            sa.text(
                "insert into weekly_notes (tenant_id, user_id, week) values (:tenant, :user, :week)"
                " on conflict do nothing returning user_id"
            ),
            binds,
        )
        if taken.one_or_none() is None:
            return False
        gap_ids = list((await self._connection.execute(sa.text(CANDIDATES), binds)).scalars())
        await self._connection.execute(
            sa.text(
                "insert into note_questions (tenant_id, user_id, week, place, gap_id) select :tenant, :user, :week,"
                " place, gap from unnest(cast(:gaps as bigint[])) with ordinality as g (gap, place)"
                " on conflict do nothing"
            ),
            {**binds, "gaps": gap_ids},
        )
        return bool(gap_ids)

    async def questions(self, week: date) -> list[NoteQuestion]:
        rows = await self._connection.execute(sa.text(QUESTIONS), {**self._binds, "week": week})
        return [msgspec.convert(dict(row._mapping), NoteQuestion) for row in rows]

    async def unmailed(self, week: date) -> list[int]:
        rows = await self._connection.execute(
            sa.text("select user_id from weekly_notes where week = :week and mailed_at is null order by user_id"),
            {"week": week},
        )
        return list(rows.scalars())

    async def take_mail(self, week: date) -> bool:
        rows = await self._connection.execute(
            sa.text(
                "update weekly_notes set mailed_at = now() where user_id = :user and week = :week"
                " and mailed_at is null returning user_id"
            ),
            {**self._binds, "week": week},
        )
        return rows.one_or_none() is not None

    async def give_back_mail(self, week: date) -> None:
        await self._connection.execute(
            sa.text("update weekly_notes set mailed_at = null where user_id = :user and week = :week"),
            {**self._binds, "week": week},
        )

    async def take_asks(self, limit: int) -> list[Ask]:
        rows = await self._connection.execute(
            sa.text(
                "update gap_requests set told_at = now() where id in (select id from gap_requests"
                " where told_at is null order by id limit :limit for update skip locked)"
                " returning user_id, gap_id, asked_by, note"
            ),
            {"limit": limit},
        )
        return [msgspec.convert(dict(row._mapping), Ask) for row in rows]

    async def give_back_ask(self, ask: Ask) -> None:
        await self._connection.execute(
            sa.text("update gap_requests set told_at = null where gap_id = :gap and user_id = :user"),
            {"gap": ask.gap_id, "user": ask.user_id},
        )
