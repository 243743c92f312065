"""Who a viewer is to the sources, looked up once a transaction: a search would work it out in every statement."""

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.people import Viewer
from infra.store.access import MINE, access_binds

FEW_DOCUMENTS = 2_000
"""Where a viewer may read fewer, or a filter leaves fewer, all their chunks are compared: a walk would pass most by."""
WALK_WIDTH = 200
"""hnsw.ef_search: nodes kept in mind while walking the graph."""
MAX_WALKED = 40_000
"""Nodes looked at before the walk ends with fewer results than were asked for."""
KNOWN = "cast(:mine as text[])"
LOOK_UP = f"""
with mine as materialized (select {MINE} as principals)
select m.principals, (
    select count(*) from (
        select from document_access a where a.tenant_id = :tenant and a.principal = any(m.principals)
        limit {FEW_DOCUMENTS}
    ) a
) as n_documents,
    set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.ef_search', '{WALK_WIDTH}', true),
    set_config('hnsw.max_scan_tuples', '{MAX_WALKED}', true)
from mine m
"""
"""The walk of the graph is set up at once, since most times it comes next.

It goes on until enough rows have passed the tenant and the permissions (pgvector 0.8).
"""


class Standing(msgspec.Struct, frozen=True):
    """What stands for a viewer at this moment; a change that is committed meanwhile counts from the next search on."""

    principals: list[str]
    n_documents: int
    """Granted to any of them, counted up to FEW_DOCUMENTS."""


async def look_up(connection: AsyncConnection, viewer: Viewer) -> Standing:
    """Return what stands for the viewer, and make the transaction ready to walk a graph of vectors."""
    row = (await connection.execute(sa.text(LOOK_UP), {**access_binds(viewer), "tenant": viewer.tenant_id})).one()
    return Standing(list(row.principals), FEW_DOCUMENTS if viewer.is_system else int(row.n_documents))


def known(statement: str) -> str:
    """Return a statement that works out who the viewer is as one that is told so, by `:mine`."""
    return statement.replace(MINE, KNOWN)
