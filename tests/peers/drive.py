"""Starts a mock of Google Drive (npm `google-drive-mock`) that others wrote: lists, changes, deletions, content.

It knows no accounts, no export, no shared drives, and permissions only as they are written into a file.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.peers.emulate import START_TIMEOUT_S, free_ports, installed, wait_for

MODULE = "google-drive-mock/dist/index.js"


@contextmanager
def running_drive() -> Iterator[str]:
    """Install if need be, start, and stop at the end; yields its address."""
    node, script = installed(MODULE)
    port = free_ports(1)
    start = f"require({str(Path(script))!r}).startServer({port}, '127.0.0.1')"
    process = subprocess.Popen([node, "-e", start], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(START_TIMEOUT_S)
