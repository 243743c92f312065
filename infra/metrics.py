"""What this process counts for Prometheus beyond its requests; the registry is made in the composition root."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from domain.syncs import Sync
from infra.inference.cache import CachedEmbedder

SYNC_BUCKETS_S = (1, 5, 15, 60, 300, 900, 3600, 4 * 3600)


def count_pool(registry: CollectorRegistry, engine: AsyncEngine) -> None:
    """Show how many connections of the pool are in use, and how many there may be."""
    pool = engine.sync_engine.pool
    if not isinstance(pool, QueuePool):
        return
    Gauge("kv_database_connections_in_use", "Connections handed out by the pool.", registry=registry).set_function(
        pool.checkedout
    )
    Gauge("kv_database_connections_max", "Connections the pool may open.", registry=registry).set_function(pool.size)


def count_embeddings(registry: CollectorRegistry, embedder: CachedEmbedder) -> None:
    """Show how many texts came out of the cache, and how many had to be computed."""
    registry.register(_EmbeddingCounts(embedder))


class _EmbeddingCounts(Collector):
    def __init__(self, embedder: CachedEmbedder) -> None:
        self._embedder = embedder

    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily("kv_embedding_cache", "Texts asked of the embedding cache.", labels=["outcome"])
        family.add_metric(["hit"], self._embedder.n_hits)
        family.add_metric(["miss"], self._embedder.n_misses)
        yield family


class SyncMeter:
    """Counts what the syncs of this worker came to."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._ended = Counter("kv_syncs", "Syncs that ended here.", ["outcome"], registry=registry)
        self._items = Counter("kv_sync_items", "Items that syncs brought in here.", ["outcome"], registry=registry)
        self._took = Histogram(
            "kv_sync_seconds", "From a sync's start to its end.", buckets=SYNC_BUCKETS_S, registry=registry
        )

    def note(self, sync: Sync) -> None:
        """Count a sync that has ended."""
        self._ended.labels(sync.state).inc()
        for outcome in ("indexed", "skipped", "failed", "deleted"):
            self._items.labels(outcome).inc(getattr(sync.progress, outcome))
        if sync.started_at and sync.finished_at:
            self._took.observe((sync.finished_at - sync.started_at).total_seconds())


def serve_metrics(registry: CollectorRegistry, host: str, port: int) -> Callable[[], None]:
    """Serve the registry over HTTP from a thread, for processes without a web; return what stops it."""
    server, thread = start_http_server(port, host, registry)

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop
