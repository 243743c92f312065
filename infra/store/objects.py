"""Which files of the object store nobody refers to any more, and their removal; the store itself is not in Postgres.

A key is unused from the moment it is given out until its upload is committed, and again when its blob is deleted. So
neither a process that dies in between, nor a deletion that rolls back, leaves a file behind or takes one away.
"""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.uploads import ObjectStore

AGE_H = 6
"""An upload that takes longer than this from its key to its commit is lost."""
BATCH = 500

UNUSED = sa.text(
    "select key from unused_objects where since < now() - make_interval(hours => :age) order by since limit :batch"
)
FORGET = sa.text("delete from unused_objects where key = any(:keys)")


async def remove_unused(engine: AsyncEngine, objects: ObjectStore, age_h: int = AGE_H) -> int:
    """Remove a batch of files nobody refers to; return how many. Raises: Unavailable."""
    async with engine.connect() as connection:
        rows = await connection.execute(UNUSED, {"age": age_h, "batch": BATCH})
        keys = list(rows.scalars())
    if keys:
        await objects.remove(keys)
        async with engine.begin() as connection:
            await connection.execute(FORGET, {"keys": keys})
    return len(keys)
