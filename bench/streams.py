"""What a stream costs one web process, and how long until all have seen an event, beside a bare Litestar stream.

    python -m bench.streams [how many ...]      2,000 and 10,000 by default

The readers are one process of their own, with nothing but sockets, so that the web process is what is measured.
"""

import asyncio
import resource
import sys
import time
from datetime import UTC, datetime

import httpx
import numpy as np
import psutil
import psycopg

from bench import plain
from domain.facts import SyncChanged
from domain.progress import Progress, Stage
from domain.syncs import Sync, SyncState, Trigger
from infra.bus import Bus
from infra.database import make_engine
from tests.scale.cluster import Cluster, cluster
from tests.scale.ledger import tenants
from tests.scale.people import person, write_documents

AT_ONCE = 100
N_EVENTS = 5
PAUSE_S = 2.0
PATIENCE_S = 60


class Reader(asyncio.Protocol):
    """One open stream: notes when each event came."""

    def __init__(self, request: bytes, expected: list[bytes]) -> None:
        self._request = request
        self._expected = expected
        self._pending = b""
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.seen_at: dict[bytes, float] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(self._request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        seen = self._pending + data
        if not self.opened.done() and b"event: " in seen:
            self.opened.set_result(None)
        for mark in self._expected:
            if mark not in self.seen_at and mark in seen:
                self.seen_at[mark] = now
        self._pending = seen[-40:]

    def connection_lost(self, error: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(error or ConnectionError("closed before it began"))
            self.opened.exception()


async def open_streams(port: int, n_streams: int, path: str, cookie: str, marks: list[bytes]) -> list[Reader]:
    """Open that many streams of one page, a hundred at a time."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n\r\n".encode()
    loop, readers = asyncio.get_running_loop(), []
    while len(readers) < n_streams:
        batch = [
            (await loop.create_connection(lambda: Reader(request, marks), "127.0.0.1", port))[1]
            for _ in range(min(AT_ONCE, n_streams - len(readers)))
        ]
        await asyncio.wait_for(asyncio.gather(*(reader.opened for reader in batch)), PATIENCE_S)
        readers += batch
    return readers


async def measure(running: Cluster, n_streams: int) -> str:
    web = psutil.Process(running.webs[0].process.pid)
    marks = [f"Now: mark-{number}-of-{n_streams}.".encode() for number in range(N_EVENTS)]
    async with person(running.url) as ada:
        await ada.sign_up()
        sync_id = await ada.connect_folder(write_documents(running.folder / f"{n_streams}", 1))
        cookie = "; ".join(f"{cookie.name}={cookie.value}" for cookie in ada.client.cookies.jar)
        before, began = web.memory_info().rss, time.perf_counter()
        readers = await open_streams(running.webs[0].port, n_streams, f"/syncs/{sync_id}/events", cookie, marks)
        opening_s, held = time.perf_counter() - began, web.memory_info().rss - before
        announced = await announce(running, sync_id, marks)
    return row("ours, through Redis", n_streams, held, opening_s, readers, announced)


async def measure_bare(n_streams: int) -> str:
    """Measure a bare application that sends the same words, without a worker, Redis or a template."""
    marks = [f"Now: bare-{number}-of-{n_streams}.".encode() for number in range(N_EVENTS)]
    with plain.running() as (port, number, _):
        web = psutil.Process(number)
        before, began = web.memory_info().rss, time.perf_counter()
        readers = await open_streams(port, n_streams, "/events", "", marks)
        opening_s, held = time.perf_counter() - began, web.memory_info().rss - before
        announced = {}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
            for mark in marks:
                announced[mark] = time.perf_counter()
                await client.post("/event", params={"said": mark.decode()})
                await asyncio.sleep(PAUSE_S)
        return row("a bare Litestar stream", n_streams, held, opening_s, readers, announced)


def row(
    name: str, n_streams: int, held: int, opening_s: float, readers: list[Reader], announced: dict[bytes, float]
) -> str:
    """Return a line of the table; times are medians over the events."""
    marks = list(announced)
    delays = [
        [reader.seen_at[mark] - announced[mark] for reader in readers if mark in reader.seen_at] for mark in marks
    ]
    n_seen = sum(map(len, delays))
    p50, p99 = np.median([np.percentile(each, [50, 99]) for each in delays if each], axis=0) * 1000
    return (
        f"  {name:<24} {n_streams:8,} {held / n_streams / 1024:10.1f} {p50:10.0f} {p99:10.0f}"
        f" {n_seen / len(marks) / n_streams:10.2%} {opening_s:10.1f}"
    )


async def announce(running: Cluster, sync_id: int, marks: list[bytes]) -> dict[bytes, float]:
    """Announce changed progress through a bus, as a worker does; return when."""
    assert running.redis is not None
    engine, announced = make_engine(running.database_url, 1), {}
    bus = Bus(engine, running.database_url, running.redis.url)
    with psycopg.connect(running.database_url) as connection:
        tenant_id = tenants(connection)[-1]
    for place, mark in enumerate(marks):
        announced[mark] = time.perf_counter()
        await bus.publish(tenant_id, [SyncChanged(changed(sync_id, place, mark))])
        await asyncio.sleep(PAUSE_S)
    await bus.stop()
    await engine.dispose()
    return announced


def changed(sync_id: int, place: int, mark: bytes) -> Sync:
    current = mark.decode().removeprefix("Now: ")
    return Sync(
        id=sync_id,
        integration_id=1,
        integration_name="Bench",
        state=SyncState.RUNNING,
        trigger=Trigger.PERSON,
        progress=Progress(Stage.READING, found=100, total=100, processed=place, indexed=place, current=current),
        checkpoint=Progress(),
        attempt=1,
        is_cancel_requested=False,
        reason="",
        requested_by="Ada Byron",
        created_at=datetime.now(UTC),
        started_at=datetime.now(UTC),
        finished_at=None,
    )


def main() -> None:
    """Print the table."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    rows = []
    for n_streams in [int(each) for each in sys.argv[1:]] or [2_000, 10_000]:
        with cluster(n_webs=1, n_workers=0) as running:
            rows.append(asyncio.run(measure(running, n_streams)))
        rows.append(asyncio.run(measure_bare(n_streams)))
    print(f"\nStreams of one web process; an event rendered and sent to all; medians of {N_EVENTS} events")
    print("                            streams    KB each     p50 ms     p99 ms    reached   opened s")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
