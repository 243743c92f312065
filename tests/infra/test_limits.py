"""Limits, counted in a real Redis by several instances."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from domain.errors import Throttled
from domain.limits import Limit
from infra.limits import RedisLimiter, limiter_client


@pytest.fixture
def limit() -> Limit:
    """Five at once, five more in an hour, counted under a name of this test."""
    return Limit(uuid.uuid4().hex, 5, 3600, "attempts")


@pytest_asyncio.fixture
async def limiters(redis_url: str) -> AsyncIterator[list[RedisLimiter]]:
    """The limiters of two instances."""
    clients = [limiter_client(redis_url) for _ in range(2)]
    yield [RedisLimiter(client) for client in clients]
    for client in clients:
        await client.aclose()


async def is_let_through(limiter: RedisLimiter, limit: Limit, who: str = "ada") -> bool:
    try:
        await limiter.take(limit, who)
    except Throttled:
        return False
    return True


async def test_of_fifty_simultaneous_attempts_at_two_instances_exactly_as_many_pass_as_may(
    limiters: list[RedisLimiter], limit: Limit
) -> None:
    passed = await asyncio.gather(*(is_let_through(limiters[number % 2], limit) for number in range(50)))
    assert sum(passed) == 5


async def test_who_is_refused_learns_when_to_try_again(limiters: list[RedisLimiter], limit: Limit) -> None:
    for _ in range(5):
        await limiters[0].take(limit, "ada")
    with pytest.raises(Throttled, match=r"There were too many attempts\. Try again in 12 minutes\.") as refused:
        await limiters[1].take(limit, "ada")
    assert 700 < refused.value.wait_s <= 720


async def test_a_refused_attempt_does_not_make_the_wait_longer(limiters: list[RedisLimiter], limit: Limit) -> None:
    for _ in range(5):
        await limiters[0].take(limit, "ada")
    waits = []
    for _ in range(3):
        with pytest.raises(Throttled) as refused:
            await limiters[0].take(limit, "ada")
        waits.append(refused.value.wait_s)
    assert waits == sorted(waits, reverse=True)


async def test_what_is_given_back_may_be_taken_again(limiters: list[RedisLimiter], limit: Limit) -> None:
    for _ in range(5):
        await limiters[0].take(limit, "ada")
    await limiters[1].give_back(limit, "ada")
    assert await is_let_through(limiters[0], limit)
    assert not await is_let_through(limiters[0], limit)


async def test_one_person_does_not_use_up_anothers_attempts(limiters: list[RedisLimiter], limit: Limit) -> None:
    for _ in range(5):
        await limiters[0].take(limit, "ada")
    assert await is_let_through(limiters[0], limit, "grace")


async def test_counting_begins_again_after_a_while(limiters: list[RedisLimiter], limit: Limit) -> None:
    quick = Limit(limit.name, 1, 0.05, "attempts")
    await limiters[0].take(quick, "ada")
    with pytest.raises(Throttled) as refused:
        await limiters[0].take(quick, "ada")
    await asyncio.sleep(refused.value.wait_s)
    assert await is_let_through(limiters[0], quick)


async def test_without_redis_everything_passes(limit: Limit) -> None:
    client = limiter_client("redis://127.0.0.1:1")
    limiter = RedisLimiter(client)
    assert all([await is_let_through(limiter, limit) for _ in range(10)])
    await limiter.give_back(limit, "ada")
    await client.aclose()
