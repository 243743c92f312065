"""Starts WsgiDAV, a WebDAV server, over a folder of the test's."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.peers.ports import free_ports
from tests.peers.rclone import PASSWORD, START_TIMEOUT_S, USER, Store
from tests.servers import ask

PATH = "/remote.php/dav/files/ana"
"""As Nextcloud has it."""
CONFIGURATION = """
host: 127.0.0.1
port: {port}
server: cheroot
provider_mapping:
  "{path}": "{folder}"
http_authenticator: {{accept_basic: true, accept_digest: false, default_to_digest: false}}
simple_dc: {{user_mapping: {{"*": {{"{user}": {{password: "{password}"}}}}}}}}
property_manager: true
lock_storage: true
verbose: 1
"""


@contextmanager
def running_wsgidav(folder: Path) -> Iterator[Store]:
    """Start, and stop at the end."""
    [port] = free_ports(1)
    served = folder / "served"
    served.mkdir()
    text = CONFIGURATION.format(port=port, path=PATH, folder=served, user=USER, password=PASSWORD)
    (folder / "wsgidav.yaml").write_text(text)
    command = [sys.executable, "-m", "wsgidav.server.server_cli", "--config", str(folder / "wsgidav.yaml")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(f"http://127.0.0.1:{port}/", process)
        yield Store(f"http://127.0.0.1:{port}{PATH}", served)
    finally:
        process.terminate()
        process.wait(START_TIMEOUT_S)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            ask(url)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("WsgiDAV did not start")
