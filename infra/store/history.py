"""Superseded versions in Postgres: which of them counted at a moment."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.history import PastVersion
from domain.people import Viewer
from infra.store.access import READABLE, access_binds
from infra.store.texts import storable

IN_FORCE = sa.text(f"""
with candidate as (
    select distinct on (d.id) d.id as document_id, v.id as version_id, d.title, v.text, v.blocks,
        n.name as integration_name, d.media_type, d.author, d.url,
        coalesce(v.modified_at, v.created_at) as modified_at
    from documents d
    join document_versions v on (v.tenant_id, v.document_id) = (d.tenant_id, d.id)
    join integrations n on (n.tenant_id, n.id) = (d.tenant_id, d.integration_id)
    where d.version_ordinal > 1 and d.sorted_at >= :moment and v.id <> d.version_id
    and coalesce(v.modified_at, v.created_at) < :moment and {READABLE}
    order by d.id, v.ordinal desc
)
select c.*, (
    select count(*) from unnest(cast(:words as text[])) w where position(w in lower(c.title || ' ' || c.text)) > 0
) as n_words
from candidate c order by n_words desc, c.document_id limit :limit
""")


class HistoryStore:
    """The superseded versions of one tenant, as one viewer may read them."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer) -> None:
        self._connection = connection
        self._viewer = viewer

    async def in_force(self, moment: datetime, words: Sequence[str], limit: int) -> list[PastVersion]:
        rows = await self._connection.execute(
            IN_FORCE,
            {
                **access_binds(self._viewer),
                "moment": moment,
                "words": [storable(word) for word in words],
                "limit": limit,
            },
        )
        return [msgspec.convert(dict(row._mapping), PastVersion, strict=False) for row in rows]
