"""The word statistics of a tenant when chunks leave it; `infra.store.chunk_writing` counts those in that come.

Whoever changes them holds the tenant's lock until the commit: two who touch the same words never wait in a circle.
"""

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

HOLD = sa.text("select pg_advisory_xact_lock(7004011, cast(:tenant as int))")
FORGET = """
with lost as (
    select w.lexeme, count(*) as n from chunk_index i, unnest(i.tsv) w
    where i.tenant_id = :tenant and {which} and left(w.lexeme, 1) <> ' ' group by w.lexeme
), locked as (
    select l.lexeme from lexemes l join lost using (lexeme) where l.tenant_id = :tenant
    order by l.lexeme for update of l
)
update lexemes l set n_chunks = l.n_chunks - lost.n
from lost join locked using (lexeme) where l.tenant_id = :tenant and l.lexeme = lost.lexeme
"""

COUNT_OUT = """
update lexical_statistics s set n_chunks = s.n_chunks - lost.n_chunks, n_words = s.n_words - lost.n_words
from (
    select count(*) as n_chunks, coalesce(sum(i.n_words), 0) as n_words
    from chunk_index i where i.tenant_id = :tenant and {which}
) lost where s.tenant_id = :tenant
"""


async def hold_words(connection: AsyncConnection, tenant_id: int) -> None:
    """Wait until nobody else changes the tenant's word statistics, and keep others out until the transaction ends."""
    await connection.execute(HOLD, {"tenant": tenant_id})


async def forget_words(connection: AsyncConnection, tenant_id: int, which: str, binds: Mapping[str, object]) -> None:
    """Count the words of some chunks out; call it before they leave the index.

    `which` is a condition on `chunk_index i`, written by us, never by a person.
    """
    binds = {"tenant": tenant_id, **binds}
    await hold_words(connection, tenant_id)
    await connection.execute(sa.text(FORGET.format(which=which)), binds)
    await connection.execute(sa.text(COUNT_OUT.format(which=which)), binds)
