"""Who is likely to know, what hangs on one person, and which systems nobody looks after; as one viewer may see it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from domain.entities import Dependence, EntityKind, LikelyPerson, TopicDocument, Unkept
from domain.expertise import likely, standings
from infra.store.access import READABLE
from infra.store.graph import GraphStore
from infra.store.graph_sql import best_alias

N_DEEDS = 3_000
N_SYSTEMS = 300
N_EVIDENCE = 5
HOW_TO = r"\m(runbook|playbook|on-?call|operat(ing|ions)|recovery|troubleshooting|how to)\M"
"""What the title of a document says that tells how a system is run."""
DOCUMENT_ENTITIES = """
select a.entity_id from unnest(cast(:documents as bigint[])) w (id)
join entity_aliases a on a.tenant_id = :tenant and a.kind = 'document' and a.key = 'd:' || w.id order by 1
"""
USERS = """
select a.entity_id, min(m.user_id) as user_id from entity_aliases a
join member_addresses m on m.tenant_id = a.tenant_id and (m.email = lower(a.email) or a.key = 'a:' || m.email)
where a.entity_id = any(:ids) and a.kind = 'person' group by 1 order by 1
"""
NOW = "select now() as now"
WELL_KNOWN = f"""
select x.entity_id from (
    select a.entity_id, max(a.n_mentions) as n from entity_aliases a
    where a.tenant_id = :tenant and a.kind = any(:kinds) group by 1 order by 2 desc, 1 limit {N_SYSTEMS}
) x order by x.n desc, x.entity_id
"""
ABOUT = f"""
with wanted as materialized (select id, entity_id from entity_aliases where entity_id = any(:ids)), named as (
    select m.document_id, count(distinct w.entity_id) as n_named, count(*) as n_mentions
    from wanted w join mentions m on m.alias_id = w.id group by 1
)
select d.id, d.title, d.author, d.sorted_at as at, n.n_named from named n join documents d on d.id = n.document_id
where {READABLE} order by n.n_named desc, n.n_mentions desc, d.sorted_at desc, d.id limit :limit
"""
UNKEPT = f"""
with system as materialized (
    select a.tenant_id, a.entity_id, max(a.n_mentions) as n from entity_aliases a
    where a.tenant_id = :tenant and a.kind = 'system' group by 1, 2 order by 3 desc, 2 limit {N_SYSTEMS}
), named as materialized (
    select distinct s.entity_id, d.id, d.tenant_id, d.title, d.sorted_at from system s
    join entity_aliases a on (a.tenant_id, a.entity_id) = (s.tenant_id, s.entity_id)
    join mentions m on (m.tenant_id, m.alias_id) = (a.tenant_id, a.id)
    join documents d on (d.tenant_id, d.id) = (m.tenant_id, m.document_id) where {READABLE}
), kept as (
    select distinct s.entity_id from system s
    join entity_aliases a on (a.tenant_id, a.entity_id) = (s.tenant_id, s.entity_id)
    join relations r on r.tenant_id = a.tenant_id and r.object_id = a.id and r.kind in ('owns', 'maintains')
    join relation_proofs p on p.relation_id = r.id join documents d on d.id = p.document_id where {READABLE}
), told as (select distinct entity_id from named where title ~* :how_to), lone as (
    select n.entity_id, k.entity_id is null as has_no_owner, t.entity_id is null as has_no_runbook,
        array_agg(n.id order by n.sorted_at desc, n.id) as document_ids
    from named n left join kept k on k.entity_id = n.entity_id left join told t on t.entity_id = n.entity_id
    where k.entity_id is null or t.entity_id is null group by 1, 2, 3
    having count(*) > 1 order by count(*) desc, 1 limit :limit
)
select l.entity_id as id, {best_alias("name", "cast(:tenant as bigint)", "l.entity_id")} as name, l.has_no_owner,
    l.has_no_runbook, cardinality(l.document_ids) as n_documents, l.document_ids[1:{N_EVIDENCE}] as document_ids
from lone l order by cardinality(l.document_ids) desc, l.entity_id
"""


class KnowingStore(GraphStore):
    """Parts of one tenant's graph, and what follows from who did what."""

    async def likely_to_know(self, text: str, document_ids: Sequence[int], limit: int) -> list[LikelyPerson]:
        named = await self.named(text, 10)
        topics = [entity.id for entity in named if entity.kind is not EntityKind.PERSON]
        rows = await self._rows(DOCUMENT_ENTITIES, documents=list(document_ids))
        about = await self.deeds(topics, N_DEEDS) if topics else []
        wrote = await self.deeds([int(row.entity_id) for row in rows], N_DEEDS) if rows else []
        now = (await self._rows(NOW))[0].now
        found = likely([entity for entity in named if entity.kind is EntityKind.PERSON], about, wrote, now)
        users = await self._users([person.person_id for person in found])
        placed = [msgspec.structs.replace(person, user_id=users.get(person.person_id)) for person in found]
        return sorted(placed, key=lambda person: (person.user_id is None, -person.score, person.person_id))[:limit]

    async def _users(self, person_ids: Sequence[int]) -> Mapping[int, int]:
        rows = await self._rows(USERS, ids=list(person_ids)) if person_ids else []
        return {int(row.entity_id): int(row.user_id) for row in rows}

    async def dependences(self, limit: int) -> list[Dependence]:
        kinds = [EntityKind.SYSTEM.value, EntityKind.PROJECT.value, EntityKind.PROCESS.value]
        topics = [int(row.entity_id) for row in await self._rows(WELL_KNOWN, kinds=kinds)]
        deeds = await self.deeds(topics, N_DEEDS) if topics else []
        now = (await self._rows(NOW))[0].now
        alone = [each for each in standings(deeds, now) if each.is_alone]
        evidence: dict[tuple[int, int], dict[int, None]] = defaultdict(dict)
        for deed in deeds:
            evidence[deed.topic_id, deed.person_id][deed.document_id] = None
        return [
            Dependence(
                each.topic_id,
                each.topic,
                each.knowers[0].person_id,
                each.knowers[0].person,
                each.top_share,
                tuple(evidence[each.topic_id, each.knowers[0].person_id])[:N_EVIDENCE],
            )
            for each in alone[:limit]
        ]

    async def unkept(self, limit: int) -> list[Unkept]:
        rows = await self._rows(UNKEPT, limit=limit, how_to=HOW_TO)
        return [msgspec.convert(dict(row._mapping), Unkept) for row in rows if row.name is not None]

    async def documents_about(self, entity_ids: Sequence[int], limit: int) -> list[TopicDocument]:
        rows = await self._rows(ABOUT, ids=list(entity_ids), limit=limit) if entity_ids else []
        return [msgspec.convert(dict(row._mapping), TopicDocument) for row in rows]
