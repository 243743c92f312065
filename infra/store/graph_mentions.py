"""That a document mentions something, read as a relation: from its title's entity to what it names in its text.

The mentions themselves are the proofs, so nothing is stored twice and nothing can be left behind.
"""

from infra.store.access import READABLE
from infra.store.graph_sql import best_alias

MAX_MENTIONED = 20
NAMED = "m.role = '' and m.end_at > m.start_at"
MENTIONED = f"""
with mine as materialized (select id, tenant_id, kind, key from entity_aliases where entity_id = :id), tie as (
    (select true as is_outgoing, o.entity_id, m.tenant_id, m.document_id
    from mine join documents d on d.tenant_id = mine.tenant_id and d.id = cast(substr(mine.key, 3) as bigint)
    join mentions m on (m.tenant_id, m.version_id) = (d.tenant_id, d.version_id)
    join entity_aliases o on (o.tenant_id, o.id) = (m.tenant_id, m.alias_id)
    where mine.kind = 'document' and o.kind <> 'document' and {NAMED} limit 2000)
    union all
    (select false, o.entity_id, m.tenant_id, m.document_id
    from mine join mentions m on (m.tenant_id, m.alias_id) = (mine.tenant_id, mine.id)
    join entity_aliases o on o.tenant_id = m.tenant_id and o.kind = 'document' and o.key = 'd:' || m.document_id
    where mine.kind <> 'document' and {NAMED} order by m.document_id desc limit 150)
), proved as (
    select t.tenant_id, t.is_outgoing, t.entity_id, count(*) as n_proofs, max(d.sorted_at) as latest_at
    from tie t join documents d on (d.tenant_id, d.id) = (t.tenant_id, t.document_id)
    where t.entity_id <> :id and {READABLE} group by 1, 2, 3 order by 4 desc, 5 desc, 3 limit :limit
)
select 'mentions' as kind, p.*, e.kind as other_kind, e.is_made,
    {best_alias("name", "p.tenant_id", "p.entity_id")} as name
from proved p join entities e on (e.tenant_id, e.id) = (p.tenant_id, p.entity_id)
order by p.n_proofs desc, p.entity_id
"""
MENTION_EDGES = f"""
with mine as materialized (
    select id, tenant_id, entity_id, kind, key from entity_aliases where entity_id = any(:ids)
), held as materialized (
    select s.entity_id, d.tenant_id, d.version_id, d.sorted_at from mine s
    join documents d on d.tenant_id = s.tenant_id and d.id = cast(substr(s.key, 3) as bigint)
    where s.kind = 'document' and (cast(:since as timestamptz) is null or d.sorted_at >= :since) and {READABLE}
)
select h.entity_id as subject_id, 'mentions' as kind, o.entity_id as object_id, count(*) as n_proofs,
    max(h.sorted_at) as latest_at
from held h join mentions m on (m.tenant_id, m.version_id) = (h.tenant_id, h.version_id)
join mine o on o.id = m.alias_id where o.kind <> 'document' and {NAMED}
group by 1, 3 order by 4 desc, 1, 3 limit :limit
"""
MENTION_PROOFS = f"""
select {{quoted}}, p.reason from entity_aliases s
join documents d on d.tenant_id = s.tenant_id and d.id = cast(substr(s.key, 3) as bigint)
join mentions p on (p.tenant_id, p.version_id) = (d.tenant_id, d.version_id)
join entity_aliases o on (o.tenant_id, o.id) = (p.tenant_id, p.alias_id)
join document_versions v on (v.tenant_id, v.id) = (p.tenant_id, p.version_id)
where s.entity_id = :subject and s.kind = 'document' and o.entity_id = :object
    and {NAMED.replace("m.", "p.")} and {READABLE}
order by p.start_at limit :limit
"""
