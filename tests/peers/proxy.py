"""Starts mitmproxy in front of a peer, in an environment of its own: what it pins is not what the product pins."""

import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.peers.emulate import FOLDER, START_TIMEOUT_S, free_ports, give_up, wait_for

MITMPROXY = "mitmproxy==11.0.2"
ADDON = Path(__file__).parent / "faults.py"
Fault = dict[str, str | int | dict[str, str]]


@contextmanager
def faulty(url: str, pass_as: str = "", renamed: str = "") -> Iterator[str]:
    """Yield an address that leads to the peer, with the faults that `faults` asks for; the rest see there."""
    port = free_ports(1)
    arguments = ["-q", "--mode", f"reverse:{url}", "--listen-host", "127.0.0.1", "-p", str(port), "-s", str(ADDON)]
    options = ["--set", "keep_host_header=true", "--set", "connection_strategy=lazy"]
    process = subprocess.Popen(
        [_mitmdump(), *arguments, *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PASS_AS": pass_as, "RENAMED": renamed},
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{address}/__faults", process)
        yield address
    finally:
        process.terminate()
        process.wait(START_TIMEOUT_S)


async def faults(address: str, *wanted: Fault) -> list[Fault]:
    """Ask for these faults in place of those before; return those of them that did not happen as often as asked for."""
    async with httpx.AsyncClient() as client:
        done = await client.post(f"{address}/__faults", json=list(wanted))
        assert done.is_success, done.text
        return [each for each in done.json() if each["times"]]


def _mitmdump() -> str:
    home = FOLDER / "mitmproxy"
    script = home / "bin" / "mitmdump"
    if not script.exists():
        venv.create(home, with_pip=True)
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "-q", MITMPROXY]
        done = subprocess.run(pip, check=False, capture_output=True, text=True, timeout=300)
        if done.returncode:
            give_up(f"mitmproxy could not be installed for {sys.executable}: {done.stderr[-300:]}")
    return str(script)
