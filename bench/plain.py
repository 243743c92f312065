"""The floor under pages, streams, memory and start-up: a bare Litestar application that does as little as can be done.

    python -m bench.plain PORT DATABASE_URL TENANT

One template filled from one statement, and one stream of events; no sessions, no permissions, no design.
"""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import sqlalchemy as sa
import uvicorn.config
import uvicorn.server
from jinja2 import Environment
from litestar import Litestar, MediaType, get, post
from litestar.response import ServerSentEvent

from infra.database import make_engine

LIST = "select id, title, author, sorted_at from documents order by sorted_at desc, id desc limit 50"
TEMPLATE = """<!doctype html><title>Documents</title><h1>Documents</h1>
<ul>{% for each in rows %}<li><a href="/documents/{{ each.id }}">{{ each.title }}</a> {{ each.author }}
<time>{{ each.sorted_at }}</time></li>{% endfor %}</ul>"""


def application(database_url: str, tenant: str) -> Litestar:
    """Return it; `tenant` is whose rows it lists."""
    engine = make_engine(database_url, 2)
    template = Environment(autoescape=True).from_string(TEMPLATE)
    waiting: set[asyncio.Queue[str]] = set()

    @get("/list", media_type=MediaType.HTML)
    async def show() -> str:
        async with engine.begin() as connection:
            await connection.execute(sa.text("select set_config('kv.tenant', :tenant, true)"), {"tenant": tenant})
            return template.render(rows=(await connection.execute(sa.text(LIST))).all())

    async def stream() -> AsyncIterator[dict[str, str]]:
        queue: asyncio.Queue[str] = asyncio.Queue()
        waiting.add(queue)
        try:
            yield {"event": "opened", "data": ""}
            while True:
                yield {"event": "said", "data": await queue.get()}
        finally:
            waiting.discard(queue)

    @get("/events")
    async def events() -> ServerSentEvent:
        return ServerSentEvent(stream())

    @post("/event")
    async def announce(said: str) -> None:
        for queue in waiting:
            queue.put_nowait(said)

    return Litestar([show, events, announce])


@contextmanager
def running(database_url: str = "postgresql://nowhere/", tenant: int = 0) -> Iterator[tuple[int, int, float]]:
    """Run it in a process of its own; yield its port, its process' number, and the seconds it took to answer."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "bench.plain", str(port), database_url, str(tenant)]
    started = time.perf_counter()
    process = subprocess.Popen(command)
    try:
        while not _answers(port):
            assert process.poll() is None, "the bare application has ended"
            time.sleep(0.01)
        yield port, process.pid, time.perf_counter() - started
    finally:
        process.kill()  # open streams would keep it from ending by itself
        process.wait()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    port, database_url, tenant = sys.argv[1:4]
    config = uvicorn.config.Config(
        application(database_url, tenant), port=int(port), log_level="error", access_log=False, lifespan="off"
    )
    uvicorn.server.Server(config).run()
