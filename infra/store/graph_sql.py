"""Pieces of SQL that the graph's statements share: what a viewer may see, and what an entity is called."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.store.access import READABLE

DEPTHS = (300, 1_000_000)
"""Of thousands of relations those with most proofs are checked first, and all only where too few may be seen."""
BEST_FIRST = "b.is_made desc, position('@' in b.name) > 0, b.n_mentions desc, b.id"
"""What people wrote by hand, then names before addresses, then what is used most."""


def visible(alias: str) -> str:
    """Return the condition that a viewer may know an alias: by hand, or from a document they may read."""
    return (
        f"({alias}.is_made or exists (select from mentions m"
        f" join documents d on (d.tenant_id, d.id) = (m.tenant_id, m.document_id)"
        f" where (m.tenant_id, m.alias_id) = ({alias}.tenant_id, {alias}.id) and {READABLE}))"
    )


def best_alias(column: str, tenant: str, entity: str) -> str:
    """Return a subquery for a column of the alias that names an entity to this viewer; null where they see none."""
    return (
        f"(select b.{column} from entity_aliases b where (b.tenant_id, b.entity_id) = ({tenant}, {entity})"
        f" and {visible('b')} order by {BEST_FIRST} limit 1)"
    )


N_DOCUMENTS = f"""(select count(distinct m.document_id) from entity_aliases o
    join mentions m on (m.tenant_id, m.alias_id) = (o.tenant_id, o.id)
    join documents d on (d.tenant_id, d.id) = (m.tenant_id, m.document_id)
    where (o.tenant_id, o.entity_id) = (e.tenant_id, e.id) and {READABLE})"""
"""In how many documents that the viewer may read `entities e` stands."""


async def rows_to_depth(
    connection: AsyncConnection, statement: str, binds: Mapping[str, object], wanted: int
) -> Sequence[sa.Row[tuple[object, ...]]]:
    """Return the rows of a statement that has `:depth`; deeper where fewer than wanted came."""
    rows: Sequence[sa.Row[tuple[object, ...]]] = ()
    for depth in DEPTHS:
        rows = (await connection.execute(sa.text(statement), {**binds, "depth": depth})).all()
        if len(rows) >= wanted:
            break
    return rows
