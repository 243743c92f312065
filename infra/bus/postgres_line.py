"""The Postgres side of the bus: LISTEN and NOTIFY carry the facts while Redis is away.

One shared channel, with the tenant inside the payload: a LISTEN for each tenant would mean one round trip for each.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import msgspec
import psycopg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.bus.redis_line import Deliver

CHANNEL = "knowledgevault"


class Envelope(msgspec.Struct, frozen=True):
    """A fact on its way to the watchers of one channel."""

    channel: str
    fact: msgspec.Raw


class PostgresLine:
    """Sends with NOTIFY, and delivers everything that is notified, on one connection of its own."""

    def __init__(self, engine: AsyncEngine, database_url: str, deliver: Deliver, retry_s: float) -> None:
        self._engine = engine
        self._database_url = database_url
        self._deliver = deliver
        self._retry_s = retry_s
        self.up = asyncio.Event()
        """Set while this process hears what is notified."""

    async def run(self) -> None:
        """Listen until cancelled; a lost connection is made anew after `retry_s`."""
        while True:
            with suppress(psycopg.Error, OSError):
                await self._listen()
            self.up.clear()
            await asyncio.sleep(self._retry_s)

    async def publish(self, channel: str, payloads: Sequence[bytes]) -> None:
        """Notify in one short transaction. Raises: SQLAlchemyError, OSError."""
        async with self._engine.begin() as connection:
            await connection.execute(
                sa.text("select pg_notify(:channel, payload) from unnest(cast(:payloads as text[])) as payload"),
                {"channel": CHANNEL, "payloads": [_sealed(channel, payload) for payload in payloads]},
            )

    async def _listen(self) -> None:
        async with await psycopg.AsyncConnection.connect(
            _with_keep_alive(self._database_url), autocommit=True
        ) as connection:
            await connection.execute(f"listen {CHANNEL}")
            self.up.set()
            async for notification in connection.notifies():
                with suppress(msgspec.DecodeError):
                    envelope = msgspec.json.decode(notification.payload, type=Envelope)
                    self._deliver(envelope.channel, bytes(envelope.fact))


def _sealed(channel: str, payload: bytes) -> str:
    return msgspec.json.encode(Envelope(channel, msgspec.Raw(payload))).decode()


def _with_keep_alive(database_url: str) -> str:
    """A listener whose server vanished without a word notices within a minute."""
    return psycopg.conninfo.make_conninfo(
        database_url,
        application_name="knowledgevault bus",
        keepalives_idle=30,
        keepalives_interval=10,
        keepalives_count=3,
    )
