"""One large sync shared by 1, 2 and 8 workers: what it takes, what each document costs, and what they wait for.

    python -m bench.sharing [latency in ms] [documents]

Eight processes need eight cores to be eight times as fast. With fewer, CPU seconds for each document say how many cores
they would need, the share of time spent waiting for each other says what is left then, and a long latency shows what
the code allows.
"""

import asyncio
import os
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass

import psutil
import psycopg

from bench import corpus
from domain.integrations import IntegrationKind
from domain.people import system_viewer
from domain.syncs import Trigger
from infra.analysis import WordAnalyzer
from infra.database import make_engine
from infra.queue import make_queue
from infra.secrets import Sealer
from infra.store import Stores
from tests.scale.cluster import Cluster, cluster
from tests.scale.instances import product, until
from tests.scale.ledger import ledger

LATENCY_S = (float(sys.argv[1]) if len(sys.argv) > 1 else 50) / 1000
N_DOCUMENTS = int(sys.argv[2]) if len(sys.argv) > 2 else 600
WORKERS = (1, 2, 8)
WAITS = """
select coalesce(wait_event_type, 'CPU') from pg_stat_activity
where backend_type = 'client backend' and state <> 'idle' and pid <> pg_backend_pid()
"""


@dataclass(frozen=True)
class Measured:
    """One run."""

    reading_s: float
    """From the first document to the last, before the vault is gone through as a whole."""
    worker_cpu_s: float
    postgres_cpu_s: float
    waits: Counter[str]
    """What sessions of Postgres that were not idle were seen waiting for."""
    n_helpers: int
    """Workers besides the leader that stored documents."""


@asynccontextmanager
async def stores_of(running: Cluster) -> AsyncIterator[Stores]:
    engine = make_engine(running.database_url, 2)

    async def nobody_watches(*_: object) -> None:
        return None

    queue = make_queue(running.database_url)
    yield Stores(engine, queue, WordAnalyzer(), "words@remote", nobody_watches, Sealer(["x" * 32]))
    await engine.dispose()


async def request(running: Cluster, round_: int) -> None:
    """Give a new tenant a folder, and ask for its sync."""
    folder = running.folder / f"shared-{round_}"
    folder.mkdir()
    for name, text in corpus.documents(N_DOCUMENTS, seed=1000 + round_).items():
        (folder / name).write_text(text)
    async with stores_of(running) as stores:
        async with stores.open_lobby() as lobby:
            tenant = await lobby.add_tenant("Bench", f"bench-{uuid.uuid4().hex[:8]}")
        async with stores.open_vault(system_viewer(tenant.id)) as vault:
            path = {"path": str(folder)}
            integration = await vault.integrations.add(IntegrationKind.FOLDER, folder.name, path, None)
            await vault.syncs.request(integration.id, Trigger.PERSON)


def cpu_s(process: psutil.Process) -> float:
    """Return what a process and its children, dead or alive, have used."""
    try:
        own = process.cpu_times()
    except psutil.NoSuchProcess:  # from now on its parent counts it
        return 0.0
    return own.user + own.system + own.children_user + own.children_system + sum(map(cpu_s, process.children()))


def measure(running: Cluster, round_: int, n_workers: int) -> Measured:
    environment = {
        "DATABASE_URL": running.database_url,
        "REDIS_URL": running.redis.url if running.redis else "",
        "EMBEDDING_BASE_URL": running.embedder.url,
        "EMBEDDING_MODEL": "words",
        "WORKER_CONCURRENCY": "1",
        "LOG_LEVEL": "info",
    }
    workers = [product(f"share-{round_}-{number}", "work", environment, running.folder) for number in range(n_workers)]
    postmaster = psutil.Process(int((running.postgres_data / "postmaster.pid").read_text().split()[0]))
    with ExitStack() as stack, psycopg.connect(running.database_url, autocommit=True) as connection:
        for worker in workers:
            stack.callback(worker.kill)
            worker.start()
        until(lambda: n_alive(connection) >= 2 * n_workers, "the workers are there")
        asyncio.run(request(running, round_))
        until(lambda: progress(running, round_, "indexed") > 0, "the first document is there")
        processes = [psutil.Process(worker.process.pid) for worker in workers]
        n_before, started = progress(running, round_, "indexed"), time.perf_counter()
        assert n_before < N_DOCUMENTS, "all documents were there before the first look: take more of them"
        before = sum(map(cpu_s, processes)), cpu_s(postmaster)
        waits: Counter[str] = Counter()
        over = threading.Event()
        watching = threading.Thread(target=watch, args=(running.database_url, waits, over))
        watching.start()
        until(lambda: progress(running, round_, "indexed") >= N_DOCUMENTS, "all documents are there", 600)
        reading_s = time.perf_counter() - started
        after = sum(map(cpu_s, processes)), cpu_s(postmaster)
        over.set()
        watching.join()
        until(lambda: ledger(running.database_url).n_jobs == 0, "its end, and that of the reading for names", 600)
        for worker in workers:
            worker.stop()
    n_helpers = sum("help_started" in worker.said for worker in workers)
    scale = N_DOCUMENTS / (N_DOCUMENTS - n_before)
    used = [(late - early) * scale for early, late in zip(before, after, strict=True)]
    return Measured(reading_s * scale, used[0], used[1], waits, n_helpers)


def n_alive(connection: psycopg.Connection) -> int:
    row = connection.execute("select count(*) from procrastinate_workers").fetchone()
    return int(row[0]) if row else 0


def progress(running: Cluster, round_: int, name: str) -> int:
    time.sleep(0.1)
    syncs = ledger(running.database_url).syncs
    return int(str(syncs[round_].progress[name])) if len(syncs) > round_ else 0


def watch(database_url: str, waits: Counter[str], over: threading.Event) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        while not over.wait(0.02):
            waits.update(row[0] for row in connection.execute(WAITS))


def line(n_workers: int, run: Measured, first: Measured) -> str:
    seen = max(1, run.waits.total())
    return (
        f"  {n_workers} workers ({run.n_helpers} helped) {N_DOCUMENTS / run.reading_s:7.1f} documents/s"
        f" {first.reading_s / run.reading_s:5.2f} x one;"
        f" CPU ms a document: workers {run.worker_cpu_s * 1000 / N_DOCUMENTS:5.1f},"
        f" Postgres {run.postgres_cpu_s * 1000 / N_DOCUMENTS:5.1f};"
        f" sessions seen waiting for locks {100 * run.waits['Lock'] / seen:3.0f} %,"
        f" for disk {100 * (run.waits['IO'] + run.waits['LWLock']) / seen:3.0f} %"
    )


def main() -> None:
    """Print the table."""
    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with cluster(n_webs=1, n_workers=0) as running:
        running.embedder.latency_s = LATENCY_S
        print(f"\nOne sync of {N_DOCUMENTS} documents, {LATENCY_S * 1000:.0f} ms a request, {n_cores} cores")
        first = measure(running, 0, 1)
        print(line(1, first, first), flush=True)
        for round_, n_workers in enumerate(WORKERS[1:], 1):
            print(line(n_workers, measure(running, round_, n_workers), first), flush=True)


if __name__ == "__main__":
    main()
