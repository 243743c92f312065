import uuid
from collections.abc import AsyncIterator, Sequence

import numpy as np
import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from domain.embedding import EmbeddingModel, Matrix
from infra.inference.cache import CachedEmbedder
from infra.metrics import count_embeddings
from tests.domain.fakes import WordEmbedder
from tests.inference.embedder_contract import keeps_the_promises_of_an_embedder


class CountingEmbedder:
    """A word embedder of a revision nobody used before, that keeps what it was asked."""

    def __init__(self) -> None:
        self._embedder = WordEmbedder()
        self.model = EmbeddingModel("words", uuid.uuid4().hex, self._embedder.model.n_dimensions)
        self.asked: list[str] = []

    async def embed(self, texts: Sequence[str]) -> Matrix:
        self.asked += texts
        return await self._embedder.embed(texts)


@pytest_asyncio.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    redis = Redis.from_url(redis_url)
    yield redis
    await redis.aclose()


async def test_a_text_is_computed_once_for_all_instances(redis: Redis) -> None:
    embedder = CountingEmbedder()
    one, other = CachedEmbedder(embedder, redis), CachedEmbedder(embedder, redis)
    first = await one.embed(["alpha  beta", "gamma", "alpha beta "])
    second = await other.embed(["gamma", "delta", "alpha beta"])
    assert embedder.asked == ["alpha beta ", "gamma", "delta"]
    assert (one.n_hits, one.n_misses) == (1, 2)
    assert (other.n_hits, other.n_misses) == (2, 1)
    np.testing.assert_allclose(first[[1, 0]], second[[0, 2]], atol=1e-3)


async def test_a_kept_vector_leaves_after_thirty_days(redis: Redis) -> None:
    embedder = CountingEmbedder()
    await CachedEmbedder(embedder, redis).embed(["alpha"])
    (key,) = [key async for key in redis.scan_iter(f"embedding:{embedder.model.label}:*")]
    assert 29 * 86400 < await redis.ttl(key) <= 30 * 86400


async def test_vectors_of_another_model_are_never_taken(redis: Redis) -> None:
    one, other = CountingEmbedder(), CountingEmbedder()
    await CachedEmbedder(one, redis).embed(["alpha"])
    await CachedEmbedder(other, redis).embed(["alpha"])
    assert other.asked == ["alpha"]


async def test_a_damaged_entry_is_computed_anew(redis: Redis) -> None:
    embedder = CountingEmbedder()
    await CachedEmbedder(embedder, redis).embed(["alpha"])
    (key,) = [key async for key in redis.scan_iter(f"embedding:{embedder.model.label}:*")]
    await redis.set(key, b"short")
    await CachedEmbedder(embedder, redis).embed(["alpha"])
    assert embedder.asked == ["alpha", "alpha"]


async def test_without_redis_it_computes_and_says_so_once(capsys: pytest.CaptureFixture[str]) -> None:
    redis = Redis.from_url("redis://127.0.0.1:9")
    cached = CachedEmbedder(CountingEmbedder(), redis)
    for _ in range(3):
        assert (await cached.embed(["alpha"])).shape[0] == 1
    assert cached.n_misses == 3
    await redis.aclose()
    assert capsys.readouterr().out.count("embedding_cache_away") == 1


async def test_a_cached_embedder_keeps_the_promises_of_an_embedder(redis: Redis) -> None:
    await keeps_the_promises_of_an_embedder(CachedEmbedder(CountingEmbedder(), redis))


async def test_the_hit_rate_of_the_cache_stands_in_the_metrics(redis: Redis) -> None:
    cached, registry = CachedEmbedder(CountingEmbedder(), redis), CollectorRegistry()
    count_embeddings(registry, cached)
    await cached.embed(["alpha", "beta"])
    await cached.embed(["alpha", "beta", "gamma"])
    counted = {
        outcome: registry.get_sample_value("kv_embedding_cache_total", {"outcome": outcome})
        for outcome in ("hit", "miss")
    }
    assert counted == {"hit": 2, "miss": 3}
