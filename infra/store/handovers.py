"""Handovers in Postgres, seen by who leads the interview, and by the member who leaves."""

from collections.abc import Callable, Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import NotFound
from domain.facts import Fact, HandoverChanged
from domain.handovers import DOCUMENT_PREFIX, Handover, HandoverQuestion, PendingHandover, Planned
from domain.people import EVERYONE, Viewer, user_principal
from infra.store.access import READABLE, access_binds
from infra.store.texts import storable

MINE = "(h.leader_id = :viewer_id or h.user_id = :viewer_id)"
COLUMNS = f"""
    h.id, h.name, '{EVERYONE}' = any(h.principals) as is_for_everyone, h.created_by, h.created_at,
    (select d.id from documents d join integrations i on (i.tenant_id, i.id) = (d.tenant_id, d.integration_id)
        where i.kind = 'answers' and d.external_id = :prefix || h.id) as document_id
"""
QUESTIONS = f"""
select q.place, q.topic, q.weight, q.gap_id, q.answer,
    case when q.gap_id is null then q.question else coalesce((
        select e.question from gap_evidence e join documents d on (d.tenant_id, d.id) = (e.tenant_id, e.document_id)
        where (e.tenant_id, e.gap_id) = (q.tenant_id, q.gap_id) and {READABLE} order by e.score desc limit 1), '') end
        as question,
    case when q.answered_by <> '' then q.answered_by when g.state = 'answered' then g.closed_by else '' end
        as answered_by
from handover_questions q left join gaps g on (g.tenant_id, g.id) = (q.tenant_id, q.gap_id)
where q.handover_id = :id order by q.place
"""
PENDING = "select id, revision, name, created_by as author, updated_at, principals from handovers"


class HandoverStore:
    """The handovers of one tenant."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer, announce: Callable[[int, Fact], None]) -> None:
        self._connection = connection
        self._viewer = viewer
        self._announce = announce

    @property
    def _binds(self) -> dict[str, object]:
        return {**access_binds(self._viewer), "prefix": DOCUMENT_PREFIX}

    async def all(self) -> list[Handover]:
        rows = await self._connection.execute(
            sa.text(f"select {COLUMNS} from handovers h where {MINE} order by h.id desc"), self._binds
        )
        return [msgspec.convert(dict(row._mapping), Handover) for row in rows]

    async def get(self, handover_id: int) -> Handover:
        rows = await self._connection.execute(
            sa.text(f"select {COLUMNS} from handovers h where h.id = :id and {MINE}"),
            {**self._binds, "id": handover_id},
        )
        row = rows.one_or_none()
        if row is None:
            raise NotFound("This handover does not exist, or is not yours to see.")
        found = msgspec.convert(dict(row._mapping), Handover)
        shown = tuple(each for each in await self._questions(handover_id) if each.question)
        return msgspec.structs.replace(found, questions=shown)

    async def _questions(self, handover_id: int) -> list[HandoverQuestion]:
        rows = await self._connection.execute(sa.text(QUESTIONS), {**self._binds, "id": handover_id})
        return [msgspec.convert(dict(row._mapping), HandoverQuestion) for row in rows]

    async def begin(self, name: str, planned: Sequence[Planned], principals: Sequence[str]) -> int:
        binds = {"tenant": self._viewer.tenant_id}
        members = await self._connection.execute(
            sa.text(
                "select u.id from memberships m join users u on u.id = m.user_id where m.tenant_id = :tenant"
                " and lower(u.name) = lower(:name) order by u.id"
            ),
            {**binds, "name": name},
        )
        found = list(members.scalars())
        user_id = found[0] if len(found) == 1 else None
        own = [user_principal(user_id)] if user_id is not None and EVERYONE not in principals else []
        rows = await self._connection.execute(
            sa.text(
                "insert into handovers (tenant_id, name, user_id, leader_id, created_by, principals)"
                " values (:tenant, :name, :user, :leader, :by, :principals) returning id"
            ),
            {
                **binds,
                "name": storable(name),
                "user": user_id,
                "leader": self._viewer.user_id,
                "by": self._viewer.name,
                "principals": [*principals, *own],
            },
        )
        handover_id = int(rows.scalar_one())
        await self._connection.execute(
            sa.text(
                "insert into handover_questions (tenant_id, handover_id, place, topic, question, weight, gap_id)"
                " values (:tenant, :handover, :place, :topic, :question, :weight, :gap)"
            ),
            [
                {
                    **binds,
                    "handover": handover_id,
                    "place": place,
                    "topic": storable(each.topic),
                    "question": storable(each.question),
                    "weight": each.weight,
                    "gap": each.gap_id,
                }
                for place, each in enumerate(planned, start=1)
            ],
        )
        return handover_id

    async def answer(self, handover_id: int, place: int, text: str) -> None:
        await self.get(handover_id)
        rows = await self._connection.execute(
            sa.text(
                "update handover_questions set answer = :text, answered_by = :by, answered_at = now()"
                " where handover_id = :handover and place = :place returning place"
            ),
            {"text": storable(text), "by": self._viewer.name, "handover": handover_id, "place": place},
        )
        if rows.one_or_none() is None:
            raise NotFound("This question is not part of the handover.")
        await self._connection.execute(
            sa.text("update handovers set revision = revision + 1, updated_at = now() where id = :id"),
            {"id": handover_id},
        )
        self._announce(self._viewer.tenant_id, HandoverChanged(handover_id))

    async def pending(self) -> list[PendingHandover]:
        return await self._pending(f"{PENDING} where revision > indexed_revision order by id", {})

    async def pending_one(self, handover_id: int) -> PendingHandover | None:
        return next(iter(await self._pending(f"{PENDING} where id = :id", {"id": handover_id})), None)

    async def _pending(self, statement: str, binds: dict[str, object]) -> list[PendingHandover]:
        rows = (await self._connection.execute(sa.text(statement), binds)).all()
        return [
            PendingHandover(
                id=row.id,
                revision=row.revision,
                name=row.name,
                author=row.author,
                updated_at=row.updated_at,
                principals=tuple(row.principals),
                questions=tuple(await self._questions(row.id)),
            )
            for row in rows
        ]
