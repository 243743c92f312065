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
select coalesce(sum(cast(s.progress->>'indexed' as bigint)), 0) as n_items,
    coalesce(sum(cast(s.progress->>'n_chunks' as bigint)), 0) as n_chunks,
    coalesce(sum(extract(epoch from s.finished_at - s.started_at)), 0) as seconds
from (select * from syncs where state = 'succeeded' and cast(progress->>'indexed' as bigint) > 0
    order by id desc limit 50) s
"""


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

    async def pace(self) -> Pace:
        row = (await self._connection.execute(sa.text(PACE))).one()
        return Pace(int(row.n_items), int(row.n_chunks), float(row.seconds))

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
