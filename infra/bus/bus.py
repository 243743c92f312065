"""Announce facts and watch them: Redis carries them, Postgres does while Redis is away, and nobody has to restart.

Facts are small and repeatable, the rows are the truth: a fact that comes twice, or a middle one that is lost, harms
nothing. `AccessEnded` goes both ways at once, since a stream that outlives its permission would.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from types import TracebackType

import msgspec
import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.facts import AccessEnded, Fact, SyncChanged, channel, decode, encode
from infra.bus.mailbox import Mailbox
from infra.bus.postgres_line import PostgresLine
from infra.bus.redis_line import RedisLine

RETRY_S = 2.0
"""Pause before a server that did not answer is tried again."""
START_TIMEOUT_S = 5.0
MAX_NOTIFY_BYTES = 7900
"""Postgres takes payloads under 8,000 bytes; the envelope needs some of them."""
MAX_TEXT_CHARACTERS = 150
"""To which a fact's texts are cut when it is too large: four of them, at six bytes a character, fit."""


class Bus:
    """One per process, used as `async with`: two receiving connections, however many people watch."""

    def __init__(self, engine: AsyncEngine, database_url: str, redis_url: str | None, retry_s: float = RETRY_S) -> None:
        self._retry_s = retry_s
        self._postgres = PostgresLine(engine, database_url, self._deliver, retry_s)
        self._redis = RedisLine(redis_url, self._deliver, retry_s) if redis_url else None
        self._redis_next_try_at = 0.0
        self._mailboxes: dict[str, set[Mailbox]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Bus":
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Begin to receive; return when all servers are there, or after five seconds without those that are not."""
        lines: list[PostgresLine | RedisLine] = [self._postgres, *([self._redis] if self._redis else [])]
        self._tasks = [asyncio.create_task(line.run()) for line in lines]
        with suppress(TimeoutError):
            async with asyncio.timeout(START_TIMEOUT_S):
                for line in lines:
                    await line.up.wait()

    async def stop(self) -> None:
        """End every watch after what it has not read yet, and close the connections."""
        for mailboxes in self._mailboxes.values():
            for mailbox in mailboxes:
                mailbox.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._redis:
            await self._redis.close()

    async def check(self) -> str:
        """Return "up", or what is wrong in one sentence."""
        if not self._postgres.up.is_set():
            return "The database connection that listens for live updates is down; it is being made again."
        if self._redis is None:
            return "REDIS_URL is not set; live updates go through the database, and nothing is cached."
        try:
            await self._redis.ping()
        except (RedisError, OSError):
            return "Redis does not answer; live updates go through the database meanwhile."
        return "up" if self._redis.up.is_set() else "Redis answers again; live updates are being connected to it."

    async def publish(self, tenant_id: int, facts: Sequence[Fact]) -> None:
        """Announce facts in order. Never raises for a server that is away: the rows are committed already."""
        if not facts:
            return
        endings = [fact for fact in facts if isinstance(fact, AccessEnded)]
        notified = endings if await self._publish_on_redis(tenant_id, facts) else facts
        if notified:
            await self._publish_on_postgres(tenant_id, notified)

    @asynccontextmanager
    async def watch(self, tenant_id: int) -> AsyncIterator[AsyncIterator[Fact]]:
        """Subscribe, then yield facts as they are announced; slow readers lose middle facts, never the last."""
        name, mailbox = channel(tenant_id), Mailbox()
        self._mailboxes.setdefault(name, set()).add(mailbox)
        try:
            if self._redis:
                await self._redis.join(name)
            yield mailbox
        finally:
            await self._leave(name, mailbox)

    async def _leave(self, name: str, mailbox: Mailbox) -> None:
        self._mailboxes[name].discard(mailbox)
        if not self._mailboxes[name]:
            del self._mailboxes[name]
            if self._redis:
                await self._redis.leave(name)

    def _deliver(self, name: str, payload: bytes) -> None:
        try:
            fact = decode(payload)
        except msgspec.DecodeError:
            structlog.get_logger().warning("fact_not_understood", channel=name)
            return
        for mailbox in self._mailboxes.get(name, ()):
            mailbox.put(fact)

    async def _publish_on_redis(self, tenant_id: int, facts: Sequence[Fact]) -> bool:
        now = asyncio.get_running_loop().time()
        if self._redis is None or now < self._redis_next_try_at:
            return False
        remembered = [encode(fact) for fact in facts if not isinstance(fact, AccessEnded)]
        try:
            await self._redis.publish(channel(tenant_id), [encode(fact) for fact in facts], remembered)
        except (RedisError, OSError) as error:
            self._redis_next_try_at = now + self._retry_s
            structlog.get_logger().warning("redis_away", reason=str(error))
            return False
        return True

    async def _publish_on_postgres(self, tenant_id: int, facts: Sequence[Fact]) -> None:
        try:
            await self._postgres.publish(channel(tenant_id), [_small(fact) for fact in facts])
        except (SQLAlchemyError, OSError) as error:
            structlog.get_logger().warning("facts_not_announced", tenant_id=tenant_id, reason=str(error))


def _small(fact: Fact) -> bytes:
    """Return the fact as it fits into a notification, its texts cut when they must be."""
    payload = encode(fact)
    if len(payload) <= MAX_NOTIFY_BYTES or not isinstance(fact, SyncChanged):
        return payload
    sync, cut = fact.sync, slice(0, MAX_TEXT_CHARACTERS)
    return encode(
        SyncChanged(
            msgspec.structs.replace(
                sync,
                progress=msgspec.structs.replace(sync.progress, current=sync.progress.current[cut]),
                checkpoint=msgspec.structs.replace(sync.checkpoint, current=""),
                integration_name=sync.integration_name[cut],
                requested_by=sync.requested_by[cut],
                reason=sync.reason[cut],
            )
        )
    )
