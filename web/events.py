"""Server-sent events: the page's own regions, rendered again as facts arrive.

The order is the point: the caller authorises and closes its transaction; here we subscribe, make sure the session still
stands, send a snapshot, then follow the facts. Nothing is held open while a stream waits but the subscription.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Hashable, Sequence
from contextlib import aclosing
from typing import Any

import msgspec
from litestar.types import Receive, Scope, Send

from domain.facts import AccessEnded, Fact
from domain.people import Viewer
from domain.vault import Watch
from web.rendering import AnyRequest, Renderer
from web.sessions import find_visit

PING_S = 15.0
"""Proxies drop connections that are silent for longer, commonly after 30 or 60 s."""
LIFE_S = 600.0
RETRY_MS = 2_000
PING = b": ping\n\n"
KEPT_RENDERINGS = 64
HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
)


class Event(msgspec.Struct, frozen=True):
    """One event: the region it is for, and the region's markup."""

    name: str
    markup: str


CLOSE = Event("close", "done")
"""After this one nothing will come, and the page is not to connect again."""

Answer = Callable[[], Awaitable[Sequence[Event]]]
AnswerToFact = Callable[[Fact], Awaitable[Sequence[Event]]]


class Renderings:
    """The last markups rendered, so that a fact is rendered once however many people watch it; one per application."""

    def __init__(self, size: int = KEPT_RENDERINGS) -> None:
        self._size = size
        self._kept: OrderedDict[Hashable, str] = OrderedDict()

    def once(self, key: Hashable, render: Callable[[], str]) -> str:
        """Return what was rendered under this key before, or render it now; the oldest is forgotten when full."""
        markup = self._kept.get(key)
        if markup is None:
            markup = self._kept[key] = render()
            if len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return markup


def renderings_of(request: AnyRequest) -> Renderings:
    """Return the application's renderings."""
    kept: Renderings = request.app.state.setdefault("renderings", Renderings())
    return kept


def render_shared(request: AnyRequest, template: str, **context: Any) -> str:
    """Return the markup of a region that reads the same for everybody; a template that wants the viewer fails."""
    renderer: Renderer = request.app.state.renderer
    return renderer.environment.get_template(template).render(context)


def encoded(event: Event) -> bytes:
    """Return an event as it travels (HTML Living Standard, 9.2.6); markup may have several lines."""
    lines = "".join(f"data: {line}\n" for line in event.markup.split("\n"))
    return f"event: {event.name}\n{lines}\n".encode()


class EventStream:
    """The answer that carries a stream of events, as an ASGI application; it ends with them, or when nobody reads.

    Litestar's own streams hold two tasks and a task group each, 5 KB, which counts where thousands are open.
    """

    __slots__ = ("_chunks",)

    def __init__(self, chunks: AsyncGenerator[bytes, None]) -> None:
        self._chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # ASGI
        """Send until the end; whatever the chunks hold is closed in any case."""
        sending, leaving = asyncio.current_task(), asyncio.ensure_future(_leave(receive))
        assert sending is not None  # noqa: S101  # for the type checker: an ASGI server runs applications in tasks

        def stop(_: asyncio.Future[None]) -> None:
            sending.cancel()

        leaving.add_done_callback(stop)
        try:
            await self._send(send)
        except asyncio.CancelledError:
            if not leaving.done():
                raise
            sending.uncancel()
        finally:
            leaving.remove_done_callback(stop)
            leaving.cancel()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        async with aclosing(self._chunks) as chunks:
            async for chunk in chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _leave(receive: Receive) -> None:
    """Return when the reader has left."""
    while (await receive())["type"] != "http.disconnect":
        continue


async def follow(
    watch: Watch,
    request: AnyRequest,
    viewer: Viewer,
    snapshot: Answer,
    render: AnswerToFact,
    life_s: float = LIFE_S,
    ping_s: float = PING_S,
    on_silence: Answer | None = None,
) -> AsyncGenerator[bytes, None]:
    """Yield the snapshot and then what facts change, until a CLOSE, the end of access, or the end of its life."""
    async with watch(viewer.tenant_id) as facts:
        visit = await find_visit(request, request.app.state)
        if visit.viewer is None or visit.viewer.tenant_id != viewer.tenant_id:
            return
        yield f"retry: {RETRY_MS}\n\n".encode()
        async for chunk in answers(facts, viewer, snapshot, render, life_s, ping_s, on_silence):
            yield chunk


async def answers(
    facts: AsyncIterator[Fact],
    viewer: Viewer,
    snapshot: Answer,
    render: AnswerToFact,
    life_s: float = LIFE_S,
    ping_s: float = PING_S,
    on_silence: Answer | None = None,
) -> AsyncIterator[bytes]:
    """Yield encoded events; whenever nothing has happened for a while, a ping, or what `on_silence` answers."""
    ends_at = asyncio.get_running_loop().time() + life_s
    events = await snapshot()
    upcoming = asyncio.ensure_future(anext(facts))
    try:
        while True:
            chunk = b"".join(encoded(event) for event in events)
            if chunk:
                yield chunk
            left_s = ends_at - asyncio.get_running_loop().time()
            if CLOSE in events or left_s <= 0:
                return
            events, chunk = (), b""  # a stream waits for most of its life; it is not to hold what it has sent
            await asyncio.wait((upcoming,), timeout=min(ping_s, left_s))
            if not upcoming.done():
                events = await on_silence() if on_silence else ()
                if not events:
                    yield PING
                continue
            fact = upcoming.result()
            if has_ended(fact, viewer):
                return
            upcoming = asyncio.ensure_future(anext(facts))
            events = await render(fact)
    except StopAsyncIteration:
        return
    finally:
        upcoming.cancel()


def has_ended(fact: Fact, viewer: Viewer) -> bool:
    """Whether a fact says that this viewer may not watch any longer."""
    return (
        isinstance(fact, AccessEnded)
        and fact.user_id == viewer.user_id
        and fact.session_id in (None, viewer.session_id)
    )
