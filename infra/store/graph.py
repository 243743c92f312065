"""Bounded parts of the graph in Postgres, as one viewer may see them; each statement has its limit."""

from collections.abc import Sequence
from itertools import chain

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.entities import Deed, Edge, Entity, Expansion, GraphFilter, Subgraph
from domain.people import Viewer
from domain.spelling import words
from infra.romanising import romanise
from infra.store.access import READABLE, access_binds
from infra.store.graph_mentions import MENTION_EDGES
from infra.store.graph_sql import N_DOCUMENTS, best_alias, rows_to_depth, visible

MAX_QUESTION_WORDS = 40
MAX_NAME_WORDS = 5
MAX_EDGES = 6_000
DEED_KINDS = ("owns", "maintains", "created", "decided", "approved", "reviewed", "answered")
ENTITIES = f"""
select e.id, e.kind, {best_alias("name", "e.tenant_id", "e.id")} as name, e.is_made, {N_DOCUMENTS} as n_documents
from entities e where e.id = any(:ids) order by e.id
"""
OVERVIEW = f"""
select a.entity_id from (
    select * from entity_aliases where tenant_id = :tenant and kind <> 'document'
    order by n_mentions desc, id limit 8 * :limit
) a left join lateral (
    select 1 as seen from mentions m join documents d on (d.tenant_id, d.id) = (m.tenant_id, m.document_id)
    where (m.tenant_id, m.alias_id) = (a.tenant_id, a.id) and {READABLE} limit 1
) s on true where a.is_made or s.seen = 1 order by a.n_mentions desc, a.id limit :limit
"""
IN_TIME = "(cast(:since as timestamptz) is null or d.sorted_at >= :since)"
NEIGHBOURS = f"""
with mine as materialized (select id from entity_aliases where entity_id = any(:ids)), stated as (
    select r.id, r.n_proofs as n, r.object_id as other_id from relations r join mine on mine.id = r.subject_id
    union all select r.id, r.n_proofs, r.subject_id from relations r join mine on mine.id = r.object_id
), best as (select * from stated order by n desc, id desc limit :depth)
select o.entity_id, count(*) as n from best s join entity_aliases o on o.id = s.other_id
join relation_proofs p on p.relation_id = s.id
join documents d on (d.tenant_id, d.id) = (p.tenant_id, p.document_id)
where o.entity_id <> all(:ids) and (:any_kind or o.kind = any(:kinds)) and {IN_TIME} and {READABLE}
group by 1 order by 2 desc, 1 limit :limit
"""
EDGES = f"""
with mine as materialized (select id, entity_id from entity_aliases where entity_id = any(:ids))
select s.entity_id as subject_id, r.kind, o.entity_id as object_id, count(*) as n_proofs, max(d.sorted_at) as latest_at
from mine s join relations r on r.subject_id = s.id join mine o on o.id = r.object_id
join relation_proofs p on p.relation_id = r.id
join documents d on (d.tenant_id, d.id) = (p.tenant_id, p.document_id)
where s.entity_id <> o.entity_id and {IN_TIME} and {READABLE}
group by 1, 2, 3 order by 4 desc, 1, 2, 3 limit {MAX_EDGES}
"""
DEEDS = f"""
with topic as materialized (select id, entity_id, kind from entity_aliases where entity_id = any(:topics)), deed as (
    select s.entity_id as person_id, t.entity_id as topic_id, r.kind, p.document_id
    from topic t join relations r on r.object_id = t.id join entity_aliases s on s.id = r.subject_id
    join relation_proofs p on p.relation_id = r.id where s.kind = 'person' and r.kind = any(:kinds)
    union
    select w.entity_id, t.entity_id, r.kind, m.document_id
    from topic t join mentions m on m.alias_id = t.id
    join entity_aliases o on o.tenant_id = m.tenant_id and o.kind = 'document' and o.key = 'd:' || m.document_id
    join relations r on r.object_id = o.id and r.kind = any(:kinds)
    join entity_aliases w on w.id = r.subject_id where w.kind = 'person' and t.kind not in ('person', 'document')
), recent as (
    select deed.*, d.tenant_id, d.sorted_at as at from deed join documents d on d.id = deed.document_id
    where {READABLE} order by d.sorted_at desc, deed.document_id, person_id, topic_id, kind limit :limit
), names as (
    select e.id, {best_alias("name", "e.tenant_id", "e.id")} as name from entities e
    where e.id in (select person_id from recent union select topic_id from recent)
)
select r.person_id, p.name as person, r.topic_id, t.name as topic, r.kind, r.document_id, r.at
from recent r join names p on p.id = r.person_id join names t on t.id = r.topic_id
where p.name is not null and t.name is not null order by r.at desc, r.document_id, r.person_id, r.topic_id, r.kind
"""
TOPICS_OF = f"""
with mine as materialized (select id from entity_aliases where entity_id = :id), near as (
    select b.object_id as alias_id, p.document_id from (
        select r.id, r.object_id from mine join relations r on r.subject_id = mine.id and r.kind = any(:kinds)
        order by r.n_proofs desc, r.id desc limit 300
    ) b join relation_proofs p on p.relation_id = b.id
    union
    select m.alias_id, m.document_id from (
        select cast(substr(o.key, 3) as bigint) as document_id
        from mine join relations r on r.subject_id = mine.id and r.kind = any(:kinds)
        join entity_aliases o on o.id = r.object_id and o.kind = 'document' order by 1 desc limit 300
    ) w join mentions m on m.document_id = w.document_id
)
select t.entity_id, count(distinct near.document_id) as n from near
join entity_aliases t on t.id = near.alias_id join documents d on d.id = near.document_id
where t.kind not in ('person', 'document') and {READABLE} group by 1 order by 2 desc, 1 limit :limit
"""
NAMED = f"""
select distinct on (a.entity_id) a.entity_id, length(a.key) as n from entity_aliases a
where a.tenant_id = :tenant and a.kind = any(:kinds) and a.key = any(:keys) and {visible("a")}
order by a.entity_id, 2 desc
"""
GIVEN = f"""
select a.entity_id from entity_keys k join entity_aliases a on (a.tenant_id, a.id) = (k.tenant_id, k.alias_id)
where k.tenant_id = :tenant and k.key = any(:keys) and {visible("a")} order by a.n_mentions desc, a.id limit :limit
"""
KNOWN = """
select exists(
    select from entity_aliases a where a.tenant_id = :tenant and a.kind = any(:kinds) and a.key = any(:keys)
) as is_named, exists(select from entity_keys k where k.tenant_id = :tenant and k.key = any(:lone)) as is_given
"""
"""Whether any name in a text is known at all; only then is it asked which of them the viewer may see."""
IN_DOCUMENT = f"""
with spans as materialized (
    select a.tenant_id, a.entity_id, a.kind, m.start_at, m.end_at from documents d
    join mentions m on (m.tenant_id, m.version_id) = (d.tenant_id, d.version_id)
    join entity_aliases a on (a.tenant_id, a.id) = (m.tenant_id, m.alias_id)
    where d.id = :id and a.kind <> 'document' and {READABLE} order by m.start_at, m.end_at desc, a.entity_id limit 2000
), names as materialized (
    select e.entity_id, {best_alias("name", "e.tenant_id", "e.entity_id")} as name
    from (select distinct tenant_id, entity_id from spans) e
)
select s.entity_id as id, s.kind, n.name, s.start_at, s.end_at from spans s join names n on n.entity_id = s.entity_id
where n.name is not null order by s.start_at, s.end_at desc, s.entity_id
"""
NAMES_OF = f"""
select a.name from entity_aliases a where a.entity_id = any(:ids) and {visible("a")} order by a.n_mentions desc, a.id
"""
RELATED = f"""
with mine as materialized (select id from entity_aliases where entity_id = any(:ids)), near as (
    select r.object_id as alias_id, 1.0 as weight from relations r join mine on mine.id = r.subject_id
    union all select r.subject_id, 1.0 from relations r join mine on mine.id = r.object_id
    union all select id, 2.0 from mine
), strongest as (select alias_id, sum(weight) as weight from near group by 1 order by 2 desc, 1 limit 200)
select d.id, sum(s.weight) as weight from strongest s join mentions m on m.alias_id = s.alias_id
join documents d on (d.tenant_id, d.id) = (m.tenant_id, m.document_id) where {READABLE}
group by 1 order by 2 desc, 1 limit :limit
"""


class GraphStore:
    """Parts of one tenant's graph."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer) -> None:
        self._connection = connection
        self._viewer = viewer

    async def _rows(self, statement: str, **binds: object) -> Sequence[sa.Row[tuple[object, ...]]]:
        given = {**access_binds(self._viewer), "tenant": self._viewer.tenant_id, **binds}
        return (await self._connection.execute(sa.text(statement), given)).all()

    async def overview(self, limit: int) -> list[int]:
        rows = await self._rows(OVERVIEW, limit=limit)
        return list(dict.fromkeys(int(row.entity_id) for row in rows))

    async def entities(self, entity_ids: Sequence[int]) -> list[Entity]:
        if not entity_ids:
            return []
        rows = await self._rows(ENTITIES, ids=list(entity_ids))
        return [msgspec.convert(dict(row._mapping), Entity) for row in rows if row.name is not None]

    async def neighbourhood(self, entity_ids: Sequence[int], narrowed: GraphFilter, limit: int) -> Subgraph:
        wanted = {"since": narrowed.since, "kinds": [kind.value for kind in narrowed.kinds]}
        binds = {
            **access_binds(self._viewer),
            **wanted,
            "ids": list(entity_ids),
            "any_kind": not narrowed.kinds,
            "limit": limit + 1,
        }
        near = await rows_to_depth(self._connection, NEIGHBOURS, binds, limit - len(entity_ids) + 1)
        n_near = max(limit - len(entity_ids), 0)
        ids = [*entity_ids, *(int(row.entity_id) for row in near[:n_near])]
        edges = [*await self._rows(EDGES, ids=ids, since=narrowed.since)]
        edges += await self._rows(MENTION_EDGES, ids=ids, since=narrowed.since, limit=MAX_EDGES - len(edges))
        entities = await self.entities(ids)
        shown = {entity.id for entity in entities}
        found = [msgspec.convert(dict(row._mapping), Edge) for row in edges]
        return Subgraph(
            tuple(entities),
            tuple(edge for edge in found if edge.subject_id in shown and edge.object_id in shown),
            is_cut=len(near) > n_near,
        )

    async def deeds(self, topic_ids: Sequence[int], limit: int) -> list[Deed]:
        rows = await self._rows(DEEDS, topics=list(topic_ids), kinds=list(DEED_KINDS), limit=limit)
        return [msgspec.convert(dict(row._mapping), Deed) for row in rows]

    async def deeds_of(self, person_id: int, limit: int) -> list[Deed]:
        topics = await self._rows(TOPICS_OF, id=person_id, kinds=list(DEED_KINDS), limit=24)
        return await self.deeds([int(row.entity_id) for row in topics], limit) if topics else []

    async def named(self, text: str, limit: int) -> list[Entity]:
        folded = words(text, romanise)[:MAX_QUESTION_WORDS]
        sizes = range(1, MAX_NAME_WORDS + 1)
        grams = list(chain.from_iterable(zip(*(folded[at:] for at in range(size)), strict=False) for size in sizes))
        keys = {f"n:{' '.join(gram)}" for gram in grams} | {
            f"n:{' '.join(sorted(gram))}" for gram in grams if len(gram) > 1
        }
        kinds = ["person", "system", "organisation", "project", "process", "term"]
        lone = [f"l:{word}" for word in folded if len(word) > 3]
        known = (await self._rows(KNOWN, kinds=kinds, keys=sorted(keys), lone=lone))[0]
        rows = await self._rows(NAMED, kinds=kinds, keys=sorted(keys)) if known.is_named else ()
        found = {int(row.entity_id): int(str(row.n)) for row in rows}
        if not found and known.is_given:
            found = {int(row.entity_id): 0 for row in await self._rows(GIVEN, keys=lone, limit=limit)}
        entities = await self.entities(list(found))
        return sorted(entities, key=lambda entity: (-found[entity.id], entity.id))[:limit]

    async def in_document(self, document_id: int) -> list[tuple[Entity, int, int]]:
        rows = await self._rows(IN_DOCUMENT, id=document_id)
        return [
            (msgspec.convert({"id": row.id, "kind": row.kind, "name": row.name}, Entity), row.start_at, row.end_at)
            for row in rows
        ]

    async def expand(self, question: str, limit: int) -> Expansion:
        named = await self.named(question, 8)
        if not named:
            return Expansion((), ())
        ids = [entity.id for entity in named]
        names = await self._rows(NAMES_OF, ids=ids)
        asked = " ".join(words(question, romanise))
        aliases = [str(row.name) for row in names if " ".join(words(str(row.name), romanise)) not in asked]
        documents = await self._rows(RELATED, ids=ids, limit=limit)
        return Expansion(tuple(dict.fromkeys(aliases))[:20], tuple(int(row.id) for row in documents))
