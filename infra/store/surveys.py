"""Counts of what is held of an integration, and how fast the tenant's syncs have been."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.people import Viewer
from domain.scope import NO_TYPE
from domain.surveys import DEPTH, Counted, Pace, Survey
from infra.store.integrations import VISIBLE

HELD = f"""
select array_to_string((string_to_array(d.external_id, '/'))[1:(
    least(:depth, cardinality(string_to_array(d.external_id, '/')) - 1))], '/') as folder,
    coalesce(lower(substring(d.external_id from '[^/.][^/]*\\.([A-Za-z0-9]{{1,8}})$')), :no_type) as file_type,
    cast(coalesce(d.source_modified_at, d.source_created_at) at time zone 'utc' as date) as day, count(*) as n_items
from documents d join integrations i on (i.tenant_id, i.id) = (d.tenant_id, d.integration_id)
where d.integration_id = :integration and {VISIBLE} group by 1, 2, 3 order by 1, 2, 3
"""
PACE = """
with newest as (
    select i.kind = :kind as is_same, cast(s.progress->>'indexed' as bigint) as n_items,
        cast(s.progress->>'n_chunks' as bigint) as n_chunks,
        extract(epoch from s.finished_at - s.started_at) as seconds,
        row_number() over (partition by i.kind = :kind order by s.id desc) as place
    from syncs s join integrations i on (i.tenant_id, i.id) = (s.tenant_id, s.integration_id)
    where s.state = 'succeeded' and cast(s.progress->>'indexed' as bigint) > 0
    and 2 * cast(s.progress->>'indexed' as bigint) >= cast(s.progress->>'processed' as bigint)
), paces as (
    select 1 as place, true as is_of_tenant, sum(n_items) as n_items, sum(n_chunks) as n_chunks, sum(seconds) as seconds
    from newest where is_same and place <= :n_syncs
    union all select 2, true, sum(n_items), sum(n_chunks), sum(seconds) from newest where place <= :n_syncs
    union all select 3, false, sum(n_items), sum(n_chunks), sum(seconds) from sync_paces where kind = :kind
    union all select 4, false, sum(n_items), sum(n_chunks), sum(seconds) from sync_paces
)
select * from paces where n_items > 0 and seconds > 0 order by place limit 1
"""
"""Syncs that mostly found things unchanged say little of how long new ones take."""
NOTE_PACE = """
insert into sync_paces as p (kind, n_items, n_chunks, seconds)
select i.kind, cast(s.progress->>'indexed' as bigint), cast(s.progress->>'n_chunks' as bigint),
    extract(epoch from s.finished_at - s.started_at)
from syncs s join integrations i on (i.tenant_id, i.id) = (s.tenant_id, s.integration_id)
where s.id = :sync and s.state = 'succeeded' and cast(s.progress->>'indexed' as bigint) > 0
and 2 * cast(s.progress->>'indexed' as bigint) >= cast(s.progress->>'processed' as bigint)
on conflict (kind) do update set
    n_items = (p.n_items + excluded.n_items) / case when p.n_items > :remembered then 2 else 1 end,
    n_chunks = (p.n_chunks + excluded.n_chunks) / case when p.n_items > :remembered then 2 else 1 end,
    seconds = (p.seconds + excluded.seconds) / case when p.n_items > :remembered then 2 else 1 end
"""
"""What is old weighs half again and again, so that a faster machine shows."""
PACE_SYNCS = 50
PACE_ITEMS = 20_000


class SurveyStore:
    """Counts of one tenant."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer) -> None:
        self._connection = connection
        self._viewer = viewer

    async def held(self, integration_id: int) -> Survey:
        rows = await self._connection.execute(
            sa.text(HELD),
            {
                "integration": integration_id,
                "depth": DEPTH,
                "no_type": NO_TYPE,
                "viewer": self._viewer.user_id,
                "is_system": self._viewer.is_system,
            },
        )
        counted = tuple(Counted(row.folder or "", row.file_type, row.day, row.n_items) for row in rows)
        return Survey(counted, is_of_source=False)

    async def pace(self, kind: str) -> Pace:
        rows = await self._connection.execute(sa.text(PACE), {"kind": kind, "n_syncs": PACE_SYNCS})
        row = rows.one_or_none()
        return Pace(int(row.n_items), int(row.n_chunks), float(row.seconds), row.is_of_tenant) if row else Pace()

    async def note_pace(self, sync_id: int) -> None:
        await self._connection.execute(sa.text(NOTE_PACE), {"sync": sync_id, "remembered": PACE_ITEMS})

    async def held_under(self, integration_id: int, prefixes: Sequence[str]) -> dict[str, int]:
        rows = await self._connection.execute(
            sa.text(
                "select p.prefix, count(d.id) as n from unnest(cast(:prefixes as text[])) p (prefix)"
                " left join documents d on d.integration_id = :integration"
                " and starts_with(d.external_id, p.prefix || '/') group by p.prefix order by p.prefix"
            ),
            {"integration": integration_id, "prefixes": list(prefixes)},
        )
        return {row.prefix: row.n for row in rows}
