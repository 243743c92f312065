"""Limits counted in Redis, one atomic script a count, so that all instances count as one.

The algorithm is GCRA (ITU-T I.371), one time per counter: the one at which it would be empty again.
While Redis is away everything passes: people are not to be locked out because a cache is. Counters have a time to live,
so Redis may evict them when it is full; that forgives, it never locks out.
"""

import hashlib

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from domain.limits import Limit, throttled

TIMEOUT_S = 0.5
"""What a request waits for Redis at most before it passes uncounted."""
WAY_OUT = (RedisError, OSError, TimeoutError)

TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local step, span = tonumber(ARGV[1]), tonumber(ARGV[2])
local empty_at = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now) + step
local wait = empty_at - span - now
if wait > 0 then return math.ceil(wait) end
redis.call('SET', KEYS[1], string.format('%.3f', empty_at), 'PX', math.ceil(empty_at - now) + 1)
return 0
"""
"""Milliseconds until one more is allowed; 0 when it has been counted. Redis' own clock: those of instances differ."""

GIVE_BACK = """
local held = redis.call('GET', KEYS[1])
if held then redis.call('SET', KEYS[1], string.format('%.3f', tonumber(held) - tonumber(ARGV[1])), 'KEEPTTL') end
return 0
"""


def limiter_client(redis_url: str) -> Redis:
    """Return a client that gives up at once, for `RedisLimiter`; whoever makes it closes it."""
    return Redis.from_url(
        redis_url, retry=Retry(NoBackoff(), 0), socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S
    )


class RedisLimiter:
    """See `domain.limits.Limiter`."""

    def __init__(self, redis: Redis) -> None:
        self._take = redis.register_script(TAKE)
        self._give_back = redis.register_script(GIVE_BACK)

    async def take(self, limit: Limit, who: str) -> None:
        step_ms, span_ms = _step_ms(limit), limit.per_s * 1000
        try:
            wait_ms = int(await self._take(keys=[_key(limit, who)], args=[step_ms, span_ms]))
        except WAY_OUT as error:
            structlog.get_logger().warning("limiter_away", limit=limit.name, reason=str(error))
            return
        if wait_ms:
            raise throttled(limit, wait_ms / 1000)

    async def give_back(self, limit: Limit, who: str) -> None:
        try:
            await self._give_back(keys=[_key(limit, who)], args=[_step_ms(limit)])
        except WAY_OUT as error:
            structlog.get_logger().warning("limiter_away", limit=limit.name, reason=str(error))


def _step_ms(limit: Limit) -> float:
    return limit.per_s * 1000 / limit.n_times


def _key(limit: Limit, who: str) -> str:
    """Addresses and e-mails are not kept as they are."""
    return f"limit:{limit.name}:{hashlib.sha256(who.encode()).hexdigest()[:32]}"
