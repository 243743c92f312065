"""Row 10: what Redis holds stays inside its bound, and what is used least leaves first. Row 4: parsers are nobody's.

No truth is in Redis at all: sessions, tickets, progress and jobs are rows in Postgres, so nothing evicted is ever
missed. What a shared limit counts, and all else without an expiry, is not evicted either: the policy is `volatile-lfu`.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from domain.errors import Invalid
from domain.parsing import ParseSettings
from infra.inference.cache import CachedEmbedder
from infra.parsers.process import parser_process
from tests.domain.fakes import WordEmbedder
from tests.scale.instances import OwnRedis

BOUND_BYTES = 3 * 2**20
N_TEXTS = 6000
"""Whose vectors would take about twice the bound."""


@pytest_asyncio.fixture
async def small_redis(tmp_path: Path) -> AsyncIterator[Redis]:
    server = OwnRedis(tmp_path)
    server.start()
    client = Redis.from_url(server.url)
    await client.config_set("maxmemory", BOUND_BYTES)
    yield client
    await client.aclose()
    server.instance.kill()


async def test_row_10_the_cache_stays_in_its_bound_evicts_the_least_used_and_never_a_state_key(
    small_redis: Redis,
) -> None:
    cached = CachedEmbedder(WordEmbedder(384), small_redis)
    await small_redis.set("state", "never evicted")
    favourite = "the question everybody asks"
    for start in range(0, N_TEXTS, 100):
        await cached.embed([f"text {number}" for number in range(start, start + 100)])
        for _ in range(20):
            await cached.embed([favourite])
    memory = await small_redis.info("memory")
    assert memory["used_memory"] <= BOUND_BYTES
    assert (await small_redis.info("stats"))["evicted_keys"] > 0
    n_misses = cached.n_misses
    await cached.embed([favourite])
    assert cached.n_misses == n_misses, "what is used most stays"
    assert await small_redis.get("state") == b"never evicted"


async def test_a_full_cache_costs_time_and_never_an_answer(small_redis: Redis) -> None:
    await small_redis.config_set("maxmemory", 0)
    await small_redis.set("ballast", b"x" * BOUND_BYTES)
    await small_redis.config_set("maxmemory", BOUND_BYTES)
    cached, bare = CachedEmbedder(WordEmbedder(384), small_redis), WordEmbedder(384)
    texts = [f"text {number}" for number in range(50)]
    np.testing.assert_allclose(await cached.embed(texts), await bare.embed(texts), atol=1e-3)


async def test_row_4_fifty_parsers_at_once_each_read_their_own_file() -> None:
    async with parser_process(ParseSettings()) as one, parser_process(ParseSettings()) as two:
        parsed = await asyncio.gather(
            *(
                parser.parse(f"{number}.md", "text/markdown", f"# Note {number}\n\nOnly {number} stands here.".encode())
                for number in range(25)
                for parser in (one, two)
            )
        )
    assert [each.title for each in parsed] == [f"Note {number}" for number in range(25) for _ in range(2)]


async def test_row_4_changed_settings_are_those_of_the_next_job() -> None:
    text = b"word " * 2000
    async with parser_process(ParseSettings()) as parser:
        assert len((await parser.parse("a.txt", "text/plain", text)).text) > 9000
    async with parser_process(ParseSettings(max_characters=1000)) as parser:
        with pytest.raises(Invalid):
            await parser.parse("a.txt", "text/plain", text)
