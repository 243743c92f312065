"""Entities in Postgres, as one viewer may see them: all that is shown rests on documents they may read."""

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.entities import Alias, Entity, EntityPage, Extraction, Merge, Proof, Relation, RelationKind
from domain.errors import Invalid, NotFound
from domain.people import Viewer
from infra.analysis import WordAnalyzer
from infra.store.access import READABLE, access_binds
from infra.store.graph_mentions import MAX_MENTIONED, MENTION_PROOFS, MENTIONED
from infra.store.graph_sql import N_DOCUMENTS, best_alias, rows_to_depth, visible
from infra.store.graph_writing import put_extraction
from infra.store.merging import EntityMerging

QUOTE_BEFORE, QUOTE_AFTER = 80, 160
"""Characters of a document that a mention is shown with."""
NOT_FOUND = "This does not exist, or stands in no document you may read."
PAGE = f"""
select e.id, a.kind, a.name, lower(a.name) as sort_name, a.id as alias_id, e.is_made, {N_DOCUMENTS} as n_documents
from entity_aliases a join entities e on (e.tenant_id, e.id) = (a.tenant_id, a.entity_id)
where {{kind}} and (:text = '' or lower(a.name) like :text) and (lower(a.name), a.id) > (:after, :after_id)
    and a.id = {best_alias("id", "a.tenant_id", "a.entity_id")}
order by lower(a.name), a.id limit :size
"""
GET = f"""
select e.id, e.kind, {best_alias("name", "e.tenant_id", "e.id")} as name, e.is_made, {N_DOCUMENTS} as n_documents
from entities e where e.id = :id
"""
ALIASES = f"""
select a.id, a.key, a.name, a.email, a.is_made, (
    select count(distinct m.document_id) from mentions m
    join documents d on (d.tenant_id, d.id) = (m.tenant_id, m.document_id)
    where (m.tenant_id, m.alias_id) = (a.tenant_id, a.id) and {READABLE}
) as n_documents from entity_aliases a where a.entity_id = :id and {visible("a")} order by n_documents desc, a.id
"""
RELATIONS = f"""
with mine as materialized (select id from entity_aliases where entity_id = :id), stated as (
    select r.id, r.n_proofs as n, r.kind, true as is_outgoing, r.object_id as other_id
    from relations r join mine on mine.id = r.subject_id
    union all
    select r.id, r.n_proofs, r.kind, false, r.subject_id from relations r join mine on mine.id = r.object_id
), best as (
    select * from stated order by n desc, id desc limit :depth
), proved as (
    select s.kind, s.is_outgoing, o.tenant_id, o.entity_id, count(*) as n_proofs, max(d.sorted_at) as latest_at
    from best s join entity_aliases o on o.id = s.other_id
    join relation_proofs p on p.relation_id = s.id
    join documents d on (d.tenant_id, d.id) = (p.tenant_id, p.document_id)
    where o.entity_id <> :id and {READABLE} group by 1, 2, 3, 4
    order by 5 desc, 6 desc, 4 limit :limit
)
select p.*, e.kind as other_kind, e.is_made, {best_alias("name", "p.tenant_id", "p.entity_id")} as name
from proved p join entities e on e.id = p.entity_id
order by array_position(cast(:kinds as text[]), p.kind), p.is_outgoing desc, p.n_proofs desc, p.entity_id
"""
QUOTED = f"""d.id as document_id, p.version_id, d.title, p.start_at as start, p.end_at as end, d.sorted_at as at,
    substr(v.text, greatest(p.start_at - {QUOTE_BEFORE}, 0) + 1,
        least(p.end_at, p.start_at + {QUOTE_AFTER}) - greatest(p.start_at - {QUOTE_BEFORE}, 0) + {QUOTE_BEFORE}
    ) as quote"""
PROOFS = f"""
select {QUOTED} from relations r
join entity_aliases s on s.id = r.subject_id join entity_aliases o on o.id = r.object_id
join relation_proofs p on p.relation_id = r.id
join documents d on (d.tenant_id, d.id) = (p.tenant_id, p.document_id)
join document_versions v on (v.tenant_id, v.id) = (p.tenant_id, p.version_id)
where s.entity_id = :subject and r.kind = :kind and o.entity_id = :object and {READABLE}
order by d.sorted_at desc, d.id, p.start_at limit :limit
"""
TIMELINE = f"""
with first as (
    select distinct on (m.document_id) m.tenant_id, m.document_id, m.version_id, m.start_at, m.end_at, m.reason
    from entity_aliases a join mentions m on (m.tenant_id, m.alias_id) = (a.tenant_id, a.id)
    where a.entity_id = :id order by m.document_id, m.end_at = 0, m.start_at
), newest as (
    select p.*, d.title, d.sorted_at from first p join documents d on (d.tenant_id, d.id) = (p.tenant_id, p.document_id)
    where {READABLE} order by d.sorted_at desc, d.id limit :limit
)
select {QUOTED.replace("d.id as", "d.document_id as")}, d.reason from newest d
join lateral (select d.version_id, d.start_at, d.end_at) p on true
join document_versions v on (v.tenant_id, v.id) = (d.tenant_id, d.version_id)
order by d.sorted_at desc, d.document_id
"""
MERGES = f"""
select g.id, g.alias_id, a.name as alias, g.reason, g.made_by, g.created_at, g.undone_at, g.undone_by
from entity_merges g join entity_aliases a on (a.tenant_id, a.id) = (g.tenant_id, g.alias_id)
where g.entity_id = :id and {visible("a")} order by g.id desc limit 200
"""


NAMESAKES = f"""
with mine as materialized (
    select distinct k.key from entity_aliases a join entity_keys k on (k.tenant_id, k.alias_id) = (a.tenant_id, a.id)
    where a.entity_id = :id and a.kind = 'person' and k.key like 'n:% %' and {visible("a")} limit 20
), found as (
    select distinct o.tenant_id, o.entity_id from mine
    join entity_keys k on k.tenant_id = :tenant and k.key = mine.key
    join entity_aliases o on (o.tenant_id, o.id) = (k.tenant_id, k.alias_id)
    where o.entity_id <> :id and o.kind = 'person' order by 2 limit 20
)
select e.id, e.kind, {best_alias("name", "e.tenant_id", "e.id")} as name, e.is_made, {N_DOCUMENTS} as n_documents
from found f join entities e on (e.tenant_id, e.id) = (f.tenant_id, f.entity_id) order by e.id
"""


NOTE_READ = sa.text(
    "insert into name_readings (tenant_id, document_id, version_id)"
    " select tenant_id, id, version_id from documents where id = :document"
    " on conflict (tenant_id, document_id) do update set version_id = excluded.version_id"
)
"""Comes first: it holds the document before the graph is locked, in the order in which a deletion takes both."""
UNREAD = sa.text(
    "select d.id from documents d join integrations i on (i.tenant_id, i.id) = (d.tenant_id, d.integration_id)"
    " where d.id > :after and i.removed_at is null and not exists (select from name_readings r"
    " where (r.tenant_id, r.document_id, r.version_id) = (d.tenant_id, d.id, d.version_id))"
    " order by d.id limit :limit"
)


class EntityStore(EntityMerging):
    """The entities of one tenant, as one viewer may see them."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer, analyzer: WordAnalyzer) -> None:
        super().__init__(connection, viewer)
        self._analyzer = analyzer
        self._connection = connection
        self._viewer = viewer

    async def put(self, document_id: int, extraction: Extraction) -> None:
        noted = await self._connection.execute(NOTE_READ, {"document": document_id})
        if noted.rowcount and extraction.found:
            await put_extraction(self._connection, self._viewer.tenant_id, self._analyzer, document_id, extraction)

    async def unread(self, after_id: int, limit: int) -> list[int]:
        rows = await self._connection.execute(UNREAD, {"after": after_id, "limit": limit})
        return list(rows.scalars())

    async def page(self, kind: str, text: str, key: str, size: int) -> EntityPage:
        after, after_id = _read_key(key)
        escaped = text.lower().replace("\0", "").replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        rows = (
            await self._connection.execute(
                sa.text(PAGE.format(kind="a.kind = :kind" if kind else "a.kind <> 'document'")),
                {
                    **access_binds(self._viewer),
                    **({"kind": kind} if kind else {}),
                    "text": f"%{escaped}%" if escaped else "",
                    "after": after,
                    "after_id": after_id,
                    "size": size + 1,
                },
            )
        ).all()
        last = rows[size - 1] if len(rows) > size else None
        next_key = msgspec.json.encode([last.sort_name, last.alias_id]).decode() if last else ""
        return EntityPage(tuple(_entity(row) for row in rows[:size]), next_key)

    async def get(self, entity_id: int) -> Entity:
        rows = await self._connection.execute(sa.text(GET), {**access_binds(self._viewer), "id": entity_id})
        row = rows.one_or_none()
        if row is None or row.name is None:
            raise NotFound(NOT_FOUND)
        return _entity(row)

    async def aliases(self, entity_id: int) -> list[Alias]:
        rows = await self._connection.execute(sa.text(ALIASES), {**access_binds(self._viewer), "id": entity_id})
        return [msgspec.convert(dict(row._mapping), Alias) for row in rows]

    async def relations(self, entity_id: int, limit: int) -> list[Relation]:
        binds = {
            **access_binds(self._viewer),
            "id": entity_id,
            "limit": limit,
            "kinds": [kind.value for kind in RelationKind],
        }
        rows = await rows_to_depth(self._connection, RELATIONS, binds, limit)
        own = {**access_binds(self._viewer), "id": entity_id, "limit": min(limit, MAX_MENTIONED)}
        mentioned = (await self._connection.execute(sa.text(MENTIONED), own)).all()
        return [
            Relation(
                RelationKind(row.kind),
                row.is_outgoing,
                msgspec.convert(
                    {"id": row.entity_id, "kind": row.other_kind, "name": row.name, "is_made": row.is_made}, Entity
                ),
                row.n_proofs,
                row.latest_at,
            )
            for row in (*rows, *mentioned)
            if row.name is not None
        ]

    async def proofs(self, entity_id: int, kind: RelationKind, other_id: int, limit: int) -> list[Proof]:
        binds: dict[str, object] = {"subject": entity_id, "object": other_id, "limit": limit}
        if kind is RelationKind.MENTIONS:
            return await self._proofs(MENTION_PROOFS.format(quoted=QUOTED), binds)
        return await self._proofs(PROOFS, {**binds, "kind": kind.value})

    async def timeline(self, entity_id: int, limit: int) -> list[Proof]:
        return await self._proofs(TIMELINE, {"id": entity_id, "limit": limit})

    async def _proofs(self, statement: str, binds: dict[str, object]) -> list[Proof]:
        rows = await self._connection.execute(sa.text(statement), {**access_binds(self._viewer), **binds})
        return [msgspec.convert(dict(row._mapping), Proof) for row in rows]

    async def namesakes(self, entity_id: int) -> list[Entity]:
        binds = {**access_binds(self._viewer), "id": entity_id, "tenant": self._viewer.tenant_id}
        rows = await self._connection.execute(sa.text(NAMESAKES), binds)
        return [_entity(row) for row in rows if row.name is not None]

    async def merges(self, entity_id: int) -> list[Merge]:
        rows = await self._connection.execute(sa.text(MERGES), {**access_binds(self._viewer), "id": entity_id})
        return [msgspec.convert(dict(row._mapping), Merge) for row in rows]


def _entity(row: sa.Row[tuple[object, ...]]) -> Entity:
    names = ("id", "kind", "name", "is_made", "n_documents")
    return msgspec.convert({name: row._mapping[name] for name in names}, Entity)


def _read_key(key: str) -> tuple[str, int]:
    if not key:
        return "", 0
    try:
        after, after_id = msgspec.json.decode(key, type=tuple[str, int])
    except (msgspec.DecodeError, ValueError) as error:
        raise Invalid("This page of the list does not exist. Start again from the first page.") from error
    return after.replace("\0", ""), min(abs(after_id), 2**63 - 1)
