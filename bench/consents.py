"""Whether consents survive many instances: each is begun on one process, finished on another, and tried once more.

python -m bench.consents [how many]
"""

import asyncio
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from tests.peers.emulate import running_emulators
from tests.scale.cluster import cluster
from tests.scale.consents import callback_path, provider_environment
from tests.scale.people import Person, person

N_FLOWS = 10_000
N_PEOPLE = 16


async def give_consents(somebody: Person, n_flows: int, counts: Counter[str], times_s: list[float]) -> None:
    """Give consent that many times; after each, the same address is tried again, as a thief would."""
    for _ in range(n_flows):
        path = await callback_path(somebody)
        began = time.perf_counter()
        first = await somebody.client.get(path, follow_redirects=False)
        times_s.append(time.perf_counter() - began)
        again = await somebody.client.get(path, follow_redirects=False)
        counts["failed"] += first.status_code != 303
        counts["replays accepted"] += again.status_code != 403


async def measure(url: str, n_flows: int) -> tuple[Counter[str], list[float]]:
    counts: Counter[str] = Counter()
    times_s: list[float] = []

    async def live(n: int) -> None:
        async with person(url) as somebody:
            await somebody.sign_up()
            await give_consents(somebody, n, counts, times_s)

    shares = [len(share) for share in np.array_split(range(n_flows), N_PEOPLE)]
    await asyncio.gather(*(live(n) for n in shares))
    return counts, times_s


def main() -> None:
    """Print the table."""
    n_flows = int(sys.argv[1]) if len(sys.argv) > 1 else N_FLOWS
    with (
        tempfile.TemporaryDirectory() as folder,
        running_emulators(Path(folder)) as emulators,
        cluster(n_webs=3, n_workers=0, RATE_LIMITS="off", **provider_environment(emulators)) as running,
    ):
        began = time.perf_counter()
        counts, times_s = asyncio.run(measure(running.url, n_flows))
        took_s = time.perf_counter() - began
    p50, p95 = np.percentile(times_s, [50, 95]) * 1000
    print(f"\n{n_flows:,} consents by {N_PEOPLE} people on 3 web processes, GitHub emulated, in {took_s:.0f} s")
    print(f"  failed {counts['failed']}   replays accepted {counts['replays accepted']}")
    print(f"  callback p50 {p50:.0f} ms, p95 {p95:.0f} ms")


if __name__ == "__main__":
    main()
