"""Bare names that several people bear: given to the one whose company the document keeps, else to none of them."""

from collections.abc import Mapping, Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.entities import EntityKind
from infra.store.graph_keys import Keyed

MAX_BEARERS = 12
MAX_DOCUMENTS = 60
"""Documents of one bearer that are looked at for the company they keep."""
BEARERS = sa.text(
    "select w.key, a.id, a.entity_id, a.key as own_key, a.name, a.email, a.is_settled"
    " from unnest(cast(:keys as text[])) w (key) cross join lateral ("
    " select alias_id from entity_keys k where k.tenant_id = :tenant and k.key = w.key order by alias_id limit :limit"
    ") k join entity_aliases a on a.tenant_id = :tenant and a.id = k.alias_id and a.kind = 'person' order by a.id"
)
COMPANY = sa.text(f"""
select b.id, count(distinct o.alias_id) as n from unnest(cast(:bearers as bigint[])) b (id)
cross join lateral (
    select m.version_id from mentions m where m.tenant_id = :tenant and m.alias_id = b.id and m.document_id <> :document
    order by m.document_id desc limit {MAX_DOCUMENTS}
) d join mentions o on o.tenant_id = :tenant and o.version_id = d.version_id and o.alias_id = any(:company)
group by 1 order by 2 desc, 1
""")
APART = sa.text("insert into entities (tenant_id, kind) values (:tenant, 'person') returning id")
MOVE = sa.text("update entity_aliases set entity_id = :home where tenant_id = :tenant and id = :alias")
UNDO = sa.text(
    "update entity_merges set undone_at = now(), undone_by = :reason"
    " where tenant_id = :tenant and alias_id = :alias and undone_at is null"
)
SHARED_NOW = "KnowledgeVault, since several people bear this name"


class Bearer(msgspec.Struct, frozen=True):
    """An alias that has a name."""

    key: str
    id: int
    entity_id: int
    own_key: str
    name: str
    email: str
    is_settled: bool

    @property
    def is_bare(self) -> bool:
        """Whether it is the name and nothing else."""
        return self.own_key == self.key


class Meant(msgspec.Struct, frozen=True):
    """The alias that a bare name in a document was taken for, and why."""

    alias_id: int
    reason: str


async def meant(
    connection: AsyncConnection, place: Mapping[str, object], found: Sequence[Keyed | None], known: Mapping[int, int]
) -> dict[int, Meant]:
    """Return, for places of bare names that several people bear, the one the document's company points to.

    `known` are the aliases the tenant has already, by their places.
    """
    bare = {at: each.key for at, each in enumerate(found) if each and _is_bare(each)}
    shared = await _shared(connection, place, set(bare.values()))
    chosen = {}
    for at, key in bare.items():
        if key in shared:
            company = [alias_id for other, alias_id in known.items() if other not in (0, at)]
            if one := await _chosen(connection, place, shared[key], company):
                chosen[at] = one
    return chosen


async def part(connection: AsyncConnection, place: Mapping[str, object], found: Sequence[Keyed | None]) -> None:
    """Give a bare name that has come to be several people's an entity of its own, unless a person decided."""
    keys = {key for each in found if each and _is_person(each) for key in each.keys if _is_full(key)}
    for bearers in (await _shared(connection, place, keys)).values():
        homes = {each.entity_id for each in bearers if not each.is_bare}
        for each in bearers:
            if each.is_bare and not each.is_settled and each.entity_id in homes:
                home = (await connection.execute(APART, {"tenant": place["tenant"]})).scalar_one()
                binds = {"tenant": place["tenant"], "alias": each.id}
                await connection.execute(MOVE, {**binds, "home": home})
                await connection.execute(UNDO, {**binds, "reason": SHARED_NOW})


async def _shared(
    connection: AsyncConnection, place: Mapping[str, object], keys: set[str]
) -> dict[str, tuple[Bearer, ...]]:
    """Return who bears each name that belongs to several people; a name people have decided about is theirs to say."""
    if not keys:
        return {}
    binds = {"tenant": place["tenant"], "keys": sorted(keys), "limit": MAX_BEARERS}
    bearers = [msgspec.convert(dict(row._mapping), Bearer) for row in await connection.execute(BEARERS, binds)]
    by_key = {key: tuple(each for each in bearers if each.key == key) for key in keys}
    return {
        key: held
        for key, held in by_key.items()
        if len({each.entity_id for each in held if not each.is_bare}) > 1
        and not any(each.is_bare and each.is_settled for each in held)
    }


async def _chosen(
    connection: AsyncConnection, place: Mapping[str, object], bearers: Sequence[Bearer], company: Sequence[int]
) -> Meant | None:
    """One is chosen who has kept more than twice the company of any other."""
    people = {each.id: each for each in bearers if not each.is_bare}
    binds = {"tenant": place["tenant"], "document": place["document"], "bearers": list(people)}
    rows = (await connection.execute(COMPANY, {**binds, "company": list(company)})).all()
    best: dict[int, tuple[int, Bearer]] = {}
    for row in rows:
        best.setdefault(people[row.id].entity_id, (row.n, people[row.id]))
    ranked = sorted(best.values(), key=lambda pair: (-pair[0], pair[1].id))
    if not ranked or (len(ranked) > 1 and ranked[0][0] <= 2 * ranked[1][0]):
        return None
    n, one = ranked[0]
    n_people = len({each.entity_id for each in people.values()})
    names = "name" if n == 1 else "names"
    who = one.email or one.name
    return Meant(one.id, f"{n_people} people bear this name; {n} other {names} here stood with {who} before")


def _is_person(each: Keyed) -> bool:
    return each.found.kind is EntityKind.PERSON


def _is_full(key: str) -> bool:
    return key.startswith("n:") and " " in key


def _is_bare(each: Keyed) -> bool:
    return _is_person(each) and _is_full(each.key)
