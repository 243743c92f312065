"""Vectors shared by all instances: an embedder that asks Redis first, and does without it when Redis is away.

Whoever misses a text claims it before computing it, so that fifty who miss it at once wait for one. A claim is a key
that dies by itself: when its holder is killed, another claims the text a few seconds later.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from domain.embedding import Embedder, EmbeddingModel, Matrix, text_hash

LIFE = timedelta(days=30)
STORED = np.dtype("<f2")
"""Half precision: a cosine changes by about 1e-7, and a vector takes 768 bytes instead of 1,536."""

CLAIM_LIFE_S = 10.0
"""How long a text stays claimed by somebody who is not heard of; more than a batch takes on a slow machine."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.01, 0.2
"""Between two looks for what another is computing."""

WAY_OUT = (RedisError, OSError, TimeoutError)
"""What Redis being away looks like; anything else is a fault of ours and must be seen."""

log = structlog.stdlib.get_logger(__name__)


class CachedEmbedder:
    """Embeds only what nobody embedded before; `n_hits` and `n_misses` count texts since it was made."""

    def __init__(self, embedder: Embedder, redis: Redis) -> None:
        self._embedder = embedder
        self._redis = redis
        self._is_away = False
        self.n_hits = 0
        self.n_misses = 0

    @property
    def model(self) -> EmbeddingModel:
        """The model behind this embedder."""
        return self._embedder.model

    async def embed(self, texts: Sequence[str]) -> Matrix:
        """Return one row per text, in order: (n, d) float32, unit norm. A text that occurs twice is computed once.

        Raises: Unavailable when the embedder is; never because of Redis.
        """
        if not texts:
            return await self._embedder.embed(texts)
        keys = [self._key(text) for text in texts]
        vectors = await self._read(list(dict.fromkeys(keys)))
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in vectors}
        n_computed = 0
        if missing:
            computed, n_computed = await self._computed_once(missing)
            vectors |= computed
        self.n_hits += len(texts) - n_computed
        return np.stack([vectors[key] for key in keys])

    async def _computed_once(self, texts: dict[str, str]) -> tuple[dict[str, Matrix], int]:
        """Compute what nobody else is computing, and wait for the rest; after CLAIM_LIFE_S, compute that too.

        Return the vectors, and how many of them were computed here.
        """
        vectors: dict[str, Matrix] = {}
        n_computed = 0
        waits_until, pause_s = asyncio.get_running_loop().time() + CLAIM_LIFE_S, FIRST_PAUSE_S
        while left := {key: text for key, text in texts.items() if key not in vectors}:
            claimed, found = await self._claim(list(left))
            vectors |= found
            if asyncio.get_running_loop().time() > waits_until:
                claimed = [key for key in left if key not in found]
            if claimed:
                vectors |= await self._compute({key: left[key] for key in claimed})
                n_computed += len(claimed)
            elif not found:
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        return vectors, n_computed

    async def _compute(self, texts: dict[str, str]) -> dict[str, Matrix]:
        try:
            computed = dict(zip(texts, await self._embedder.embed(list(texts.values())), strict=True))
        except BaseException:
            await self._release(list(texts))
            raise
        self.n_misses += len(computed)
        await self._write(computed)
        return computed

    async def _claim(self, keys: list[str]) -> tuple[list[str], dict[str, Matrix]]:
        """Return the keys that are ours to compute, and the vectors of those that others have computed meanwhile.

        The values are read after the claims: who wrote one and let go of its claim before ours is seen to have done so.
        """
        if self._is_away:
            return keys, {}
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for key in keys:
                    pipeline.set(_claim_key(key), b"", nx=True, px=int(CLAIM_LIFE_S * 1000))
                pipeline.mget(keys)
                *taken, values = await pipeline.execute()
        except WAY_OUT as error:
            self._note_absence(error)
            return keys, {}
        found = self._decoded(keys, values)
        ours = [key for key, is_ours in zip(keys, taken, strict=True) if is_ours]
        if done := [key for key in ours if key in found]:
            await self._release(done)
        return [key for key in ours if key not in found], found

    async def _release(self, keys: list[str]) -> None:
        if self._is_away:
            return
        try:
            await self._redis.delete(*(_claim_key(key) for key in keys))
        except WAY_OUT as error:
            self._note_absence(error)

    def _key(self, text: str) -> str:
        return f"embedding:{self.model.label}:{text_hash(text).hex()}"

    async def _read(self, keys: list[str]) -> dict[str, Matrix]:
        try:
            values = await self._redis.mget(keys)
        except WAY_OUT as error:
            self._note_absence(error)
            return {}
        self._is_away = False
        return self._decoded(keys, values)

    def _decoded(self, keys: list[str], values: Sequence[object]) -> dict[str, Matrix]:
        size_bytes = self.model.n_dimensions * STORED.itemsize
        return {
            key: _unit(np.frombuffer(value, dtype=STORED))
            for key, value in zip(keys, values, strict=True)
            if isinstance(value, bytes) and len(value) == size_bytes
        }

    async def _write(self, vectors: dict[str, Matrix]) -> None:
        if self._is_away:
            return
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for key, vector in vectors.items():
                    pipeline.set(key, vector.astype(STORED).tobytes(), ex=LIFE)
                pipeline.delete(*(_claim_key(key) for key in vectors))
                await pipeline.execute()
        except WAY_OUT as error:
            self._note_absence(error)

    def _note_absence(self, error: Exception) -> None:
        if not self._is_away:
            log.warning("embedding_cache_away", reason=str(error), next="computing without the cache")
        self._is_away = True


def _claim_key(key: str) -> str:
    return f"{key}:claim"


def _unit(stored: np.ndarray[tuple[int], np.dtype[np.float16]]) -> Matrix:
    vector = stored.astype(np.float32)
    unit: Matrix = vector / max(float(np.linalg.norm(vector)), 1e-12)
    return unit
