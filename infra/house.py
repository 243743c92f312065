"""The house every process lives in: adapters joined to ports, opened together, closed in the opposite order."""

import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import httpx
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.embedding import Embedder, EmbeddingModel
from domain.limits import Limiter, Unlimited
from domain.received import FORWARDING, MailAddresses
from domain.uploads import ObjectStore
from domain.vault import Tools
from infra.analysis import WordAnalyzer
from infra.bus import Bus
from infra.connectors import REGISTRY, Connectors, make_oauth
from infra.connectors.addresses import open_outside
from infra.connectors.providers import open_client
from infra.database import make_engine
from infra.inference.cache import CachedEmbedder
from infra.inference.chat import ChatModel
from infra.inference.export import DEFAULT_MODEL, ensure_exported
from infra.inference.http_embedder import HttpEmbedder
from infra.inference.transcriber import HttpTranscriber
from infra.limits import RedisLimiter, limiter_client
from infra.links import LinkSigner
from infra.mail_addresses import SignedAddresses
from infra.metrics import count_embeddings, count_pool
from infra.parsers.process import parser_process
from infra.passwords import Argon2Passwords
from infra.queue import make_queue
from infra.secrets import Sealer, StateSigner
from infra.settings import Settings
from infra.store import Stores
from infra.triggers import make_matcher

PRECISIONS: dict[str, Literal["bf16", "f32"] | None] = {"auto": None, "bf16": "bf16", "f32": "f32"}


@dataclass(frozen=True, slots=True)
class House:
    """Everything a process of the product runs on."""

    stores: Stores
    tools: Tools
    bus: Bus
    limiter: Limiter
    registry: CollectorRegistry


@asynccontextmanager
async def open_house(
    settings: Settings, n_connections: int, n_embedding_streams: int | None = None
) -> AsyncIterator[House]:
    """Join adapters to ports; close them in the opposite order. Without a number, there is a stream for each core."""
    async with AsyncExitStack() as stack:
        trust = httpx.create_ssl_context()  # one for all clients: the certificates weigh 0.7 MB each time
        redis = Redis.from_url(settings.redis_url) if settings.redis_url else None
        if redis is not None:
            stack.push_async_callback(redis.aclose)
        embedder = await _embedder(settings, settings.embedding_model, redis, stack, trust, n_embedding_streams)
        following = settings.next_embedding_model
        next_embedder = None
        if following:
            next_embedder = await _embedder(settings, following, redis, stack, trust, n_embedding_streams)
        engine = make_engine(settings.database_url, n_connections)
        stack.push_async_callback(engine.dispose)
        registry = _registry(engine, embedder)
        bus = Bus(engine, settings.database_url, settings.redis_url or None)  # listens only once `serve` starts it
        stack.push_async_callback(bus.stop)
        analyzer = WordAnalyzer()
        sealer = Sealer([settings.secret_key, *settings.previous_secret_keys])
        queue = make_queue(settings.database_url, syncs_per_tenant=settings.syncs_per_tenant)
        next_model = next_embedder.model.label if next_embedder else ""
        stores = Stores(engine, queue, analyzer, embedder.model.label, bus.publish, sealer, next_model)
        client = await stack.enter_async_context(open_client(trust))
        objects = _objects(settings)
        oauth = make_oauth(client, settings.providers, settings.base_url, StateSigner(settings.secret_key))
        outside = await stack.enter_async_context(open_outside(settings.allowed_hosts, trust=trust))
        addresses = mail_addresses(settings)
        kinds = tuple(each for each in REGISTRY if addresses or each.kind.name != FORWARDING)
        connectors = Connectors(client, oauth, settings.providers, _now, objects, kinds, outside)
        tools = Tools(
            embedder=embedder,
            next_embedder=next_embedder,
            analyzer=analyzer,
            language_model=await _language_model(settings, stack, trust),
            make_parser=parser_process,
            connect=connectors.connect,
            trial=connectors.trial,
            passwords=Argon2Passwords(),
            now=_now,
            matcher=make_matcher(),
            oauth=oauth,
            kinds=connectors.kinds,
            objects=objects,
            mail_addresses=addresses,
            links=LinkSigner(settings.secret_key),
            transcriber=await _transcriber(settings, stack, trust),
        )
        yield House(stores, tools, bus, _limiter(settings, stack), registry)


def _registry(engine: AsyncEngine, embedder: Embedder) -> CollectorRegistry:
    registry = CollectorRegistry()
    count_pool(registry, engine)
    if isinstance(embedder, CachedEmbedder):
        count_embeddings(registry, embedder)
    return registry


def _limiter(settings: Settings, stack: AsyncExitStack) -> Limiter:
    if not settings.redis_url or not settings.is_limiting:
        return Unlimited()
    client = limiter_client(settings.redis_url)
    stack.push_async_callback(client.aclose)
    return RedisLimiter(client)


def _objects(settings: Settings) -> ObjectStore | None:
    if not settings.bucket.bucket:
        return None
    from infra.objects import BucketObjects  # noqa: PLC0415  # nobody else pays for the library

    return BucketObjects(settings.bucket)


def mail_addresses(settings: Settings) -> MailAddresses | None:
    """Return where mail is taken in; None where no domain is set for it."""
    if not settings.letterbox.domain:
        return None
    return SignedAddresses(settings.letterbox.domain, [settings.secret_key, *settings.previous_secret_keys])


def _now() -> datetime:
    return datetime.now(UTC)


async def _embedder(
    settings: Settings,
    name: str,
    redis: Redis | None,
    stack: AsyncExitStack,
    trust: ssl.SSLContext,
    n_streams: int | None,
) -> Embedder:
    embedder: Embedder
    if settings.embedding_base_url:
        client = await stack.enter_async_context(httpx.AsyncClient(verify=trust))
        model = EmbeddingModel(name, "remote", 384)
        embedder = HttpEmbedder(client, settings.embedding_base_url, settings.embedding_api_key, model)
    else:
        # 30 MB that a process with a remote embedder does not pay for
        from infra.inference.openvino_embedder import OpenVinoEmbedder  # noqa: PLC0415

        exported = ensure_exported(name or DEFAULT_MODEL, settings.folder / "models")
        precision = PRECISIONS[settings.embedding_precision]
        embedder = await stack.enter_async_context(OpenVinoEmbedder(exported, precision=precision, n_streams=n_streams))
    return CachedEmbedder(embedder, redis) if redis is not None else embedder


async def _language_model(settings: Settings, stack: AsyncExitStack, trust: ssl.SSLContext) -> ChatModel | None:
    if not settings.llm_base_url:
        return None
    client = await stack.enter_async_context(httpx.AsyncClient(verify=trust))
    return ChatModel(client, settings.llm_base_url, settings.llm_api_key, settings.llm_model)


async def _transcriber(settings: Settings, stack: AsyncExitStack, trust: ssl.SSLContext) -> HttpTranscriber | None:
    if not settings.transcription_base_url:
        return None
    client = await stack.enter_async_context(httpx.AsyncClient(verify=trust))
    base_url, model = settings.transcription_base_url, settings.transcription_model
    return HttpTranscriber(client, base_url, settings.transcription_api_key, model)
