"""Write what a document brings to the graph, in the transaction that stores it.

One writer of a tenant's graph at a time (an advisory lock, held until the commit that follows at once), and unique
constraints beneath it. All statements find their rows by key, so the cost does not grow with the vault. The new
version's rows are written before the old one's are deleted: what both name keeps its id, and a person's decisions.
"""

from collections.abc import Mapping, Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.entities import EntityKind, Extraction, Found, FoundRelation, KnownAlias
from infra.analysis import WordAnalyzer
from infra.store.backfilling import find_earlier_mentions
from infra.store.graph_keys import Keyed, Settled, keyed, settle
from infra.store.namesakes import Meant, meant, part
from infra.store.texts import storable

MAX_UNDER_KEY = 30
"""Aliases looked at under one key; a key that more share tells nobody apart."""
KNOWN_COLUMNS = "a.id, a.entity_id, a.kind, a.key, a.name, a.email, a.team, a.is_settled"
LOCK = sa.text(
    "select pg_advisory_xact_lock(7004010, cast(:tenant as int)), version_id, version_ordinal from documents"
    " where id = :document"
)
KNOWN = sa.text(
    f"select {KNOWN_COLUMNS} from unnest(cast(:kinds as text[]), cast(:keys as text[])) w (kind, key)"
    " join entity_aliases a on a.tenant_id = :tenant and a.kind = w.kind and a.key = w.key"
)
GAZETTEER = sa.text(
    f"select distinct on (a.key) {KNOWN_COLUMNS} from entity_aliases a where a.tenant_id = :tenant"
    " and a.kind = any(cast(:kinds as text[])) and a.key = any(cast(:keys as text[])) order by a.key, a.n_mentions desc"
)
CANDIDATES = sa.text(
    f"select w.key as wanted, {KNOWN_COLUMNS} from unnest(cast(:keys as text[])) w (key) cross join lateral ("
    " select alias_id from entity_keys k where k.tenant_id = :tenant and k.key = w.key order by alias_id limit :limit"
    ") k join entity_aliases a on a.tenant_id = :tenant and a.id = k.alias_id"
)
SMALL_NAMES = sa.text(
    "select a.id, a.key from unnest(cast(:keys as text[])) w (key) join entity_aliases a on a.tenant_id = :tenant"
    " and a.kind in ('system', 'project') and a.key = w.key and a.name = lower(a.name) order by a.id"
)
ADD_ENTITIES = sa.text(
    "insert into entities (tenant_id, kind) select :tenant, kind from unnest(cast(:kinds as text[])) kind"
    " returning id, kind"
)
ADD_ALIASES = sa.text("""
insert into entity_aliases (tenant_id, entity_id, kind, key, name, email)
select :tenant, entity_id, kind, key, name, email from unnest(
    cast(:entities as bigint[]), cast(:kinds as text[]), cast(:keys as text[]), cast(:names as text[]),
    cast(:emails as text[])
) n (entity_id, kind, key, name, email) order by kind, key
on conflict (tenant_id, kind, key) do update set name = entity_aliases.name
returning id, entity_id, kind, key
""")
ADD_KEYS = sa.text(
    "insert into entity_keys (tenant_id, key, alias_id)"
    " select :tenant, key, alias_id from unnest(cast(:keys as text[]), cast(:aliases as bigint[])) n (key, alias_id)"
    " on conflict do nothing"
)
ADD_MERGES = sa.text("""
insert into entity_merges (tenant_id, entity_id, alias_id, reason, weight)
select :tenant, entity_id, alias_id, reason, weight from unnest(
    cast(:entities as bigint[]), cast(:aliases as bigint[]), cast(:reasons as text[]), cast(:weights as real[])
) n (entity_id, alias_id, reason, weight)
""")
ADD_MENTIONS = sa.text("""
with came as (
    insert into mentions (tenant_id, document_id, version_id, alias_id, role, start_at, end_at, reason)
    select :tenant, :document, :version, alias_id, role, start_at, end_at, reason from unnest(
        cast(:aliases as bigint[]), cast(:roles as text[]), cast(:starts as int[]), cast(:ends as int[]),
        cast(:reasons as text[])
    ) n (alias_id, role, start_at, end_at, reason) on conflict do nothing returning alias_id
)
update entity_aliases a set n_mentions = a.n_mentions + c.n
from (select alias_id, count(*)::int as n from came group by 1) c where a.tenant_id = :tenant and a.id = c.alias_id
""")
ADD_RELATIONS = sa.text("""
insert into relations (tenant_id, subject_id, kind, object_id)
select distinct :tenant, subject_id, kind, object_id from unnest(
    cast(:subjects as bigint[]), cast(:kinds as text[]), cast(:objects as bigint[])
) n (subject_id, kind, object_id) order by subject_id, kind, object_id
on conflict (tenant_id, subject_id, kind, object_id) do update set n_proofs = relations.n_proofs
returning id, subject_id, kind, object_id
""")
ADD_PROOFS = sa.text("""
with came as (
    insert into relation_proofs (tenant_id, relation_id, document_id, version_id, start_at, end_at)
    select :tenant, relation_id, :document, :version, start_at, end_at from unnest(
        cast(:relations as bigint[]), cast(:starts as int[]), cast(:ends as int[])
    ) n (relation_id, start_at, end_at) on conflict do nothing returning relation_id
)
update relations r set n_proofs = r.n_proofs + c.n
from (select relation_id, count(*)::int as n from came group by 1) c
where r.tenant_id = :tenant and r.id = c.relation_id
""")
FORGET_MENTIONS = sa.text("delete from mentions where document_id = :document and version_id <> :version")
FORGET_PROOFS = sa.text("delete from relation_proofs where document_id = :document and version_id <> :version")


async def put_extraction(
    connection: AsyncConnection, tenant_id: int, analyzer: WordAnalyzer, document_id: int, extraction: Extraction
) -> None:
    """See `domain.entities.Entities.put`."""
    binds = {"tenant": tenant_id, "document": document_id}
    row = (await connection.execute(LOCK, binds)).one()
    place = {**binds, "version": row.version_id}
    found = [keyed(_storable(each), document_id) for each in extraction.found]
    aliases = await _known(connection, tenant_id, found)
    wanted: dict[int, Keyed] = {at: each for at, each in enumerate(found) if each and each.found.is_certain}
    ids = {at: alias.id for at, alias in aliases.items()}
    chosen = await meant(connection, place, found, ids)
    ids |= {at: each.alias_id for at, each in chosen.items()}
    new = {each.unique: each for at, each in wanted.items() if at not in ids}
    present = frozenset(alias.entity_id for alias in aliases.values())
    added = await _add(connection, tenant_id, list(new.values()), present)
    ids |= {at: added[each.unique] for at, each in wanted.items() if at not in ids}
    await part(connection, place, found)
    small = await _small_names(connection, tenant_id, extraction)
    await _add_mentions(connection, place, extraction, ids, small, chosen)
    await _add_relations(connection, place, extraction.relations, ids)
    named = [(each, added[unique]) for unique, each in new.items()]
    await find_earlier_mentions(connection, tenant_id, analyzer, document_id, named)
    if row.version_ordinal > 1:
        await connection.execute(FORGET_MENTIONS, place)
        await connection.execute(FORGET_PROOFS, place)


async def _known(connection: AsyncConnection, tenant_id: int, found: Sequence[Keyed | None]) -> dict[int, KnownAlias]:
    """Return the alias that stands already for each place of a finding; an uncertain one counts under any kind."""
    certain = {at: each for at, each in enumerate(found) if each and each.found.is_certain}
    rows = await connection.execute(
        KNOWN,
        {
            "tenant": tenant_id,
            "kinds": [each.found.kind.value for each in certain.values()],
            "keys": [each.key for each in certain.values()],
        },
    )
    held = {(row.kind, row.key): _alias(row) for row in rows}
    known = {at: held[each.unique] for at, each in certain.items() if each.unique in held}
    return known | await _gazetted(connection, tenant_id, found)


async def _gazetted(
    connection: AsyncConnection, tenant_id: int, found: Sequence[Keyed | None]
) -> dict[int, KnownAlias]:
    """Look uncertain names up among all that the tenant knows: a single word is never a person."""
    maybe = {at: each for at, each in enumerate(found) if each and not each.found.is_certain}
    if not maybe:
        return {}
    keys = {key for each in maybe.values() for key in _gazetteer_keys(each)}
    kinds = [kind.value for kind in EntityKind if kind not in (EntityKind.DOCUMENT, EntityKind.TERM)]
    rows = await connection.execute(GAZETTEER, {"tenant": tenant_id, "kinds": kinds, "keys": sorted(keys)})
    held = {row.key: _alias(row) for row in rows}
    hits = {at: [held[key] for key in _gazetteer_keys(each) if key in held] for at, each in maybe.items()}
    return {
        at: hit[0]
        for at, hit in hits.items()
        if hit and (hit[0].kind != EntityKind.PERSON or " " in maybe[at].found.name)
    }


def _gazetteer_keys(each: Keyed) -> tuple[str, ...]:
    """The name as it stands, and as a person's, whose words are kept in their order of the alphabet."""
    return each.key, f"n:{' '.join(sorted(each.key[2:].split()))}"


def _alias(row: sa.Row[tuple[object, ...]]) -> KnownAlias:
    fields = {name: row._mapping[name] for name in KnownAlias.__struct_fields__}
    return msgspec.convert(fields, KnownAlias)


def _storable(found: Found) -> Found:
    return msgspec.structs.replace(found, name=storable(found.name)[:200])


async def _add(
    connection: AsyncConnection, tenant_id: int, new: Sequence[Keyed], present: frozenset[int]
) -> dict[tuple[str, str], int]:
    """Insert new aliases, each where it belongs, and return their ids."""
    if not new:
        return {}
    homes, reasons = await _homes(connection, tenant_id, new, present)
    own = sorted({home for home in homes.values() if home < 0}, reverse=True)
    kinds = [new[-home - 1].found.kind.value for home in own]
    rows = (await connection.execute(ADD_ENTITIES, {"tenant": tenant_id, "kinds": kinds})).all()
    free: dict[str, list[int]] = {}
    for row in rows:
        free.setdefault(row.kind, []).append(row.id)
    entities = {home: free[kind].pop() for home, kind in zip(own, kinds, strict=True)}
    targets = [entities.get(homes[each.unique], homes[each.unique]) for each in new]
    ids = await _insert(connection, tenant_id, new, targets)
    merges = [
        (targets[at], ids[each.unique], reasons[each.unique]) for at, each in enumerate(new) if each.unique in reasons
    ]
    if merges:
        await connection.execute(
            ADD_MERGES,
            {
                "tenant": tenant_id,
                "entities": [entity_id for entity_id, _, _ in merges],
                "aliases": [alias_id for _, alias_id, _ in merges],
                "reasons": [settled.reason for _, _, settled in merges],
                "weights": [settled.weight for _, _, settled in merges],
            },
        )
    return ids


async def _homes(
    connection: AsyncConnection, tenant_id: int, new: Sequence[Keyed], present: frozenset[int]
) -> tuple[dict[tuple[str, str], int], dict[tuple[str, str], Settled]]:
    """Return for each new alias its entity, or -1 - n for that of the n-th new one, and why it joined another's."""
    known = await _candidates(connection, tenant_id, new)
    homes: dict[tuple[str, str], int] = {}
    reasons: dict[tuple[str, str], Settled] = {}
    for at, each in enumerate(new):
        candidates = {
            alias.id: alias for key in each.keys for alias in known.get(key, ()) if alias.kind is each.found.kind
        }
        settled = settle(each, list(candidates.values()), present)
        homes[each.unique] = settled.entity_id if settled else -1 - at
        if settled:
            reasons[each.unique] = settled
        found = each.found
        alias = KnownAlias(-1 - at, homes[each.unique], found.kind, each.key, found.name, found.email, "", False)
        for key in each.keys:
            known.setdefault(key, []).append(alias)
    return homes, reasons


async def _candidates(connection: AsyncConnection, tenant_id: int, new: Sequence[Keyed]) -> dict[str, list[KnownAlias]]:
    keys = sorted({key for each in new for key in each.keys})
    if not keys:
        return {}
    rows = await connection.execute(CANDIDATES, {"tenant": tenant_id, "keys": keys, "limit": MAX_UNDER_KEY})
    found: dict[str, list[KnownAlias]] = {}
    for row in rows:
        found.setdefault(row.wanted, []).append(_alias(row))
    return found


async def _insert(
    connection: AsyncConnection, tenant_id: int, new: Sequence[Keyed], entities: Sequence[int]
) -> dict[tuple[str, str], int]:
    rows = await connection.execute(
        ADD_ALIASES,
        {
            "tenant": tenant_id,
            "entities": list(entities),
            "kinds": [each.found.kind.value for each in new],
            "keys": [each.key for each in new],
            "names": [each.found.name for each in new],
            "emails": [each.found.email for each in new],
        },
    )
    ids = {(row.kind, row.key): int(row.id) for row in rows}
    pairs = [(key, ids[each.unique]) for each in new for key in each.keys]
    if pairs:
        keys, aliases = zip(*pairs, strict=True)
        await connection.execute(ADD_KEYS, {"tenant": tenant_id, "keys": list(keys), "aliases": list(aliases)})
    return ids


async def _small_names(
    connection: AsyncConnection, tenant_id: int, extraction: Extraction
) -> list[tuple[int, str, int, int]]:
    """Return where the tenant's systems and projects that are written in small letters stand."""
    spans = {f"n:{word}": places for word, places in extraction.words}
    rows = await connection.execute(SMALL_NAMES, {"tenant": tenant_id, "keys": list(spans)})
    return [(row.id, "", start, end) for row in rows for start, end in spans[row.key]]


async def _add_mentions(
    connection: AsyncConnection,
    place: Mapping[str, object],
    extraction: Extraction,
    ids: Mapping[int, int],
    small: Sequence[tuple[int, str, int, int]],
    chosen: Mapping[int, Meant],
) -> None:
    spans = [
        *((*each, "") for each in small),
        *(
            (alias_id, extraction.found[at].role, start, end, chosen[at].reason if at in chosen else "")
            for at, alias_id in sorted(ids.items())
            for start, end in extraction.found[at].spans
        ),
    ]
    names = ("aliases", "roles", "starts", "ends", "reasons")
    columns = {name: list(column) for name, column in zip(names, zip(*spans, strict=True), strict=True)}
    await connection.execute(ADD_MENTIONS, {**place, **columns})


async def _add_relations(
    connection: AsyncConnection, place: Mapping[str, object], found: Sequence[FoundRelation], ids: Mapping[int, int]
) -> None:
    stated = [
        (ids[each.subject], each.kind.value, ids[each.object], each)
        for each in found
        if each.subject in ids and each.object in ids and ids[each.subject] != ids[each.object]
    ]
    if not stated:
        return
    rows = await connection.execute(
        ADD_RELATIONS,
        {
            "tenant": place["tenant"],
            "subjects": [subject for subject, _, _, _ in stated],
            "kinds": [kind for _, kind, _, _ in stated],
            "objects": [thing for _, _, thing, _ in stated],
        },
    )
    relations = {(row.subject_id, row.kind, row.object_id): row.id for row in rows}
    await connection.execute(
        ADD_PROOFS,
        {
            **place,
            "relations": [relations[subject, kind, thing] for subject, kind, thing, _ in stated],
            "starts": [each.start for _, _, _, each in stated],
            "ends": [each.end for _, _, _, each in stated],
        },
    )
