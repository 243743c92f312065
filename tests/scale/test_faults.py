"""Processes and servers die while syncs run and people watch; `make scale` does it a hundred times."""

import pytest

from tests.scale.cluster import cluster
from tests.scale.faults import torment

pytestmark = pytest.mark.long
A_FEW = ["restart postgres", "lose redis", "kill a web process", "pause redis", "pause a worker", "kill a worker"]


@pytest.mark.timeout(240)
async def test_nothing_is_lost_or_done_twice_when_processes_and_servers_die_during_syncs() -> None:
    with cluster(n_webs=2, n_workers=2) as running:
        report = await torment(running, A_FEW, seed=1, pause_s=4)
    assert len(report.faults) == len(A_FEW)
    assert all(seconds <= 60 for seconds in report.resumed_s)
