"""Redis is a convenience: never there, or lost on the way, the product goes on; back again, it is used again."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from tests.scale.cluster import Cluster, cluster
from tests.scale.instances import restart_postgres, until
from tests.scale.people import Person, Seen, person, write_documents

pytestmark = pytest.mark.long
NOWHERE = "unix:///nowhere/redis.sock"


@pytest.fixture(params=["", NOWHERE], ids=["not set", "does not answer"])
def without(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    with cluster(n_webs=2, n_workers=1, redis=request.param) as running:
        yield running


async def live_a_day(running: Cluster, somebody: Person, name: str) -> None:
    """Sync with progress, search, ask: all that people come for."""
    running.embedder.latency_s = 0.3
    sync_id, seen = await somebody.connect_folder(write_documents(running.folder / name, 40)), Seen()
    await somebody.watch(sync_id, seen)
    running.embedder.latency_s = 0.0
    assert "Done" in seen.markups[-1]
    assert len(seen.markups) > 2, "progress was seen moving"
    await somebody.visit("/search?q=report")
    assert somebody.path.startswith("/search")
    await somebody.visit("/conversations")
    await somebody.submit("/conversations", question="Who decides about releases?")
    assert somebody.path.startswith("/conversations/")


def status_of(running: Cluster) -> tuple[int, str]:
    answer = httpx.get(f"{running.url}/health/ready", timeout=10)
    return answer.status_code, answer.json()["status"]


async def test_everything_goes_on_where_redis_never_was(without: Cluster) -> None:
    assert status_of(without) == (200, "degraded: redis")
    async with person(without.url) as ada:
        await ada.sign_up()
        await live_a_day(without, ada, "never")


async def test_redis_may_be_lost_and_found_without_a_restart() -> None:
    with cluster(n_webs=2, n_workers=1) as running:
        assert running.redis is not None
        async with person(running.url) as ada:
            await ada.sign_up()
            await live_a_day(running, ada, "before")
            running.redis.lose()
            assert status_of(running) == (200, "degraded: redis")
            await live_a_day(running, ada, "meanwhile")
            running.redis.start()
            await asyncio.to_thread(until, lambda: all_up(running), "Redis is used again")
            n_asked = len(running.embedder.asked)
            for _ in range(4):
                await ada.visit("/search?q=Who signs a release?")
            assert len(running.embedder.asked) == n_asked + 1


def all_up(running: Cluster) -> bool:
    return all(httpx.get(f"http://127.0.0.1:{web.port}/health/ready").json()["status"] == "up" for web in running.webs)


async def test_without_postgres_nothing_is_ready_and_all_is_well_when_it_is_back() -> None:
    with cluster(n_webs=1, n_workers=1) as running:
        async with person(running.url) as ada:
            await ada.sign_up()
            running.webs[0].wait_until_ready()
            await asyncio.to_thread(restart_postgres, running.postgres_data)
            running.wait_until_ready()
            await live_a_day(running, ada, "after")
