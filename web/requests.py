"""One line of log per request, with an id that stands in the response and on error pages too; texts compressed."""

import gzip
import re
import time
import uuid
from collections.abc import Callable, Mapping
from types import MappingProxyType

import brotli
import structlog
from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send

from web.visits import Connection

REQUEST_ID_HEADER = "X-Request-Id"
REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
COMPRESSIBLE = ("text/html", "text/plain", "text/csv", "application/json", "application/problem+json")
MIN_COMPRESSED_BYTES = 700
COMPRESSION_LEVEL = 5
BROTLI_QUALITY = 5
"""Above it a page of 60 kB takes ten times as long, 12 ms, and is as large to within one in a hundred."""
ENCODERS: Mapping[str, Callable[[bytes], bytes]] = MappingProxyType(
    {
        "br": lambda content: brotli.compress(content, quality=BROTLI_QUALITY),
        "gzip": lambda content: gzip.compress(content, COMPRESSION_LEVEL, mtime=0),
    }
)
"""The smallest first."""
REFUSED = re.compile(r"q=0(?:\.0*)?")


class RequestLog(ASGIMiddleware):
    """Binds the request id to everything logged on the way, and logs the outcome with the route, never the raw path."""

    scopes = (ScopeType.HTTP,)
    exclude_path_pattern = ("^/static/", "^/health/")

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Go on, then log."""
        started, status = time.perf_counter(), 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=name_request(scope)):
            await next_app(scope, receive, watch)
            viewer = scope["visit"].viewer if "visit" in scope else None  # type: ignore[typeddict-item]
            structlog.get_logger().info(
                "request",
                method=scope["method"],  # type: ignore[typeddict-item]  # HTTP only
                route=scope.get("path_template", ""),
                status=status,
                ms=round((time.perf_counter() - started) * 1000, 1),
                tenant_id=viewer.tenant_id if viewer else None,
                user_id=viewer.user_id if viewer else None,
            )


class Compression(ASGIMiddleware):
    """Compresses texts that are sent in one piece; streams pass untouched, since an event must not wait."""

    scopes = (ScopeType.HTTP,)
    exclude_path_pattern = ("^/static/",)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Go on, and compress the answer where the asker can read it."""
        accepted = accepted_encodings(Headers.from_scope(scope).get("accept-encoding", ""))
        encoding = next((each for each in ENCODERS if each in accepted), "")
        if not encoding:
            await next_app(scope, receive, send)
            return
        held: HTTPResponseStartEvent | None = None

        async def compress(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start" and is_compressible(message):
                held = message
                return
            if held is not None and message["type"] == "http.response.body":
                start, held = held, None
                if not message.get("more_body") and len(message["body"]) >= MIN_COMPRESSED_BYTES:
                    message["body"] = ENCODERS[encoding](message["body"])
                    headers = MutableScopeHeaders.from_message(start)
                    headers["Content-Encoding"] = encoding
                    headers["Content-Length"] = str(len(message["body"]))
                    headers.extend_header_value("Vary", "Accept-Encoding")
                await send(start)
            await send(message)

        await next_app(scope, receive, compress)


def accepted_encodings(header: str) -> set[str]:
    """Return the encodings of an Accept-Encoding header, without those it refuses (`br;q=0`)."""
    offered = (each.partition(";") for each in header.lower().replace(" ", "").split(","))
    return {name for name, _, weight in offered if not REFUSED.fullmatch(weight)}


def is_compressible(message: HTTPResponseStartEvent) -> bool:
    """Whether a response is text that nobody has compressed yet."""
    headers = Headers(message["headers"])
    return headers.get("content-type", "").startswith(COMPRESSIBLE) and "content-encoding" not in headers


def name_request(scope: Scope) -> str:
    """Return the request's id: the one a proxy has given, or a new one."""
    if "request_id" not in scope:
        given = Headers.from_scope(scope).get(REQUEST_ID_HEADER, "")
        scope["request_id"] = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex  # type: ignore[typeddict-unknown-key]
    return scope["request_id"]  # type: ignore[typeddict-item, no-any-return]


def request_id_of(connection: Connection) -> str:
    """Return the id under which this request is logged."""
    return name_request(connection.scope)


async def send_request_id(message: Message, scope: Scope) -> None:
    """Name the request in its response."""
    if message["type"] == "http.response.start":
        MutableScopeHeaders.from_message(message)[REQUEST_ID_HEADER] = name_request(scope)
