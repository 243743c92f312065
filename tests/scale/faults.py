"""Break a running cluster at random, and see that nothing is lost: `python -m tests.scale.faults [how many] [seed]`.

The same seed gives the same faults in the same order. Syncs run all the time, people watch them.
"""

import asyncio
import random
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
import psutil
import psycopg

from tests.scale.cluster import Cluster, cluster
from tests.scale.instances import Instance, restart_postgres
from tests.scale.ledger import attempts, require_everything_once
from tests.scale.people import Person, Seen, person, write_documents

FAULTS = (
    *("kill a worker", "kill a worker", "kill a web process", "lose redis", "restart postgres"),
    *("pause a worker", "pause a web process", "pause redis", "pause postgres"),
)
DOCUMENTS_A_SYNC = 40
LATENCY_S = 0.4
"""Of the embedding server: syncs are to be running when faults come."""
PATIENCE_S = 90


@dataclass
class Report:
    """What happened."""

    faults: list[tuple[float, str]] = field(default_factory=list)
    resumed_s: list[float] = field(default_factory=list)
    """From the SIGKILL of a worker until another goes on with its sync."""
    n_syncs: int = 0
    n_streams: int = 0


@dataclass
class Torment:
    """One run of faults over one cluster."""

    cluster: Cluster
    chance: random.Random
    pause_s: float
    report: Report = field(default_factory=Report)
    is_calm: bool = False
    """No fault comes any more."""
    is_over: bool = False

    def cause(self, fault: str) -> None:
        """Cause one fault, and put right what a platform would: processes that ended are started again."""
        self.report.faults.append((time.monotonic(), fault))
        match fault:
            case "kill a worker" | "kill a web process":
                victim = self._one_of(fault)
                victim.kill()
                victim.start()
            case "lose redis":
                assert self.cluster.redis is not None
                self.cluster.redis.lose()
                self.cluster.redis.start()
            case "restart postgres":
                restart_postgres(self.cluster.postgres_data)
            case "pause postgres":
                self._pause(postgres_processes(self.cluster.postgres_data))
            case "pause redis":
                assert self.cluster.redis is not None
                self._pause([psutil.Process(self.cluster.redis.instance.process.pid)])
            case _:
                self._pause([psutil.Process(self._one_of(fault).process.pid)])

    def _one_of(self, fault: str) -> Instance:
        return self.chance.choice(self.cluster.workers if "worker" in fault else self.cluster.webs)

    def _pause(self, processes: list[psutil.Process]) -> None:
        for number in (signal.SIGSTOP, signal.SIGCONT):
            for process in processes:
                try:
                    process.send_signal(number)
                except psutil.NoSuchProcess:
                    continue
            if number is signal.SIGSTOP:
                time.sleep(self.pause_s)

    def note_resumed(self) -> None:
        """Watch who goes on with what, until it is over; runs in a thread."""
        known: dict[int, int] = {}
        while not self.is_over:
            time.sleep(0.25)
            try:
                running = attempts(self.cluster.database_url)
            except psycopg.Error:
                continue
            at, fault = self.report.faults[-1] if self.report.faults else (0.0, "")
            for sync_id, attempt in running.items():
                if attempt > known.get(sync_id, attempt) and fault == "kill a worker":
                    self.report.resumed_s.append(time.monotonic() - at)
                known[sync_id] = attempt


def postgres_processes(data: Path) -> list[psutil.Process]:
    postmaster = psutil.Process(int((data / "postmaster.pid").read_text().split()[0]))
    return [postmaster, *postmaster.children()]


async def insist(ask: Callable[[], Awaitable[int]]) -> int:
    """Ask until there is an answer, as people do who press the button again."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return await ask()
        except (httpx.HTTPError, AssertionError):
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.3)


async def keep_syncing(torment: Torment, somebody: Person, folder: Path, sync_id: int, number: int) -> None:
    """Put more files into a folder and sync it, again and again, with two tabs open, until the faults are over."""
    for turn in range(1, 1000):
        tabs = [Seen(), Seen()]
        async with asyncio.timeout(PATIENCE_S + 60):
            await asyncio.gather(*(somebody.watch(sync_id, seen) for seen in tabs))
        torment.report.n_syncs += 1
        torment.report.n_streams += sum(len(seen.instances) for seen in tabs)
        assert all("Done" in seen.markups[-1] for seen in tabs), tabs[0].markups[-1]
        if torment.is_calm:
            return
        write_more(folder, number, turn)
        last = sync_id
        sync_id = await insist(lambda: somebody.sync_again(last))  # noqa: B023  # awaited before the next turn


def write_more(folder: Path, number: int, turn: int) -> None:
    seed = 1000 * number + turn
    fresh = write_documents(folder.parent / f"{folder.name}-fresh", DOCUMENTS_A_SYNC, seed)
    for path in fresh.iterdir():
        path.rename(folder / f"{seed}-{path.name}")


async def torment(running: Cluster, faults: list[str], seed: int, pause_s: float) -> Report:
    """Cause the faults, one after the other, while three people sync and watch; then look whether all is there."""
    run = Torment(running, random.Random(seed), pause_s)
    running.embedder.latency_s = LATENCY_S
    folders = [running.folder / f"fault-{number}" for number in range(3)]
    async with person(running.url) as one, person(running.url) as two, person(running.url) as three:
        syncing = []
        for number, (somebody, folder) in enumerate(zip((one, two, three), folders, strict=True)):
            await somebody.sign_up()
            folder.mkdir()
            write_more(folder, number, 0)
            sync_id = await somebody.connect_folder(folder)
            syncing.append(asyncio.create_task(keep_syncing(run, somebody, folder, sync_id, number)))
        noting = asyncio.create_task(asyncio.to_thread(run.note_resumed))
        try:
            for fault in faults:
                await asyncio.sleep(run.chance.uniform(0.5, 3.0))
                await asyncio.to_thread(run.cause, fault)
            run.is_calm = True
            await asyncio.gather(*syncing)
        finally:
            run.is_over = True
            for task in syncing:
                task.cancel()
            await asyncio.gather(*syncing, noting, return_exceptions=True)
    running.embedder.latency_s = 0.0
    require_everything_once(running.database_url, folders)
    return run.report


def chosen(n_faults: int, seed: int) -> list[str]:
    """Return that many faults, each kind equally often as far as that goes, in an order of its own."""
    faults = [FAULTS[place % len(FAULTS)] for place in range(n_faults)]
    random.Random(seed).shuffle(faults)
    return faults


def main() -> None:
    given = [int(each) for each in sys.argv[1:]]
    n_faults, seed = [*given, *(100, 1)[len(given) :]]
    began = time.monotonic()
    with cluster(n_webs=3, n_workers=3) as running:
        report = asyncio.run(torment(running, chosen(n_faults, seed), seed, pause_s=10))
    print(f"\n{n_faults} faults (seed {seed}) in {time.monotonic() - began:.0f} s")
    print(f"  syncs finished       {report.n_syncs:6}   documents lost 0, doubled 0, jobs lost 0")
    print(f"  streams reconnected  {report.n_streams - 2 * report.n_syncs:6}   all saw the final state")
    if report.resumed_s:
        p50, p95 = np.percentile(report.resumed_s, [50, 95])
        print(
            f"  resumed after the SIGKILL of a worker: {len(report.resumed_s)} times, p50 {p50:.1f} s, p95 {p95:.1f} s"
        )


if __name__ == "__main__":
    main()
