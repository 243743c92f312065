"""Whether more workers mean more documents: 1, 2 and 8 of them on an embedder that answers after 50 ms.

    python -m bench.scaling [latency in ms [documents of a tenant]]

Eight processes need eight cores to be eight times as fast; with fewer, a longer latency shows what the code allows.
"""

import asyncio
import os
import statistics
import sys
import time
import uuid
from contextlib import ExitStack

import httpx

from bench import corpus
from domain.chunking import chunk
from domain.embedding import EmbeddingModel
from domain.integrations import IntegrationKind
from domain.parsing import ParseSettings
from domain.people import system_viewer
from domain.sync_embedding import BATCH_CHUNKS
from domain.syncs import Trigger
from infra.analysis import WordAnalyzer
from infra.database import make_engine
from infra.inference.http_embedder import HttpEmbedder
from infra.parsers.reading import read
from infra.queue import make_queue
from infra.secrets import Sealer
from infra.store import Stores
from tests.scale.cluster import Cluster, cluster
from tests.scale.instances import product, until
from tests.scale.ledger import ledger

LATENCY_S = (float(sys.argv[1]) if len(sys.argv) > 1 else 50) / 1000
WORKERS = (1, 2, 8)
N_TENANTS = 8
ROUNDS = 3
DOCUMENTS_A_TENANT = int(sys.argv[2]) if len(sys.argv) > 2 else 30


async def request_all(running: Cluster, round_: int) -> None:
    """Give each tenant a folder, and ask for its sync."""
    engine = make_engine(running.database_url, 2)

    async def nobody_watches(*_: object) -> None:
        return None

    stores = Stores(
        engine, make_queue(running.database_url), WordAnalyzer(), "words@remote", nobody_watches, Sealer(["x" * 32])
    )
    for number in range(N_TENANTS):
        folder = running.folder / f"{round_}-{number}"
        folder.mkdir()
        for name, text in corpus.documents(DOCUMENTS_A_TENANT, seed=100 * round_ + number).items():
            (folder / name).write_text(text)
        async with stores.open_lobby() as lobby:
            tenant = await lobby.add_tenant("Bench", f"bench-{uuid.uuid4().hex[:8]}")
        async with stores.open_vault(system_viewer(tenant.id)) as vault:
            integration = await vault.integrations.add(IntegrationKind.FOLDER, folder.name, {"path": str(folder)}, None)
            await vault.syncs.request(integration.id, Trigger.PERSON)
    await engine.dispose()


def measure(running: Cluster, round_: int, n_workers: int) -> float:
    """Return documents a second from the first document that is written to the last."""
    asyncio.run(request_all(running, round_))
    environment = {
        "DATABASE_URL": running.database_url,
        "REDIS_URL": running.redis.url if running.redis else "",
        "EMBEDDING_BASE_URL": running.embedder.url,
        "EMBEDDING_MODEL": "words",
        "WORKER_CONCURRENCY": "1",
        "LOG_LEVEL": "error",
    }
    workers = [product(f"{round_}-{number}", "work", environment, running.folder) for number in range(n_workers)]
    with ExitStack() as stack:
        for worker in workers:
            stack.callback(worker.kill)
            worker.start()
        wanted = (round_ + 1) * N_TENANTS
        until(lambda: began_at(running, round_) is not None, "the first sync has begun")
        started = time.perf_counter()
        until(lambda: sum(row.state == "succeeded" for row in ledger(running.database_url).syncs) == wanted, "all", 300)
        took_s = time.perf_counter() - started
        for worker in workers:
            worker.stop()
    return N_TENANTS * DOCUMENTS_A_TENANT / took_s


async def embedder_alone(url: str) -> float:
    """Return documents a second where nothing is done but asking for their vectors, a batch after the other."""
    texts = [
        each.embedded_text
        for name, text in corpus.documents(DOCUMENTS_A_TENANT, seed=1).items()
        for each in chunk(read(name, "text/markdown", text.encode(), ParseSettings()))
    ]
    async with httpx.AsyncClient(trust_env=False) as client:
        embedder = HttpEmbedder(client, url, "", EmbeddingModel("words", "remote", 384))
        started = time.perf_counter()
        for at in range(0, len(texts), BATCH_CHUNKS):
            await embedder.embed(texts[at : at + BATCH_CHUNKS])
        return DOCUMENTS_A_TENANT / (time.perf_counter() - started)


def began_at(running: Cluster, round_: int) -> int | None:
    running_syncs = [row.id for row in ledger(running.database_url).syncs if row.state != "queued"]
    return running_syncs[0] if len(running_syncs) > round_ * N_TENANTS else None


def main() -> None:
    """Print the table."""
    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with cluster(n_webs=1, n_workers=0) as running:
        running.embedder.latency_s = LATENCY_S
        rates: dict[int, list[float]] = {n: [] for n in WORKERS}
        for round_, n in enumerate(WORKERS * ROUNDS):
            rates[n].append(measure(running, round_, n))
        alone = asyncio.run(embedder_alone(running.embedder.url))
    print(
        f"\n{N_TENANTS} tenants of {DOCUMENTS_A_TENANT} documents, {LATENCY_S * 1000:.0f} ms a request,"
        f" {n_cores} cores; medians of {ROUNDS}"
    )
    print(f"  the embedder alone, asked by one {alone:8.1f} documents/s")
    for n_workers in WORKERS:
        rate = statistics.median(rates[n_workers])
        ratio = statistics.median(many / one for many, one in zip(rates[n_workers], rates[1], strict=True))
        print(f"  {n_workers} workers {rate:8.1f} documents/s   {ratio:5.2f} x one worker")


if __name__ == "__main__":
    main()
