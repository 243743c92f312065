"""What the vault knows of an address or a title, in the eyes of one viewer; each statement says itself who may know."""

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.people import Viewer
from domain.whereabouts import Evidence, Hidden, Sighting, Trace, addresses
from infra.store.access import READABLE, access_binds
from infra.store.headcounts import with_headcounts
from infra.store.integrations import VISIBLE

N_SIGHTINGS = 5
EXACT = (
    "(d.url = any(cast(:addresses as text[])) and d.url <> '' or d.external_id = any(cast(:addresses as text[]))"
    " or lower(d.title) = lower(:wanted))"
)
FROM = "from documents d join integrations i on (i.tenant_id, i.id) = (d.tenant_id, d.integration_id)"
SIGHTINGS = with_headcounts(f"""
select d.id as document_id, d.title, d.integration_id, i.name as integration_name, d.n_chunks, d.reserved_for,
    d.gone_at is not null as is_gone, row_number() over (order by {EXACT} desc, d.sorted_at desc, d.id) as place
{FROM} where {READABLE} and i.removed_at is null and ({EXACT} or d.title ilike :like)
order by {EXACT} desc, d.sorted_at desc, d.id limit :size
""")
HIDDEN = with_headcounts(f"""
select i.name as integration_name, d.id as document_id, d.reserved_for, 1 as place {FROM}
where i.owner_id is null and i.removed_at is null and d.reserved_for is null and not {READABLE} and {EXACT}
order by d.sorted_at desc, d.id limit 1
""")
"""For admins only, and of shared integrations only."""
MAY_KNOW = f"{VISIBLE} and (i.owner_id = :viewer or :is_admin)"
TRACES = f"""
select t.integration_id, i.name as integration_name, t.name, t.stage, t.note, t.at from (
    select tenant_id, integration_id, external_id, name, 'failed' as stage, reason as note, created_at as at
    from sync_failures
    union all
    select tenant_id, integration_id, external_id, name, stage, note, changed_at from sync_items
) t join integrations i on (i.tenant_id, i.id) = (t.tenant_id, t.integration_id)
where {MAY_KNOW} and (t.external_id = any(cast(:addresses as text[])) or t.name ilike :like)
order by t.at desc limit 1
"""


class WhereaboutStore:
    """Looks for something in one tenant, in the eyes of one viewer."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer) -> None:
        self._connection = connection
        self._viewer = viewer

    async def look(self, wanted: str) -> Evidence:
        """Return what is known; what is found first ends the search."""
        escaped = wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        binds = {
            **access_binds(self._viewer),
            "viewer": self._viewer.user_id,
            "is_admin": self._viewer.is_admin,
            "addresses": list(addresses(wanted)),
            "wanted": wanted,
            "like": f"%{escaped}%",
            "size": N_SIGHTINGS,
        }
        rows = (await self._connection.execute(sa.text(SIGHTINGS), binds)).all()
        if rows:
            return Evidence(sightings=tuple(msgspec.convert(dict(row._mapping), Sighting) for row in rows))
        if self._viewer.is_admin:
            rows = (await self._connection.execute(sa.text(HIDDEN), binds)).all()
            if rows:
                return Evidence(hidden=tuple(msgspec.convert(dict(row._mapping), Hidden) for row in rows))
        rows = (await self._connection.execute(sa.text(TRACES), binds)).all()
        return Evidence(traces=tuple(msgspec.convert(dict(row._mapping), Trace) for row in rows))
