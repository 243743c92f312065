"""A web and a worker process of their own, and chromium to look at them."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from infra.embedded import Embedded
from infra.migrations import migrate
from tests.browser.transcription import Transcription, transcription_server
from tests.servers import ask, own_servers

ROOT = Path(__file__).parent.parent.parent
READY_TIMEOUT_S = 60
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
PLAYED = ["--use-fake-device-for-media-stream"]
"""A microphone that beeps; whether a page may use it is still asked."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def transcription() -> Iterator[Transcription]:
    """The server that writes down what the site's people say."""
    with transcription_server() as server:
        yield server


@pytest.fixture(scope="session")
def site(transcription: Transcription) -> Iterator[str]:
    """The address of a running product: one web and one worker process, on servers of their own.

    On those of the other tests, this worker would take their jobs.
    """
    with own_servers() as own, tempfile.TemporaryDirectory() as folder:
        migrate(own.database_url)
        yield from served(own, Path(folder) / "log", TRANSCRIPTION_BASE_URL=transcription.base_url)


def served(own: Embedded, log_path: Path, **settings: str) -> Iterator[str]:
    port = free_port()
    environment = {
        **os.environ,
        "DATABASE_URL": own.database_url,
        "REDIS_URL": own.redis_url,
        "PORT": str(port),
        "VAULT_DIR": str(ROOT / ".vault"),
        "LOG_LEVEL": "warning",
        **settings,
    }
    log = log_path.open("wb")
    processes = [
        subprocess.Popen([sys.executable, "-m", "main", name], env=environment, cwd=ROOT, stdout=log, stderr=log)
        for name in ("serve", "work")
    ]
    try:
        wait_until_ready(f"http://127.0.0.1:{port}/health/ready", processes, log_path)
        yield f"http://127.0.0.1:{port}"
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)
        log.close()


def wait_until_ready(url: str, processes: list[subprocess.Popen[bytes]], log: Path) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline:
        assert all(process.poll() is None for process in processes), log.read_text()
        try:
            if ask(url).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    raise AssertionError(f"not ready: {log.read_text()}")


@pytest_asyncio.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("chromium is not installed here")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=QUIET + PLAYED)
        yield browser
        await browser.close()


@pytest_asyncio.fixture
async def open_page(chromium: Browser, site: str) -> AsyncIterator[Callable[..., Awaitable[Page]]]:
    """Opens pages of new people; complains about every error the console shows."""
    contexts = []
    complaints: list[str] = []

    async def open_one(**options: object) -> Page:
        context = await chromium.new_context(base_url=site, **options)
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_one
    for context in contexts:
        await context.close()
    assert not complaints
