"""Lines of items in Postgres: upserted in batches, shown to those who may read what they are about, and trimmed."""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.item_limits import storable_text
from domain.people import Viewer
from domain.trails import LINES_A_SYNC, SYNCS_IN_HISTORY, SYNCS_WITH_LINES, Line, Reached
from infra.store.access import READABLE, access_binds
from infra.store.headcounts import with_headcounts
from infra.store.integrations import VISIBLE

MAX_CHARACTERS = 1000
WRITE = sa.text("""
insert into sync_items (tenant_id, integration_id, sync_id, external_id, name, stage, note, changed_at)
select s.tenant_id, s.integration_id, s.id, r.external_id, r.name, r.stage, r.note, clock_timestamp()
from syncs s, unnest(
    cast(:external_ids as text[]), cast(:names as text[]), cast(:stages as text[]), cast(:notes as text[])
) with ordinality r (external_id, name, stage, note, place)
where s.id = :sync order by r.place
on conflict (tenant_id, sync_id, external_id) do update set
    name = case when excluded.name = '' then sync_items.name else excluded.name end,
    stage = excluded.stage, note = excluded.note, changed_at = excluded.changed_at
""")
TRIM_SYNC = sa.text(
    "delete from sync_items where id in (select id from sync_items where id in (select id from sync_items"
    " where sync_id = :sync order by changed_at desc, id desc offset :kept) for update skip locked)"
)
"""What another worker writes at this moment is left to it, so that no two wait for each other in a circle."""
TRIM_SYNCS = sa.text(
    "delete from sync_items where integration_id = :integration and sync_id not in (select id from syncs"
    " where integration_id = :integration order by id desc limit :kept)"
)
TRIM_HISTORY = sa.text(
    "delete from syncs where integration_id = :integration and finished_at is not null and id in (select id from syncs"
    " where integration_id = :integration order by id desc offset :kept)"
)
NEWEST = with_headcounts(f"""
select t.id, t.external_id, coalesce(nullif(t.name, ''), t.external_id) as name, t.stage, t.note, t.changed_at,
    d.id as document_id, d.reserved_for, row_number() over (order by t.changed_at desc, t.id desc) as place
from sync_items t join integrations i on (i.tenant_id, i.id) = (t.tenant_id, t.integration_id)
left join documents d on (d.tenant_id, d.integration_id, d.external_id) = (t.tenant_id, t.integration_id, t.external_id)
where t.sync_id = :sync and {VISIBLE}
and (:is_admin or i.owner_id = :viewer or (d.id is not null and {READABLE}))
order by t.changed_at desc, t.id desc limit :size
""")


class TrailStore:
    """The lines of one tenant's syncs, as one viewer may see them."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer) -> None:
        self._connection = connection
        self._viewer = viewer

    async def write(self, sync_id: int, steps: Sequence[Reached]) -> None:
        if not steps:
            return
        await self._connection.execute(
            WRITE,
            {
                "sync": sync_id,
                "external_ids": [_stored(step.external_id) for step in steps],
                "names": [_stored(step.name) for step in steps],
                "stages": [step.stage for step in steps],
                "notes": [_stored(step.note) for step in steps],
            },
        )
        await self._connection.execute(TRIM_SYNC, {"sync": sync_id, "kept": LINES_A_SYNC})

    async def newest(self, sync_id: int, size: int) -> list[Line]:
        rows = await self._connection.execute(
            sa.text(NEWEST),
            {
                **access_binds(self._viewer),
                "viewer": self._viewer.user_id,
                "is_admin": self._viewer.is_admin,
                "sync": sync_id,
                "size": size,
            },
        )
        return [msgspec.convert(dict(row._mapping), Line) for row in rows]

    async def trim(self, integration_id: int) -> None:
        await self._connection.execute(TRIM_SYNCS, {"integration": integration_id, "kept": SYNCS_WITH_LINES})
        await self._connection.execute(TRIM_HISTORY, {"integration": integration_id, "kept": SYNCS_IN_HISTORY})


def _stored(text: str) -> str:
    return storable_text(text)[:MAX_CHARACTERS]
