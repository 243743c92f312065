"""Facts reach whoever watches, through Redis or without it."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.facts import AccessEnded, DocumentsChanged, Fact, SyncChanged
from domain.progress import Progress
from domain.syncs import Sync, SyncState, Trigger
from infra import embedded
from infra.bus import Bus
from infra.bus.mailbox import Mailbox

TENANT, OTHER_TENANT = 7, 8
RETRY_S = 0.05


def fact_of(sync_id: int, processed: int, state: SyncState = SyncState.RUNNING, current: str = "") -> SyncChanged:
    return SyncChanged(
        Sync(
            id=sync_id,
            integration_id=1,
            integration_name="Handbook",
            state=state,
            trigger=Trigger.PERSON,
            progress=Progress(found=1000, processed=processed, current=current),
            checkpoint=Progress(),
            attempt=1,
            is_cancel_requested=False,
            reason="",
            requested_by="Ada Byron",
            created_at=datetime(2025, 1, 1, tzinfo=UTC),
            started_at=None,
            finished_at=None,
        )
    )


async def read(facts: AsyncIterator[Fact]) -> Fact:
    return await asyncio.wait_for(anext(facts), 10)


async def until_up(bus: Bus) -> None:
    async with asyncio.timeout(10):
        while await bus.check() != "up":
            pass


@pytest.fixture(params=["with Redis", "without Redis"])
def either_url(request: pytest.FixtureRequest, redis_url: str) -> str | None:
    return redis_url if request.param == "with Redis" else None


class OwnRedis:
    """A Redis server of one test, to be killed at will."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = folder / "redis.sock"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{self._socket}"

    def start(self) -> None:
        self._process = subprocess.Popen(
            [embedded._redis_binary(), *embedded._redis_arguments(self._folder, self._socket)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        embedded._wait_until_it_answers(self.url, self._process)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait(10)
            self._process = None


@contextmanager
def own_redis(folder: Path) -> Iterator[OwnRedis]:
    server = OwnRedis(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()


async def test_what_one_process_announces_another_process_sees(
    engine: AsyncEngine, database_url: str, either_url: str | None
) -> None:
    async with (
        Bus(engine, database_url, either_url) as worker,
        Bus(engine, database_url, either_url) as web,
        web.watch(TENANT) as facts,
    ):
        await worker.publish(TENANT, [fact_of(1, 10)])
        assert await read(facts) == fact_of(1, 10)


async def test_nobody_sees_the_facts_of_another_tenant(
    engine: AsyncEngine, database_url: str, either_url: str | None
) -> None:
    async with Bus(engine, database_url, either_url) as bus, bus.watch(TENANT) as facts:
        await bus.publish(OTHER_TENANT, [DocumentsChanged(1)])
        await bus.publish(TENANT, [DocumentsChanged(2)])
        assert await read(facts) == DocumentsChanged(2)


async def test_everything_announced_after_the_watch_began_is_seen_at_once(
    engine: AsyncEngine, database_url: str, either_url: str | None
) -> None:
    async with Bus(engine, database_url, either_url) as worker, Bus(engine, database_url, either_url) as web:
        for round_ in range(50):
            async with web.watch(TENANT) as facts:
                await worker.publish(TENANT, [DocumentsChanged(round_)])
                assert await read(facts) == DocumentsChanged(round_)


async def test_a_slow_reader_gets_the_last_state_of_every_sync(
    engine: AsyncEngine, database_url: str, either_url: str | None
) -> None:
    async with Bus(engine, database_url, either_url) as bus, bus.watch(TENANT) as slow, bus.watch(TENANT) as quick:
        for processed in range(1, 400):
            await bus.publish(TENANT, [fact_of(1, processed), fact_of(2, processed)])
        await bus.publish(TENANT, [fact_of(1, 400, SyncState.SUCCEEDED), DocumentsChanged(99)])
        while await read(quick) != DocumentsChanged(99):
            pass
        assert [await read(slow) for _ in range(3)] == [
            fact_of(2, 399),
            fact_of(1, 400, SyncState.SUCCEEDED),
            DocumentsChanged(99),
        ]


async def test_the_end_of_an_access_arrives_even_where_redis_is_not_heard(
    engine: AsyncEngine, database_url: str, redis_url: str
) -> None:
    async with (
        Bus(engine, database_url, redis_url) as worker,
        Bus(engine, database_url, None) as web_without_redis,
        web_without_redis.watch(TENANT) as facts,
    ):
        await worker.publish(TENANT, [AccessEnded(5)])
        assert await read(facts) == AccessEnded(5)


async def test_a_fact_too_large_for_a_notification_arrives_with_its_texts_cut(
    engine: AsyncEngine, database_url: str
) -> None:
    async with Bus(engine, database_url, None) as bus, bus.watch(TENANT) as facts:
        await bus.publish(TENANT, [fact_of(1, 10, current="\x01é" * 9000)])
        fact = await read(facts)
        assert isinstance(fact, SyncChanged)
        assert (fact.sync.progress.processed, len(fact.sync.progress.current)) == (10, 150)


async def test_facts_go_through_the_database_while_redis_is_away_and_through_redis_when_it_is_back(
    engine: AsyncEngine, database_url: str, tmp_path: Path
) -> None:
    with own_redis(tmp_path) as server:
        async with (
            Bus(engine, database_url, server.url, RETRY_S) as worker,
            Bus(engine, database_url, server.url, RETRY_S) as web,
            web.watch(TENANT) as facts,
        ):
            await worker.publish(TENANT, [fact_of(1, 10)])
            assert await read(facts) == fact_of(1, 10)
            server.kill()
            for processed in (20, 30):
                await worker.publish(TENANT, [fact_of(1, processed)])
                assert await read(facts) == fact_of(1, processed)
            assert "Redis does not answer" in await web.check()
            async with web.watch(OTHER_TENANT) as joined_meanwhile:
                server.start()
                await until_up(web)
                await until_up(worker)
                await worker.publish(OTHER_TENANT, [DocumentsChanged(1)])
                assert await read(joined_meanwhile) == DocumentsChanged(1)
            await worker.publish(TENANT, [fact_of(1, 40)])
            assert await read(facts) == fact_of(1, 40)
            async with Redis.from_url(server.url) as client:
                assert await client.pubsub_numsub("vault.7") == [(b"vault.7", 1)]


async def test_the_last_fact_is_not_lost_when_only_the_subscriber_was_cut_off(
    engine: AsyncEngine, database_url: str, tmp_path: Path
) -> None:
    with own_redis(tmp_path) as server:
        async with (
            Bus(engine, database_url, server.url, RETRY_S) as worker,
            Bus(engine, database_url, server.url, RETRY_S) as web,
            web.watch(TENANT) as facts,
            Redis.from_url(server.url) as operator,
        ):
            await operator.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            await worker.publish(TENANT, [fact_of(1, 10), fact_of(1, 1000, SyncState.SUCCEEDED)])
            assert await read(facts) == fact_of(1, 1000, SyncState.SUCCEEDED)


async def test_a_process_that_starts_while_redis_is_away_joins_it_later(
    engine: AsyncEngine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.bus.bus.START_TIMEOUT_S", 0.2)
    with own_redis(tmp_path) as server:
        server.kill()
        async with Bus(engine, database_url, server.url, RETRY_S) as bus, bus.watch(TENANT) as facts:
            await bus.publish(TENANT, [DocumentsChanged(1)])
            assert await read(facts) == DocumentsChanged(1)
            server.start()
            await until_up(bus)
            await bus.publish(TENANT, [DocumentsChanged(2)])
            assert await read(facts) == DocumentsChanged(2)


async def test_announcing_does_not_fail_when_both_servers_are_away(engine: AsyncEngine, tmp_path: Path) -> None:
    nowhere = Bus(engine.execution_options(), "postgresql:///nowhere?host=/nowhere", f"unix://{tmp_path}/none", RETRY_S)
    await nowhere.publish(TENANT, [DocumentsChanged(1)])
    assert "listens for live updates is down" in await nowhere.check()
    await nowhere.stop()


async def test_a_thousand_watchers_share_one_connection_to_redis(
    engine: AsyncEngine, database_url: str, tmp_path: Path
) -> None:
    with own_redis(tmp_path) as server:
        async with Bus(engine, database_url, server.url) as bus:
            watches = [bus.watch(tenant_id) for tenant_id in range(500) for _ in range(2)]
            streams = [await watch.__aenter__() for watch in watches]
            async with Redis.from_url(server.url) as operator:
                subscribers = await operator.client_list(_type="pubsub")
            for tenant_id in range(500):
                await bus.publish(tenant_id, [DocumentsChanged(tenant_id)])
            seen = [await read(stream) for stream in streams]
            for watch in watches:
                await watch.__aexit__(None, None, None)
    assert len(subscribers) == 1
    assert seen == [DocumentsChanged(tenant_id) for tenant_id in range(500) for _ in range(2)]


async def test_a_payload_of_another_release_is_passed_over(
    engine: AsyncEngine, database_url: str, redis_url: str
) -> None:
    async with Bus(engine, database_url, redis_url) as bus, bus.watch(TENANT) as facts:
        async with Redis.from_url(redis_url) as client:
            for payload in (b'{"type": "sync_exploded"}', b"\xff\x00", b"[" * 5000):
                await client.publish(f"vault.{TENANT}", payload)
        await bus.publish(TENANT, [DocumentsChanged(1)])
        assert await read(facts) == DocumentsChanged(1)


async def test_watches_end_when_the_process_stops(engine: AsyncEngine, database_url: str, redis_url: str) -> None:
    bus = Bus(engine, database_url, redis_url)
    await bus.start()
    async with bus.watch(TENANT) as facts:
        await bus.stop()
        assert [fact async for fact in facts] == []


async def test_an_older_state_that_arrives_late_is_not_shown() -> None:
    mailbox = Mailbox()
    for fact in (fact_of(1, 50), fact_of(1, 1000, SyncState.SUCCEEDED), fact_of(1, 60)):
        mailbox.put(fact)
    mailbox.close()
    assert [fact async for fact in mailbox] == [fact_of(1, 1000, SyncState.SUCCEEDED)]


async def test_a_full_mailbox_keeps_the_newest_facts_and_every_end_of_access() -> None:
    mailbox = Mailbox(size=3)
    for fact in (AccessEnded(5), *(DocumentsChanged(number) for number in range(10))):
        mailbox.put(fact)
    mailbox.close()
    assert [fact async for fact in mailbox] == [AccessEnded(5), DocumentsChanged(8), DocumentsChanged(9)]
