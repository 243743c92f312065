"""A browser that listens: server-sent events of the application, one after the other, while the stream stays open."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from litestar import Litestar

from tests.web.browser import Browser

PATIENCE_S = 10


@dataclass
class Stream:
    """An open response. `status` and `headers` are there once it has begun."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    _pending: str = ""
    _chunks: "asyncio.Queue[str | None]" = field(default_factory=asyncio.Queue)
    _begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def next_event(self) -> tuple[str, str] | None:
        """Return the next event's name and data, comments left out; None when the stream has ended."""
        while True:
            while "\n\n" not in self._pending:
                chunk = await asyncio.wait_for(self._chunks.get(), PATIENCE_S)
                if chunk is None:
                    return None
                self._pending += chunk
            block, self._pending = self._pending.split("\n\n", 1)
            lines = [line.split(": ", 1) for line in block.split("\n") if not line.startswith(":")]
            named = [value for name, value in lines if name == "event"]
            if named:
                return named[0], "\n".join(value for name, value in lines if name == "data")

    async def rest(self) -> list[tuple[str, str]]:
        """Return all events up to the end of the stream."""
        events = []
        while event := await self.next_event():
            events.append(event)
        return events

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
            self._begun.set()
        else:
            self._chunks.put_nowait(message["body"].decode(errors="replace"))
            if not message.get("more_body"):
                self._chunks.put_nowait(None)


@asynccontextmanager
async def listening(app: Litestar, browser: Browser, path: str) -> AsyncIterator[Stream]:
    """Open a stream as this browser; closing it is a browser that goes away."""
    stream, is_gone = Stream(), asyncio.Event()
    request = browser.client.build_request("GET", path)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": request.url.path,
        "raw_path": request.url.raw_path,
        "root_path": "",
        "query_string": request.url.query,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "server": ("vault.test", 80),
        "client": ("127.0.0.1", 1),
        "state": {},
    }
    is_asked = False

    async def receive() -> Any:
        nonlocal is_asked
        if not is_asked:
            is_asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await is_gone.wait()
        return {"type": "http.disconnect"}

    task = asyncio.create_task(app(scope, receive, stream.send))  # type: ignore[arg-type]
    try:
        await asyncio.wait_for(stream._begun.wait(), PATIENCE_S)
        yield stream
    finally:
        is_gone.set()
        await asyncio.wait_for(task, PATIENCE_S)
