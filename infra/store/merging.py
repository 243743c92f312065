"""What people decide about entities: made by hand, merged, split, and taken back; each decision is kept."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.entities import EntityKind, Found
from domain.errors import Conflict, Invalid, NotFound
from domain.people import Viewer
from infra.store.access import access_binds
from infra.store.graph_keys import keyed
from infra.store.graph_sql import visible
from infra.store.texts import named

NOT_FOUND = "This does not exist, or stands in no document you may read."
LOCK = "select pg_advisory_xact_lock(7004010, cast(:tenant as int))"
KINDS = f"""
select e.id, e.kind from entities e where e.id = any(:ids)
    and exists (select from entity_aliases a where (a.tenant_id, a.entity_id) = (e.tenant_id, e.id) and {visible("a")})
"""
ADD_HOME = "insert into entities (tenant_id, kind, is_made) values (:tenant, :kind, true) returning id"
ADD_BY_HAND = """
insert into entity_aliases (tenant_id, entity_id, kind, key, name, is_made, is_settled)
values (:tenant, :home, :kind, :key, :name, true, true)
on conflict (tenant_id, kind, key) do update set is_made = true returning id, entity_id
"""
ADD_KEYS = """
insert into entity_keys (tenant_id, key, alias_id)
select :tenant, key, :alias from unnest(cast(:keys as text[])) key on conflict do nothing
"""
NOTE = """
insert into entity_merges (tenant_id, entity_id, alias_id, from_entity_id, reason, made_by)
select tenant_id, :id, id, entity_id, :reason, :by from entity_aliases where entity_id = :other order by id
"""
MOVE = "update entity_aliases set entity_id = :id, is_settled = true where entity_id = :other"
REPOINT = "update entity_merges set entity_id = :id where entity_id = :other"
UNDO = """
update entity_merges set undone_at = now(), undone_by = :by
where entity_id = :id and alias_id = any(:aliases) and undone_at is null
"""
TOGETHER = """
exists (
    select from entity_merges g join entity_merges o on o.entity_id = g.entity_id and (
        o.id = g.id or o.from_entity_id = g.from_entity_id and o.undone_at is null
    ) where g.id = :which and g.entity_id = a.entity_id and g.undone_at is null and o.alias_id = a.id
)
"""
"""What one merge moved together: it is taken back together."""


class EntityMerging:
    """The decisions about one tenant's entities, in the viewer's name."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer) -> None:
        self._connection = connection
        self._viewer = viewer

    async def _lock(self) -> None:
        await self._connection.execute(sa.text(LOCK), {"tenant": self._viewer.tenant_id})

    async def add(self, kind: EntityKind, name: str) -> int:
        found = keyed(Found(kind, named(name)), 0)
        if kind is EntityKind.DOCUMENT or found is None:
            raise Invalid(
                "This cannot be kept by hand. Choose another kind, or a name of letters.", {"name": "Enter a name."}
            )
        await self._lock()
        binds = {"tenant": self._viewer.tenant_id, "kind": kind.value, "key": found.key, "name": found.found.name}
        home = (await self._connection.execute(sa.text(ADD_HOME), binds)).scalar_one()
        row = (await self._connection.execute(sa.text(ADD_BY_HAND), {**binds, "home": home})).one()
        if row.entity_id != home:
            await self._connection.execute(sa.text("delete from entities where id = :home"), {"home": home})
        await self._connection.execute(
            sa.text(ADD_KEYS), {"tenant": self._viewer.tenant_id, "alias": row.id, "keys": list(found.keys)}
        )
        return int(row.entity_id)

    async def merge(self, entity_id: int, other_id: int, reason: str) -> None:
        if entity_id == other_id:
            raise Conflict("This is one entity already. Choose another one to merge into it.")
        await self._lock()
        kinds = await self._kinds([entity_id, other_id])
        if len(kinds) < 2:
            raise NotFound(NOT_FOUND)
        if len(set(kinds.values())) > 1:
            raise Conflict("Only entities of one kind can be merged. Choose another one.")
        binds = {"id": entity_id, "other": other_id, "reason": reason, "by": self._viewer.name}
        await self._connection.execute(sa.text(NOTE), binds)
        await self._connection.execute(sa.text(REPOINT), {"id": entity_id, "other": other_id})
        await self._connection.execute(sa.text(MOVE), {"id": entity_id, "other": other_id})

    async def split(self, entity_id: int, alias_id: int) -> int:
        return await self._separate(entity_id, "a.id = :which", alias_id)

    async def undo(self, entity_id: int, merge_id: int) -> int:
        return await self._separate(entity_id, TOGETHER, merge_id)

    async def _separate(self, entity_id: int, which: str, which_id: int) -> int:
        """Give some aliases an entity of their own, for good."""
        await self._lock()
        kinds = await self._kinds([entity_id])
        if not kinds:
            raise NotFound(NOT_FOUND)
        rows = await self._connection.execute(
            sa.text(f"select a.id, {which} as is_chosen from entity_aliases a where a.entity_id = :id order by a.id"),
            {"id": entity_id, "which": which_id},
        )
        held = {row.id: row.is_chosen for row in rows}
        chosen = [alias_id for alias_id, is_chosen in held.items() if is_chosen]
        if not chosen:
            raise NotFound("This name does not belong here any more. Load the page again.")
        if len(chosen) == len(held):
            raise Conflict("Nothing would be left of this entity, so there is nothing to split.")
        await self._connection.execute(sa.text(UNDO), {"id": entity_id, "aliases": chosen, "by": self._viewer.name})
        made = await self._connection.execute(
            sa.text("insert into entities (tenant_id, kind) values (:tenant, :kind) returning id"),
            {"tenant": self._viewer.tenant_id, "kind": kinds[entity_id]},
        )
        new_id = int(made.scalar_one())
        await self._connection.execute(
            sa.text("update entity_aliases set entity_id = :new, is_settled = true where id = any(:aliases)"),
            {"new": new_id, "aliases": chosen},
        )
        return new_id

    async def _kinds(self, entity_ids: list[int]) -> dict[int, str]:
        rows = await self._connection.execute(sa.text(KINDS), {**access_binds(self._viewer), "ids": entity_ids})
        return {row.id: row.kind for row in rows}
