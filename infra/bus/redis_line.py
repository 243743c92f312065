"""The Redis side of the bus: one subscribed connection for the whole process, and a client that publishes.

The subscriber speaks RESP on a bare connection: redis-py's PubSub reconnects by itself, silently, and what was
published meanwhile would be lost. Here a new connection asks for the latest facts of every channel it joins again.
"""

import asyncio
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import cast

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

PROCESS_CHANNEL = "vault"
"""Joined first on every connection: its confirmation says that the line is up."""
N_LATEST = 32
LATEST_LIFE_S = 120
"""How many facts of a tenant Redis remembers, and for how long: enough for a subscriber that lost its connection."""
TIMEOUT_S = 2.0

Deliver = Callable[[str, bytes], None]


class RedisLine:
    """Publishes to channels, and delivers what is published on the channels that were joined."""

    def __init__(self, url: str, deliver: Deliver, retry_s: float) -> None:
        self._client = Redis.from_url(
            url,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
        )
        self._deliver = deliver
        self._retry_s = retry_s
        self._connection: AbstractConnection | None = None
        self._joined: dict[str, asyncio.Event] = {}
        self.up = asyncio.Event()
        """Set while this process receives what is published."""

    async def run(self) -> None:
        """Receive until cancelled; a lost connection is made anew after `retry_s`."""
        while True:
            with suppress(RedisError, OSError):
                await self._receive()
            await asyncio.sleep(self._retry_s)

    async def close(self) -> None:
        """Let go of the publisher's connections."""
        await self._client.aclose()

    async def ping(self) -> None:
        """Raises: RedisError, OSError when Redis does not answer."""
        await self._client.ping()

    async def publish(self, channel: str, payloads: Sequence[bytes], remembered: Sequence[bytes]) -> None:
        """Publish, and remember some for subscribers that are just reconnecting. Raises: RedisError, OSError."""
        async with self._client.pipeline(transaction=True) as pipeline:
            if remembered:
                pipeline.rpush(_latest(channel), *remembered)
                pipeline.ltrim(_latest(channel), -N_LATEST, -1)
                pipeline.expire(_latest(channel), LATEST_LIFE_S)
            for payload in payloads:
                pipeline.publish(channel, payload)
            await pipeline.execute()

    async def join(self, channel: str) -> None:
        """Return once everything published on the channel from now on is delivered, or at once while Redis is away."""
        confirmed = self._joined.get(channel)
        if confirmed is None:
            confirmed = self._joined[channel] = asyncio.Event()
            await self._subscribe(channel, confirmed)
        with suppress(TimeoutError):
            await asyncio.wait_for(confirmed.wait(), TIMEOUT_S)

    async def leave(self, channel: str) -> None:
        """Stop delivering what is published on the channel."""
        self._joined.pop(channel, None)
        with suppress(RedisError, OSError):
            await self._send("UNSUBSCRIBE", channel)

    async def _subscribe(self, channel: str, confirmed: asyncio.Event) -> None:
        try:
            is_sent = await self._send("SUBSCRIBE", channel)
        except (RedisError, OSError):
            is_sent = False
        if not is_sent:
            confirmed.set()

    async def _send(self, *command: str) -> bool:
        """Send on the open connection, never on a new one, which would have joined nothing yet."""
        if self._connection is None or not self._connection.is_connected:
            return False
        await self._connection.send_command(*command, check_health=False)
        return True

    async def _receive(self) -> None:
        connection: AbstractConnection = self._client.connection_pool.make_connection()  # type: ignore[no-untyped-call]
        try:
            await connection.connect()  # type: ignore[no-untyped-call]
            self._connection = connection
            await self._send("SUBSCRIBE", PROCESS_CHANNEL, *self._joined)
            while True:
                await self._take(await connection.read_response(timeout=math.inf))
        finally:
            self._connection = None
            self.up.clear()
            for confirmed in self._joined.values():
                confirmed.set()
            await connection.disconnect(nowait=True)

    async def _take(self, reply: list[bytes]) -> None:
        kind, channel = reply[0], reply[1].decode()
        if kind == b"message":
            self._deliver(channel, reply[2])
        elif kind == b"subscribe" and channel == PROCESS_CHANNEL:
            self.up.set()
        elif kind == b"subscribe" and channel in self._joined:
            await self._confirm(channel, self._joined[channel])

    async def _confirm(self, channel: str, confirmed: asyncio.Event) -> None:
        """A channel that is confirmed a second time was without us in between: deliver what it remembers."""
        if not confirmed.is_set():
            confirmed.set()
            return
        for payload in await self._client.lrange(_latest(channel), 0, -1):
            self._deliver(channel, cast(bytes, payload))


def _latest(channel: str) -> str:
    return f"{channel}.latest"
