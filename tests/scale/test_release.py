"""The release phase of a platform may run twice at once, on an empty database as on one that is up to date."""

import os
import subprocess
import sys

from tests.scale.instances import ROOT
from tests.servers import own_servers


def releases(environment: dict[str, str], n_times: int) -> list[tuple[int, str]]:
    """Run the release that many times at once; return how each ended."""
    command = [sys.executable, "-m", "main", "migrate"]
    running = [
        subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(n_times)
    ]
    return [(process.wait(60), process.communicate()[1]) for process in running]


def test_two_releases_at_once_make_one_schema() -> None:
    with own_servers() as own:
        environment = {**os.environ, "DATABASE_URL": own.database_url, "LOG_LEVEL": "error"}
        for _ in ("empty", "up to date"):
            assert releases(environment, 2) == [(0, ""), (0, "")]
