"""What one web process weighs, and whether tenants add to it: with its own query embedder, and with a remote one.

python -m bench.memory [how many tenants]
"""

import asyncio
import sys

import psutil

from bench import plain
from tests.scale.cluster import cluster
from tests.scale.people import person

N_TENANTS = 200
N_WARM = 10
"""Tenants that bring in what a process loads once: templates, statements, code."""
PATHS = ("/documents", "/integrations", "/search?q=delivery", "/conversations", "/")


async def live_in_tenants(url: str, n_tenants: int) -> None:
    """Sign up that many companies; each looks at the pages people open."""
    for _ in range(n_tenants):
        async with person(url) as somebody:
            await somebody.sign_up()
            for path in PATHS:
                await somebody.visit(path)


def measure(n_tenants: int, **environment: str) -> tuple[float, float, float]:
    """Return megabytes (RSS) of a web process: idle, after a few tenants, after that many more."""
    with cluster(n_webs=1, n_workers=0, RATE_LIMITS="off", **environment) as running:
        web = psutil.Process(running.webs[0].process.pid)
        found = [web.memory_info().rss]
        for n in (N_WARM, n_tenants):
            asyncio.run(live_in_tenants(running.url, n))
            found.append(web.memory_info().rss)
    idle, warm, full = (rss / 2**20 for rss in found)
    return idle, warm, full


def main() -> None:
    """Print the table."""
    n_tenants = int(sys.argv[1]) if len(sys.argv) > 1 else N_TENANTS
    print(
        "\nMemory of one web process (RSS, MB)\n"
        f"  its query embedder                  idle      used   +{n_tenants} tenants"
    )
    with plain.running() as (_, number, _):
        bare = psutil.Process(number).memory_info().rss / 2**20
    print(f"  {'a bare Litestar application':<30} {bare:9.1f}", flush=True)
    for name, environment in (("remote", {}), ("its own", {"EMBEDDING_BASE_URL": "", "EMBEDDING_MODEL": ""})):
        idle, warm, full = measure(n_tenants, **environment)
        print(f"  {name:<30} {idle:9.1f} {warm:9.1f} {full - warm:+12.1f}", flush=True)


if __name__ == "__main__":
    main()
