"""Starts Debian's MediaWiki, on SQLite, under PHP's own web server."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.peers.emulate import give_up
from tests.peers.ports import free_ports
from tests.servers import ask

PROGRAM = Path("/usr/share/mediawiki")
ADMIN, PASSWORD = "Admin", "a-pass-of-the-tests"
START_TIMEOUT_S = 30
SETTINGS = """
$wgEnableUploads = true;
$wgFileExtensions = array_merge($wgFileExtensions, ['txt', 'csv']);
$wgStrictFileExtensions = false;
$wgUploadDirectory = '{folder}/images';
$wgUploadPath = 'http://127.0.0.1:{files_port}/images';
$wgJobRunRate = 0;
$wgRateLimits = [];
$wgGroupPermissions['*']['read'] = {is_open};
"""


@dataclass
class WikiServer:
    """A wiki, as its admin changes it."""

    url: str
    session: httpx.AsyncClient
    token: str = ""

    async def open(self) -> None:
        tokens = await self._ask(action="query", meta="tokens", type="login")
        token = tokens["query"]["tokens"]["logintoken"]
        done = await self._ask(action="login", lgname=ADMIN, lgpassword=PASSWORD, lgtoken=token)
        assert done["login"]["result"] == "Success", done
        self.token = (await self._ask(action="query", meta="tokens"))["query"]["tokens"]["csrftoken"]

    async def write(self, name: str, text: str) -> None:
        await self.act(action="edit", title=name, text=text)

    async def delete(self, name: str) -> None:
        await self.act(action="delete", title=name)

    async def upload(self, name: str, content: bytes) -> None:
        fields = {"action": "upload", "filename": name, "ignorewarnings": "1", "token": self.token, "format": "json"}
        done = await self.session.post(f"{self.url}/api.php", data=fields, files={"file": (name, content)})
        assert done.json()["upload"]["result"] == "Success", done.text

    async def act(self, **asked: str) -> None:
        done = await self._ask(**asked, token=self.token)
        assert "error" not in done, done

    async def _ask(self, **asked: str) -> dict[str, dict[str, dict[str, str]]]:
        answer = await self.session.post(f"{self.url}/api.php", data=asked | {"format": "json", "formatversion": "2"})
        return answer.json()


@contextmanager
def running_mediawiki(folder: Path, *, is_open: bool = True) -> Iterator[str]:
    """Install, start, and stop at the end; gives its address. Skips where MediaWiki or PHP is not here."""
    php = shutil.which("php")
    if php is None or not PROGRAM.is_dir():
        give_up("MediaWiki is not here: install the packages mediawiki, php-cli and php-sqlite3.")
        raise AssertionError
    port, files_port = free_ports(2)
    url = f"http://127.0.0.1:{port}"
    for name in ("data", "settings", "images"):
        (folder / name).mkdir()
    command = [php, str(PROGRAM / "maintenance/install.php"), "--dbtype", "sqlite", "--dbpath", str(folder / "data")]
    command += ["--confpath", str(folder / "settings"), "--pass", PASSWORD, "--server", url, "--scriptpath", ""]
    done = subprocess.run([*command, "Tidewater Wiki", ADMIN], check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout[-500:]
    settings = folder / "settings" / "LocalSettings.php"
    more = SETTINGS.format(folder=folder, files_port=files_port, is_open="true" if is_open else "false")
    settings.write_text(settings.read_text() + more)
    with (
        _serving(php, port, PROGRAM, {"MW_CONFIG_FILE": str(settings)}) as process,
        _serving(php, files_port, folder, {}),
    ):
        _wait_for(f"{url}/api.php?action=query&format=json", process)
        yield url


@contextmanager
def _serving(php: str, port: int, folder: Path, more: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [php, "-S", f"127.0.0.1:{port}", "-t", str(folder)],
        env=os.environ | more,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(START_TIMEOUT_S)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            ask(url, timeout_s=10)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("MediaWiki did not start")
