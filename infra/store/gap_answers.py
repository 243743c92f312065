"""Answers to gaps in Postgres, seen by whoever may read their evidence, or once that is gone, their document."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import Invalid, NotFound
from domain.found_gaps import FoundGap
from domain.gap_answers import (
    MAX_NOTE,
    AnswerVersion,
    GapAnswer,
    GapRequest,
    PendingAnswer,
    Via,
)
from domain.people import Viewer
from infra.store.access import READABLE, access_binds
from infra.store.gaps import NOT_FOUND
from infra.store.readers import AccessStore
from infra.store.texts import storable

GAP = f"""
select g.id, g.kind, g.state, g.reason, e.question, e.person, e.score, e.document_id, f.version_id,
    e.start_at as start, e.end_at as "end", d.title, d.author,
    coalesce(d.source_modified_at, d.source_created_at) as modified_at, e.addressee, e.addressee_reason,
    count(*) over () as n_documents
from gaps g join gap_evidence e on (e.tenant_id, e.gap_id) = (g.tenant_id, g.id)
join detections f on (f.tenant_id, f.document_id) = (e.tenant_id, e.document_id)
join documents d on (d.tenant_id, d.id) = (e.tenant_id, e.document_id)
where g.id = :gap and {READABLE}
order by (e.document_id = cast(:document as bigint)) desc nulls last, e.score desc, e.document_id, e.start_at limit 1
"""
OWN = """
    left join integrations i on i.tenant_id = a.tenant_id and i.kind = 'answers'
    left join documents o on (o.tenant_id, o.integration_id, o.external_id) = (a.tenant_id, i.id, a.id::text)
"""
"""The document that an answer has become."""
ANSWER = f"""
select a.id, a.gap_id, a.evidence_document_id, a.question, v.text, a.ordinal, v.author, a.author_id, a.reviewer_id,
    coalesce(u.name, '') as reviewer, a.state, a.created_at, a.updated_at, o.id as document_id,
    coalesce(d.title, '') as evidence_title
from gap_answers a
join gap_answer_versions v on (v.tenant_id, v.answer_id, v.ordinal) = (a.tenant_id, a.id, a.ordinal)
left join users u on u.id = a.reviewer_id
{OWN}
join documents d on d.tenant_id = a.tenant_id and d.id = coalesce(a.evidence_document_id, o.id)
where {READABLE}
"""
PENDING = f"""
select a.id, a.ordinal, a.question, v.text, v.author, a.updated_at, array(
    select p.principal from document_access p where p.tenant_id = a.tenant_id
    and p.document_id = coalesce(a.evidence_document_id, o.id) order by p.principal) as principals
from gap_answers a
join gap_answer_versions v on (v.tenant_id, v.answer_id, v.ordinal) = (a.tenant_id, a.id, a.ordinal)
{OWN}
"""
PUT = sa.text("""
insert into gap_answers as a
    (tenant_id, gap_id, evidence_document_id, evidence_version_id, question, author_id, reviewer_id)
values (:tenant, :gap, :document, :version, :question, :user, :reviewer)
on conflict (tenant_id, gap_id, evidence_document_id) do update set ordinal = a.ordinal + 1, state = 'waiting',
    evidence_version_id = excluded.evidence_version_id, author_id = excluded.author_id,
    reviewer_id = coalesce(excluded.reviewer_id, a.reviewer_id), updated_at = now()
returning id, ordinal
""")
SETTLE_OWN = sa.text("""
with mine as (
    update gap_answers a set indexed_ordinal = greatest(a.indexed_ordinal, d.revision::int)
    from documents d join integrations i on (i.tenant_id, i.id) = (d.tenant_id, d.integration_id)
    where d.id = :document and i.kind = 'answers' and d.external_id = a.id::text and d.tenant_id = a.tenant_id
    returning a.tenant_id, a.reviewer_id, a.state
)
insert into document_verifications as v (tenant_id, document_id, verifier_id, every_days, due_at)
select tenant_id, :document, reviewer_id, 0, :now from mine where reviewer_id is not null and state = 'waiting'
on conflict (tenant_id, document_id) do update set verifier_id = excluded.verifier_id, due_at = excluded.due_at
    where v.verified_version_id is distinct from :version
""")
SETTLE_HANDOVER = sa.text("""
update handovers h set indexed_revision = greatest(h.indexed_revision, d.revision::int)
from documents d join integrations i on (i.tenant_id, i.id) = (d.tenant_id, d.integration_id)
where d.id = :document and i.kind = 'answers' and d.tenant_id = h.tenant_id and d.external_id = 'handover-' || h.id
""")
SETTLE_EVIDENCE = sa.text("""
with examined as (
    update gap_answers a set evidence_version_id = :version, state = case when exists (select from gap_evidence e
        where (e.tenant_id, e.gap_id, e.document_id) = (a.tenant_id, a.gap_id, a.evidence_document_id))
        then a.state else 'outdated' end
    where a.evidence_document_id = :document and a.evidence_version_id <> :version
    returning a.tenant_id, a.id, a.state, coalesce(a.reviewer_id, a.author_id) as verifier_id
)
insert into document_verifications (tenant_id, document_id, verifier_id, every_days, due_at)
select x.tenant_id, o.id, x.verifier_id, 0, :now from examined x
join integrations i on i.tenant_id = x.tenant_id and i.kind = 'answers'
join documents o on (o.tenant_id, o.integration_id, o.external_id) = (x.tenant_id, i.id, x.id::text)
where x.state = 'outdated' and x.verifier_id is not null
on conflict (tenant_id, document_id) do update set due_at = excluded.due_at
""")
REOPEN = sa.text("""
update gaps g set state = 'open', closed_by = '', closed_at = null where g.state = 'answered'
and exists (select from gap_evidence e where (e.tenant_id, e.gap_id, e.document_id) = (g.tenant_id, g.id, :document))
and not exists (select from gap_answers a join gaps k on (k.tenant_id, k.id) = (a.tenant_id, a.gap_id)
    where k.tenant_id = g.tenant_id and coalesce(k.twin_of, k.id) = coalesce(g.twin_of, g.id) and a.state <> 'outdated')
""")
ALIKE = """(
    select k.id from gaps k where coalesce(k.twin_of, k.id) = (select coalesce(twin_of, id) from gaps where id = :id))
"""
"""The gaps that are asked as one with one."""


class GapAnswerStore:
    """The answers of one tenant, and whom questions were passed on to."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer) -> None:
        self._connection = connection
        self._viewer = viewer

    async def gap(self, gap_id: int, document_id: int | None = None) -> FoundGap:
        rows = await self._connection.execute(
            sa.text(GAP), {**access_binds(self._viewer), "gap": gap_id, "document": document_id}
        )
        row = rows.one_or_none()
        if row is None:
            raise NotFound(NOT_FOUND)
        return msgspec.convert(dict(row._mapping), FoundGap)

    async def of_gap(self, gap_id: int) -> list[GapAnswer]:
        return await self._answers(f"a.gap_id in {ALIKE}", gap_id)

    async def completing(self, document_id: int) -> list[GapAnswer]:
        return await self._answers("a.evidence_document_id = :id", document_id)

    async def behind(self, document_id: int) -> GapAnswer | None:
        return next(iter(await self._answers("o.id = :id", document_id)), None)

    async def _answers(self, condition: str, wanted_id: int) -> list[GapAnswer]:
        rows = await self._connection.execute(
            sa.text(f"{ANSWER} and {condition} order by a.updated_at desc, a.id desc"),
            {**access_binds(self._viewer), "id": wanted_id},
        )
        return [msgspec.convert(dict(row._mapping), GapAnswer) for row in rows]

    async def versions(self, answer_id: int) -> list[AnswerVersion]:
        if not await self._answers("a.id = :id", answer_id):
            raise NotFound("This answer does not exist, or is not shared with you.")
        rows = await self._connection.execute(
            sa.text(
                "select ordinal, text, author, via, created_at from gap_answer_versions where answer_id = :id"
                " order by ordinal desc"
            ),
            {"id": answer_id},
        )
        return [msgspec.convert(dict(row._mapping), AnswerVersion) for row in rows]

    async def put(self, gap: FoundGap, text: str, via: Via, reviewer_id: int | None) -> int:
        if reviewer_id is not None and reviewer_id not in await self._readers(gap.document_id):
            message = "Choose somebody who may read the document."
            raise Invalid("Please look at the marked fields.", {"reviewer": message})
        binds = {"tenant": self._viewer.tenant_id, "gap": gap.id}
        answer = (
            await self._connection.execute(
                PUT,
                {
                    **binds,
                    "document": gap.document_id,
                    "version": gap.version_id,
                    "question": gap.question,
                    "user": self._viewer.user_id,
                    "reviewer": reviewer_id,
                },
            )
        ).one()
        await self._connection.execute(
            sa.text(
                "insert into gap_answer_versions (tenant_id, answer_id, ordinal, text, author, via)"
                " values (:tenant, :answer, :ordinal, :text, :author, :via)"
            ),
            {
                "tenant": self._viewer.tenant_id,
                "answer": answer.id,
                "ordinal": answer.ordinal,
                "text": storable(text),
                "author": self._viewer.name,
                "via": via.value,
            },
        )
        await self._connection.execute(
            sa.text(f"update gaps set state = 'answered', closed_by = :by, closed_at = now() where id in {ALIKE}"),
            {"id": gap.id, "by": self._viewer.name},
        )
        return int(answer.id)

    async def _readers(self, document_id: int) -> set[int]:
        readers = await AccessStore(self._connection, self._viewer).readers(document_id)
        return {reason.user_id for reason in readers.reasons}

    async def attach(self, answer_id: int, upload_ids: Sequence[int]) -> None:
        await self._connection.execute(
            sa.text(
                "insert into gap_answer_files (tenant_id, answer_id, upload_id)"
                " select :tenant, :answer, u from unnest(cast(:uploads as bigint[])) u on conflict do nothing"
            ),
            {"tenant": self._viewer.tenant_id, "answer": answer_id, "uploads": list(upload_ids)},
        )

    async def files(self, answer_id: int) -> list[str]:
        rows = await self._connection.execute(
            sa.text(
                "select u.name from gap_answer_files f join uploads u on (u.tenant_id, u.id) = (f.tenant_id,"
                " f.upload_id) where f.answer_id = :answer order by u.id"
            ),
            {"answer": answer_id},
        )
        return list(rows.scalars())

    async def pending(self, after_id: int, limit: int) -> list[PendingAnswer]:
        return await self._pending(
            "where a.ordinal > a.indexed_ordinal and a.id > :after order by a.id limit :limit",
            {"after": after_id, "limit": limit},
        )

    async def get_many(self, answer_ids: Sequence[int]) -> list[PendingAnswer]:
        return await self._pending("where a.id = any(:ids) order by a.id", {"ids": list(answer_ids)})

    async def _pending(self, condition: str, binds: dict[str, object]) -> list[PendingAnswer]:
        rows = await self._connection.execute(sa.text(f"{PENDING} {condition}"), binds)
        return [msgspec.convert(dict(row._mapping), PendingAnswer) for row in rows]

    async def settle(self, document_id: int, version_id: int, now: datetime) -> None:
        binds = {"document": document_id, "version": version_id, "now": now}
        await self._connection.execute(SETTLE_OWN, binds)
        await self._connection.execute(SETTLE_HANDOVER, {"document": document_id})
        await self._connection.execute(SETTLE_EVIDENCE, binds)
        await self._connection.execute(REOPEN, {"document": document_id})

    async def pass_on(self, gap_id: int, user_id: int, note: str) -> None:
        gap = await self.gap(gap_id)
        if user_id not in await self._readers(gap.document_id):
            message = "Choose somebody who may read the document."
            raise Invalid("Please look at the marked fields.", {"person": message})
        binds = {"tenant": self._viewer.tenant_id, "gap": gap_id}
        await self._connection.execute(
            sa.text(
                "insert into gap_requests (tenant_id, gap_id, user_id, asked_by, note)"
                " values (:tenant, :gap, :user, :by, :note) on conflict (tenant_id, gap_id, user_id) do update"
                " set asked_by = excluded.asked_by, note = excluded.note, created_at = now(), told_at = null"
            ),
            {**binds, "user": user_id, "by": self._viewer.name, "note": storable(note)[:MAX_NOTE]},
        )
        for statement in (
            "delete from gap_requests where gap_id = :gap and user_id = :user",
            "insert into gap_refusals (tenant_id, gap_id, user_id) values (:tenant, :gap, :user)"
            " on conflict do nothing",
        ):
            await self._connection.execute(sa.text(statement), {**binds, "user": self._viewer.user_id})

    async def requests(self, gap_id: int) -> list[GapRequest]:
        rows = await self._connection.execute(
            sa.text(
                "select r.gap_id, r.user_id, u.name, r.asked_by, r.note, r.created_at from gap_requests r"
                " join users u on u.id = r.user_id where r.gap_id = :gap order by r.created_at desc, r.user_id"
            ),
            {"gap": gap_id},
        )
        return [msgspec.convert(dict(row._mapping), GapRequest) for row in rows]

    async def refused(self, gap_id: int) -> set[int]:
        rows = await self._connection.execute(
            sa.text("select user_id from gap_refusals where gap_id = :gap"), {"gap": gap_id}
        )
        return set(rows.scalars())
