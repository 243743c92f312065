"""Starts a mock of OneDrive (npm `microsoft-onedrive-mock`) that others wrote: delta with deletions, content, folders.

It knows no accounts, no sharing, no pages, and no addresses of files elsewhere.
"""

import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.peers.emulate import START_TIMEOUT_S, free_ports, installed, wait_for

MODULE = "microsoft-onedrive-mock/dist/index.js"
ITEMS = "/v1.0/me/drive/items"


@contextmanager
def running_onedrive() -> Iterator[str]:
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


@dataclass
class OneDriveFiles:
    """A drive as its owner changes it."""

    api: httpx.AsyncClient
    expected: dict[str, str] = field(default_factory=dict)
    constant: int = 4

    async def empty(self) -> None:
        """Delete everything, for the drive is the same in all tests."""
        assert (await self.api.post("/debug/clear")).is_success

    async def folder(self, name: str, inside: str = "root") -> str:
        """Make a folder; return its id."""
        done = await self.api.post(f"{ITEMS}/{inside}/children", json={"name": name, "folder": {}})
        assert done.is_success, done.text
        return str(done.json()["id"])

    async def write(self, text: str, inside: str = "root", name: str = "") -> str:
        """Add a file; return its id."""
        name = name or f"{uuid.uuid4().hex[:8]}.md"
        done = await self.api.put(
            f"{ITEMS}/{inside}:/{name}:/content", content=text.encode(), headers={"Content-Type": "text/markdown"}
        )
        assert done.is_success, done.text
        return str(done.json()["id"])

    async def change(self, item: str, **fields: object) -> None:
        """Change what is said of an item."""
        assert (await self.api.patch(f"{ITEMS}/{item}", json=fields)).is_success

    async def add(self, text: str) -> None:
        self.expected[await self.write(text)] = text

    async def edit(self, external_id: str, text: str) -> None:
        done = await self.api.put(
            f"{ITEMS}/{external_id}/content", content=text.encode(), headers={"Content-Type": "text/markdown"}
        )
        assert done.is_success, done.text
        self.expected[external_id] = text

    async def delete(self, external_id: str) -> None:
        assert (await self.api.delete(f"{ITEMS}/{external_id}")).is_success
        del self.expected[external_id]
