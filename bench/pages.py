"""How long list pages take with many documents, beside a bare page of one statement, and what a first visit weighs.

    python -m bench.pages [how many documents]

Times are seen from the other end of a loopback connection, so they hold the server's time and the way.
"""

import asyncio
import re
import sys
import time

import httpx
import numpy as np
import psycopg

from bench import plain
from domain.people import EVERYONE
from tests.scale.cluster import Cluster, cluster
from tests.scale.ledger import tenants
from tests.scale.people import person

N_DOCUMENTS = 100_000
N_VISITS = 40
ROUNDS = 3
PAGES = ("/", "/documents", "/documents?sort=title", "/integrations", "/conversations", "/members")
FIRST_PAGE = "/"
ASSET = re.compile(r'(?:href|src)="(/static/[^"#]+)')
IN_STYLES = re.compile(r"url\((/static/[^)]+)\)")
PLANT = """
with source as (
    insert into integrations (tenant_id, kind, name) values (%(tenant)s, 'folder', 'Bench') returning id
), document as (
    insert into documents (
        tenant_id, integration_id, external_id, title, media_type, author, size_bytes, content_hash, version_id,
        version_ordinal, sorted_at
    ) select %(tenant)s, source.id, n::text, 'Report ' || md5(n::text), 'text/markdown', 'Author ' || n %% 50, 1000,
        md5(n::text), n, 1, now() - n * interval '1 minute' from source, generate_series(1, %(n)s) n returning id
)
insert into document_access (tenant_id, document_id, principal) select %(tenant)s, id, %(everyone)s from document
"""


def plant(running: Cluster, n_documents: int) -> int:
    """Fill the newest tenant; return its number."""
    with psycopg.connect(running.database_url) as connection:
        tenant_id = tenants(connection)[-1]
        connection.execute("select set_config('kv.tenant', %s, true)", [str(tenant_id)])
        connection.execute(PLANT, {"tenant": tenant_id, "n": n_documents, "everyone": EVERYONE})
    with psycopg.connect(running.database_url, autocommit=True) as connection:
        connection.execute("analyze")
    return tenant_id


async def timed(client: httpx.AsyncClient, path: str) -> tuple[float, float, int]:
    """Return p50 and p95 in milliseconds, and the bytes of an answer as it travels."""
    took, size_bytes = [], 0
    for _ in range(N_VISITS):
        began = time.perf_counter()
        answer = await client.get(path)
        took.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:500])
        size_bytes = answer.num_bytes_downloaded
    p50, p95 = np.percentile(took, [50, 95])
    return float(p50), float(p95), size_bytes


async def first_visit(client: httpx.AsyncClient) -> dict[str, int]:
    """Return the bytes a browser fetches for its first page, by file."""
    page = await client.get(FIRST_PAGE)
    names = set(ASSET.findall(page.text))
    weights = {FIRST_PAGE: page.num_bytes_downloaded}
    while names:
        name = names.pop()
        answer = await client.get(name)
        weights[name] = answer.num_bytes_downloaded
        if name.endswith(".css"):
            names |= set(IN_STYLES.findall(answer.text)) - set(weights)
    return weights


async def measure(running: Cluster, n_documents: int) -> None:
    async with person(f"http://127.0.0.1:{running.webs[0].port}") as ada:
        async with person(running.url) as by_proxy:
            await by_proxy.sign_up()
            tenant_id = await asyncio.to_thread(plant, running, n_documents)
            ada.client.cookies.update(by_proxy.client.cookies)
        with plain.running(running.database_url, tenant_id) as (port, _, _):
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as bare:
                sides = {"a bare page of 50 documents": (bare, "/list"), **{path: (ada.client, path) for path in PAGES}}
                rounds = [{name: await timed(*side) for name, side in sides.items()} for _ in range(1 + ROUNDS)][1:]
        print(
            f"\nPages of a vault with {n_documents:,} documents     p50 ms   p95 ms      bytes   (medians of {ROUNDS})"
        )
        for name in sides:
            p50, p95, size_bytes = np.median([each[name] for each in rounds], axis=0)
            print(f"  {name:<38} {p50:8.1f} {p95:8.1f} {size_bytes:10,.0f}")
        weights = await first_visit(ada.client)
        print(f"\nA first visit: {len(weights)} files, {sum(weights.values()) / 1024:.1f} KB over the wire")
        for name, size_bytes in sorted(weights.items(), key=lambda each: -each[1]):
            print(f"  {name:<62} {size_bytes:8,}")


def main() -> None:
    """Print the tables."""
    n_documents = int(sys.argv[1]) if len(sys.argv) > 1 else N_DOCUMENTS
    with cluster(n_webs=1, n_workers=0, RATE_LIMITS="off") as running:
        asyncio.run(measure(running, n_documents))


if __name__ == "__main__":
    main()
