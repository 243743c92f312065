"""The connection to Postgres: one pool a process, and transactions bound to a tenant or to the lobby."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

IDLE_LIMIT = "set_config('idle_in_transaction_session_timeout', '25s', true)"
"""No transaction waits for anything but Postgres; one that does belongs to a process that hangs, and its locks must go.

Set in the transaction rather than at the connection's start, which connection poolers refuse.
"""
BIND_TENANT = sa.text(f"select set_config('kv.tenant', :tenant, true), {IDLE_LIMIT}")
BIND_LOBBY = sa.text(f"select set_config('kv.lobby', 'on', true), {IDLE_LIMIT}")


def sqlalchemy_url(database_url: str) -> str:
    """Return the URL with the driver named; PaaS providers write `postgres://`."""
    scheme, rest = database_url.split("://", 1)
    if not scheme.startswith("postgres"):
        raise ValueError("DATABASE_URL must begin with postgresql://")
    return f"postgresql+psycopg://{rest}"


def make_engine(database_url: str, pool_size: int) -> AsyncEngine:
    """Return an engine with at most `pool_size` connections; waiting for one longer than 10 s is an error."""
    return create_async_engine(
        sqlalchemy_url(database_url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=10,
        pool_pre_ping=True,
        pool_reset_on_return="rollback",
        connect_args={"prepare_threshold": None, "application_name": "knowledgevault"},
    )


@asynccontextmanager
async def tenant_transaction(engine: AsyncEngine, tenant_id: int) -> AsyncIterator[AsyncConnection]:
    """Open a transaction in which row security shows this tenant only; commit at the end, roll back on an error."""
    async with engine.begin() as connection:
        await connection.execute(BIND_TENANT, {"tenant": str(tenant_id)})
        yield connection


@asynccontextmanager
async def lobby_transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Open a transaction in which row security shows accounts and sessions of all tenants, and no content."""
    async with engine.begin() as connection:
        await connection.execute(BIND_LOBBY)
        yield connection
