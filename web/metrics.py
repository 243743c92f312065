"""What Prometheus reads: requests by route, open streams, and how the queue stands at that moment."""

import hmac
import time
from typing import Any

from litestar import Request, Response, get
from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from domain.errors import NotFound, Unavailable
from domain.vault import Tools
from web.doors import Doors, WebSettings
from web.sessions import BEARER

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
STREAM = "text/event-stream"
NOT_FOR_YOU = "The metrics are read with the token set as METRICS_TOKEN: `Authorization: Bearer TOKEN`."


class RequestMeter(ASGIMiddleware):
    """Counts requests by route template, never by path, so that their number stays bounded; streams apart."""

    scopes = (ScopeType.HTTP,)
    exclude_path_pattern = ("^/static/", "^/metrics$")

    def __init__(self, registry: CollectorRegistry) -> None:
        self._took = Histogram(
            "kv_request_seconds",
            "Time to a complete answer.",
            ["method", "route", "status"],
            buckets=BUCKETS_S,
            registry=registry,
        )
        self._streams = Gauge("kv_open_streams", "Server-sent event streams open now.", registry=registry)
        self._opened = Counter("kv_streams", "Streams opened.", ["route"], registry=registry)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Go on, then count."""
        started, status, is_stream = time.perf_counter(), 500, False

        async def watch(message: Message) -> None:
            nonlocal status, is_stream
            if message["type"] == "http.response.start":
                status = message["status"]
                is_stream = Headers(message["headers"]).get("content-type", "").startswith(STREAM)
                if is_stream:
                    self._streams.inc()
                    self._opened.labels(_route(scope)).inc()
            await send(message)

        try:
            await next_app(scope, receive, watch)
        finally:
            if is_stream:
                self._streams.dec()
            else:
                labels = (_method(scope), _route(scope), str(status))
                self._took.labels(*labels).observe(time.perf_counter() - started)


class QueueMeter:
    """Shows how the queue stands, as far as Postgres tells."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._waiting = Gauge("kv_queue_waiting", "Syncs that wait for a worker.", registry=registry)
        self._running = Gauge("kv_queue_running", "Syncs that run.", registry=registry)
        self._age = Gauge("kv_queue_oldest_seconds", "How long the oldest has waited.", registry=registry)
        self._workers = Gauge("kv_workers_alive", "Worker loops heard of lately.", registry=registry)
        self._is_up = Gauge("kv_database_up", "Whether Postgres has answered.", registry=registry)

    async def read(self, doors: Doors, tools: Tools) -> None:
        """Ask how things stand; while Postgres is away the last numbers stay, and `kv_database_up` is 0."""
        now = tools.now()
        try:
            operations = await doors.read_operations()
        except Unavailable:
            self._is_up.set(0)
            return
        self._is_up.set(1)
        self._waiting.set(operations.queue.n_waiting)
        self._running.set(operations.queue.n_running)
        self._age.set(operations.queue.age_s(now))
        self._workers.set(sum(worker.is_alive(now) for worker in operations.workers))


@get("/metrics", include_in_schema=False)
async def show(request: Request[Any, Any, Any], doors: Doors, tools: Tools, settings: WebSettings) -> Response[bytes]:
    """Return this process's metrics in the text format of Prometheus. Raises: NotFound without the token."""
    if not may_read(request.headers.get("Authorization", ""), settings):
        raise NotFound(NOT_FOR_YOU)
    await request.app.state.queue_meter.read(doors, tools)
    return Response(
        generate_latest(request.app.state.registry) + generate_latest(doors.registry),
        headers={"Cache-Control": "no-store", "Content-Type": CONTENT_TYPE_LATEST},
    )


def may_read(authorization: str, settings: WebSettings) -> bool:
    """Whether this header opens the metrics."""
    if not settings.metrics_token:
        return not settings.is_production
    given = authorization.removeprefix(BEARER).strip()
    return hmac.compare_digest(given.encode(), settings.metrics_token.encode())


def _route(scope: Scope) -> str:
    return scope.get("path_template", "") or "unknown"


def _method(scope: Scope) -> str:
    method: str = scope["method"]  # type: ignore[typeddict-item]  # HTTP only
    return method if method in METHODS else "OTHER"


routes = [show]
