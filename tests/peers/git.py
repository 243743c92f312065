"""Serves repositories by git's own program for it (`git http-backend`) to whoever brings the token."""

import base64
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.peers.emulate import give_up

PERSON = {"GIT_AUTHOR_NAME": "Ana", "GIT_AUTHOR_EMAIL": "ana@tidewater.example", "GIT_CONFIG_GLOBAL": os.devnull}
PERSON |= {"GIT_COMMITTER_NAME": "Ana", "GIT_COMMITTER_EMAIL": "ana@tidewater.example"}


@dataclass
class GitServer:
    """Where it listens, and what it was asked."""

    folder: Path
    token: str
    url: str = ""
    asked: list[str] = field(default_factory=list)
    status: int = 0
    """Answer this instead, unless 0."""

    def commit(self, repository: str, files: dict[str, str | None]) -> None:
        """Write files into a wiki, or delete those that are None; it is made with its first commit."""
        bare, work = self.folder / f"{repository}.wiki.git", self.folder / "work" / repository
        if not bare.exists():
            self._git("init", "--quiet", "--bare", "--initial-branch=master", str(bare))
            self._git("clone", "--quiet", str(bare), str(work))
        for path, text in files.items():
            where = work / path
            where.parent.mkdir(parents=True, exist_ok=True)
            where.unlink() if text is None else where.write_text(text)
        self._git("-C", str(work), "add", "--all")
        self._git("-C", str(work), "commit", "--quiet", "--message", "Edit")
        self._git("-C", str(work), "push", "--quiet", "origin", "HEAD:master")

    def _git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], check=True, env=os.environ | PERSON, capture_output=True, timeout=60)


@contextmanager
def running_git(folder: Path, token: str) -> Iterator[GitServer]:
    """Serve an empty folder; skips where git is not here."""
    if shutil.which("git") is None:
        give_up("Git is not here: install the package git.")
    served = GitServer(folder, token)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.pass_on()

        def do_POST(self) -> None:
            self.pass_on()

        def pass_on(self) -> None:
            served.asked.append(f"{self.command} {self.path}")
            known = base64.b64encode(f"x-access-token:{served.token}".encode()).decode()
            path, _, query = self.path.partition("?")
            repository = path.strip("/").partition(".git")[0]
            if self.headers["Authorization"] != f"Basic {known}" or served.status:
                self.send_error(served.status or 401)
                return
            if not (served.folder / f"{repository}.git").exists():
                self.send_error(404)
                return
            content = self.rfile.read(int(self.headers["Content-Length"] or 0))
            environment = {
                "GIT_PROJECT_ROOT": str(served.folder),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_PROTOCOL": self.headers["Git-Protocol"] or "",
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers["Content-Type"] or "",
                "CONTENT_LENGTH": str(len(content)),
            }
            done = subprocess.run(
                ["git", "http-backend"],
                check=False,
                input=content,
                env=os.environ | environment,
                capture_output=True,
                timeout=60,
            )
            head, _, body = done.stdout.partition(b"\r\n\r\n")
            self.send_response(200)
            for line in head.decode().splitlines():
                self.send_header(*line.split(": ", 1))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        served.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()
