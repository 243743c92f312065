"""What a library can be narrowed to, found by leaping from one value to the next in an index, however many documents.

For each value one document that the viewer may read is enough: none is counted.
"""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.documents import Facets
from domain.people import Viewer
from infra.store.access import READABLE, access_binds

MAX_VALUES = 200
"""Types and authors that are looked at, by name."""
ONE_BY_ONE = "offset 0"
"""Keeps Postgres from joining, which would read all documents for a value that has none for this viewer."""
FROM_INDEX = f"order by d.integration_id, d.id limit 1 {ONE_BY_ONE}"
"""The same for integrations, in an order that only an index gives: an empty one costs no walk through the rest."""


def _values(column: str) -> str:
    """Return a statement for the values of a column of `documents`, by name, that the viewer may know of."""
    first = f"select d.{column} from documents d where d.tenant_id = :tenant order by d.{column} limit 1"
    after = (
        f"select d.{column} from documents d where d.tenant_id = :tenant and d.{column} > v.value"
        f" order by d.{column} limit 1"
    )
    return f"""
        with recursive v (value, place) as (
            ({first.replace(f"select d.{column}", f"select d.{column}, 1")})
            union all select ({after}), v.place + 1 from v where v.value is not null and v.place < {MAX_VALUES + 1}
        )
        select '{column}' as name, 0 as id, v.value from v where v.value <> '' and exists (
            select from documents d where d.tenant_id = :tenant and d.{column} = v.value and {READABLE} {ONE_BY_ONE}
        )"""


FACETS = f"""
select * from (
    select 'integration' as name, i.id, i.name as value from integrations i where i.removed_at is null and exists (
        select from documents d where d.tenant_id = :tenant and d.integration_id between i.id and i.id and {READABLE}
        {FROM_INDEX}
    )
    union all select * from ({_values("media_type")}) types
    union all select * from ({_values("author")}) authors
) f order by name, lower(value), value, id
"""


async def read_facets(connection: AsyncConnection, viewer: Viewer) -> Facets:
    """See `domain.documents.Documents.facets`."""
    rows = await connection.execute(sa.text(FACETS), {**access_binds(viewer), "tenant": viewer.tenant_id})
    found = rows.all()
    return Facets(
        integrations=tuple((row.id, row.value) for row in found if row.name == "integration"),
        media_types=tuple(row.value for row in found if row.name == "media_type"),
        authors=tuple(row.value for row in found if row.name == "author"),
    )
