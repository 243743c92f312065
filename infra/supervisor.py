"""Run the product's processes side by side on one machine, and stop them all together."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

import httpx

STOP_TIMEOUT_S = 25
POLL_S = 0.1


class ProcessFailed(Exception):
    """A process ended by itself; its text says which."""


class Supervisor:
    """Starts `knowledgevault` commands as children in one environment; every child ends when this ends."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *command: str) -> None:
        """Start one long-running command."""
        self._children[" ".join(command)] = self._spawn(command)

    def run(self, *command: str) -> None:
        """Run one command to its end. Raises: ProcessFailed when it fails."""
        process = self._spawn(command)
        if process.wait() != 0:
            raise ProcessFailed(f"`knowledgevault {' '.join(command)}` failed; its messages stand above.")

    def _spawn(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        arguments = [sys.executable, "-m", "main", *command]
        # Its own session: Ctrl-C reaches only the supervisor, which stops its children in order.
        return subprocess.Popen(arguments, env=self._environment, start_new_session=True)  # noqa: S603  # our own command

    def wait_until_ready(self, url: str, timeout_s: float) -> None:
        """Wait until a URL answers 200. Raises: ProcessFailed when a child ends first, or time runs out."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            self.check()
            try:
                if httpx.get(url, timeout=2).status_code == httpx.codes.OK:
                    return
            except httpx.HTTPError:
                time.sleep(POLL_S)
        raise ProcessFailed(f"The web process did not answer at {url} within {timeout_s:.0f} s.")

    def check(self) -> None:
        """Raises: ProcessFailed when a child has ended by itself."""
        for name, child in self._children.items():
            if child.poll() is not None:
                raise ProcessFailed(f"`knowledgevault {name}` ended with status {child.returncode}.")

    def wait_for_signal(self) -> None:
        """Return on SIGINT or SIGTERM. Raises: ProcessFailed when a child ends first."""
        is_told: list[int] = []
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda received, _: is_told.append(received))
        while not is_told:
            self.check()
            time.sleep(POLL_S)

    def stop(self) -> None:
        """Ask every child to end, last started first; kill those that do not within STOP_TIMEOUT_S."""
        for child in reversed(self._children.values()):
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for child in self._children.values():
            try:
                child.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
