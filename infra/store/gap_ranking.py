"""What ranks gaps, in Postgres: whom they are asked, which are one, and what people made of each kind."""

from collections.abc import Collection, Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.embedding import Matrix
from domain.errors import NotFound
from domain.gap_kinds import GapKind
from domain.gap_ranking import SAME_GAP, Lesson, Sorted, Twins, Unsorted
from domain.people import Viewer
from infra.store.access import READABLE, access_binds
from infra.store.chunk_writing import dense_text
from infra.store.texts import storable

MAX_TEXT = 200
UNSORTED = """
select e.gap_id, e.document_id, g.kind, e.start_at as start, e.end_at as "end", e.question, e.person, d.author
from gap_evidence e join gaps g on (g.tenant_id, g.id) = (e.tenant_id, e.gap_id)
join documents d on (d.tenant_id, d.id) = (e.tenant_id, e.document_id)
where e.embedding is null order by e.score desc, e.gap_id, e.document_id limit :limit
"""
UNSORT = """
update gap_evidence set embedding = null where addressee = any(:departed)
or (gap_id, document_id, start_at) in (select gap_id, document_id, start_at from gap_evidence
    where addressee = '' order by score desc, gap_id, document_id, start_at limit :limit)
"""
SORT = """
update gap_evidence set addressee = :addressee, addressee_reason = :reason, quality = :quality,
    embedding = cast(:vector as halfvec(384)), model = :model
where gap_id = :gap and document_id = :document and start_at = :start
"""
TWINS = """
select n.gap_id, o.gap_id as older_id, n.question, o.question as older_question,
    -(o.embedding <#> n.embedding) as cosine
from gap_evidence n join gaps g on (g.tenant_id, g.id) = (n.tenant_id, n.gap_id)
cross join lateral (
    select e.gap_id, e.question, e.embedding from gaps p
    join gap_evidence e on (e.tenant_id, e.gap_id) = (p.tenant_id, p.id)
    where p.tenant_id = g.tenant_id and p.kind = g.kind and p.id < g.id and p.twin_of is null
        and e.embedding is not null and e.model in ('', n.model)
    order by e.embedding <#> n.embedding, p.id limit 1
) o
where n.gap_id = any(:gaps) and g.twin_of is null and -(o.embedding <#> n.embedding) >= :least
order by n.gap_id, cosine desc
"""
JOIN = """
update gaps g set twin_of = m.id, state = m.state, reason = m.reason, closed_by = m.closed_by, closed_at = m.closed_at
from gaps m where m.tenant_id = g.tenant_id and m.id = :older and g.id = :gap and g.id <> m.id and m.twin_of is null
    and not exists (select from gaps x where x.tenant_id = g.tenant_id and x.twin_of = g.id)
"""
LESSONS = """
select g.kind, count(*) as n_judged, count(*) filter (where not v.is_useful) as n_dismissed
from gap_verdicts v join gaps g on (g.tenant_id, g.id) = (v.tenant_id, v.gap_id)
left join gap_lessons l on l.tenant_id = g.tenant_id and l.kind = g.kind
where v.created_at > coalesce(l.forgotten_at, '-infinity') group by g.kind order by g.kind
"""
PRAISE = f"""
insert into gap_verdicts (tenant_id, gap_id, user_id, is_useful)
select g.tenant_id, g.id, :user, true from gaps g where g.id = :id and exists (
    select from gap_evidence e join documents d on (d.tenant_id, d.id) = (e.tenant_id, e.document_id)
    where (e.tenant_id, e.gap_id) = (g.tenant_id, g.id) and {READABLE}
)
on conflict (tenant_id, gap_id, user_id) do update set is_useful = true, created_at = now() returning gap_id
"""


class GapRankingStore:
    """What ranks the gaps of one tenant."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer, model: str) -> None:
        self._connection = connection
        self._viewer = viewer
        self._model = model

    async def _rows(self, statement: str, **binds: object) -> Sequence[sa.Row[tuple[object, ...]]]:
        return (await self._connection.execute(sa.text(statement), binds)).all()

    async def unsorted(self, limit: int) -> list[Unsorted]:
        rows = await self._rows(UNSORTED, limit=limit)
        return [msgspec.convert(dict(row._mapping), Unsorted) for row in rows]

    async def unsort(self, departed: Collection[str], limit: int) -> None:
        await self._connection.execute(sa.text(UNSORT), {"departed": sorted(departed), "limit": limit})

    async def sort(self, found: Sequence[Sorted], vectors: Matrix) -> list[Twins]:
        binds = [
            {
                "gap": each.evidence.gap_id,
                "document": each.evidence.document_id,
                "start": each.evidence.start,
                "addressee": storable(each.addressee)[:MAX_TEXT],
                "reason": storable(each.reason)[:MAX_TEXT],
                "quality": each.quality,
                "vector": dense_text(vector),
                "model": self._model,
            }
            for each, vector in zip(found, vectors, strict=True)
        ]
        await self._connection.execute(sa.text(SORT), binds)
        rows = await self._rows(TWINS, gaps=[each.evidence.gap_id for each in found], least=SAME_GAP)
        return [msgspec.convert(dict(row._mapping), Twins) for row in rows]

    async def join(self, twins: Sequence[Twins]) -> None:
        pairs = {each.gap_id: each.older_id for each in reversed(twins)}
        for gap_id, older_id in sorted(pairs.items()):
            await self._connection.execute(sa.text(JOIN), {"gap": gap_id, "older": older_id})

    async def lessons(self) -> list[Lesson]:
        return [msgspec.convert(dict(row._mapping), Lesson) for row in await self._rows(LESSONS)]

    async def praise(self, gap_id: int) -> None:
        binds = {**access_binds(self._viewer), "id": gap_id, "user": self._viewer.user_id}
        if not await self._rows(PRAISE, **binds):
            raise NotFound("This gap does not exist, or stands in documents that are not shared with you.")

    async def forget(self, kind: GapKind) -> None:
        await self._connection.execute(
            sa.text(
                "insert into gap_lessons (tenant_id, kind, forgotten_at, forgotten_by)"
                " values (:tenant, :kind, now(), :by)"
                " on conflict (tenant_id, kind) do update set forgotten_at = now(), forgotten_by = :by"
            ),
            {"tenant": self._viewer.tenant_id, "kind": kind.value, "by": self._viewer.name},
        )
