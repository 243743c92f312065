"""How long `make run` takes to be ready on an installed machine, beside a bare application, and what it weighs."""

import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import psutil

from bench import plain
from infra.seeds import ADMIN, PASSWORD
from tests.scale.cluster import free_port

ROUNDS = 3
Files = dict[str, tuple[str, bytes, str]]
MODELS = Path(".vault/models").resolve()


def start(folder: Path, port: int) -> tuple[subprocess.Popen[str], float]:
    """Start everything on a folder; return the supervisor and the seconds until it says that it is ready."""
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    environment |= {"VAULT_DIR": str(folder), "PORT": str(port), "LOG_LEVEL": "error"}
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "main", "up"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "is ready" in line:
            return process, time.perf_counter() - started
    raise RuntimeError("`knowledgevault up` ended before it was ready")


def weights(process: subprocess.Popen[str], folder: Path) -> dict[str, float]:
    """Return megabytes by process; shared pages are divided among those who share them (PSS)."""
    found: dict[str, float] = {}
    for each in psutil.process_iter():
        try:
            chain = [" ".join(one.cmdline()) for one in (each, *each.parents())]
            pids = {one.pid for one in (each, *each.parents())}
            if name := _name(chain, process.pid in pids, str(folder)):
                found[name] = found.get(name, 0.0) + each.memory_full_info().pss / 1e6
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def _name(chain: list[str], is_ours: bool, folder: str) -> str:
    """Return what a process is, by its own command line and those above it; "" when it is not ours."""
    if "redis-server" in chain[0] and folder in chain[0]:
        return "redis"
    if any("postgres" in command and folder in command for command in chain):
        return "postgres"
    if not is_ours:
        return ""
    names = {"-m main serve": "web", "-m main work": "worker", "-m main up": "supervisor"}
    own = next((name for end, name in names.items() if chain[0].endswith(end)), "")
    return own or "worker's parser"


def use(port: int) -> None:
    """Sign in, search, ask and upload, so that both processes have loaded what they need."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        post(client, "/session/new", "/session", {"email": ADMIN.email, "password": PASSWORD})
        client.get("/search", params={"q": "alarm rules"}).raise_for_status()
        post(client, "/conversations", "/conversations", {"question": "How long do we keep raw readings?"})
        files = {"files": ("note.md", b"# Note\n\nWritten to be measured.", "text/markdown")}
        post(client, "/uploads/new", "/uploads", {"readers": "everyone"}, files)
        time.sleep(5)


def post(client: httpx.Client, page: str, path: str, data: dict[str, str], files: Files | None = None) -> None:
    """Send a form as its page has it, with its token."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(page).text)
    assert token is not None, page
    answer = client.post(path, data={**data, "csrf_token": token[1]}, files=files)
    assert answer.status_code in (200, 303), (path, answer.status_code)


def stop(process: subprocess.Popen[str]) -> float:
    """Stop everything as Ctrl-C does; return how long that took, in seconds."""
    started = time.perf_counter()
    process.send_signal(signal.SIGINT)
    process.wait(40)
    return time.perf_counter() - started


def started_bare() -> float:
    """Return the seconds until a bare application answers."""
    with plain.running() as (_, _, took_s):
        return took_s


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if MODELS.is_dir():
            (folder / "models").symlink_to(MODELS)
        port, again, stops = free_port(), [], []
        process, first_s = start(folder, port)
        for _ in range(ROUNDS):
            stops.append(stop(process))
            process, took_s = start(folder, port)
            again.append(took_s)
        idle = weights(process, folder)
        use(port)
        megabytes = weights(process, folder)
        stop(process)
    bare_s = statistics.median(started_bare() for _ in range(ROUNDS))
    second_s, stop_s = statistics.median(again), statistics.median(stops)
    print("\nEverything `make run` starts, on an installed machine")
    print(f"  ready, first start, demo vault planted   {first_s:6.1f} s")
    print(f"  ready, data kept                         {second_s:6.1f} s   (medians of {ROUNDS}, as what follows)")
    print(f"  a bare Litestar application              {bare_s:6.1f} s")
    print(f"  stopped after Ctrl-C                     {stop_s:6.1f} s")
    print("                          idle  after a search, an answer and an upload")
    for each, size in sorted(megabytes.items(), key=lambda entry: -entry[1]):
        print(f"  {each:<20} {idle.get(each, 0):6.0f} {size:6.0f} MB")
    print(f"  {'all together':<20} {sum(idle.values()):6.0f} {sum(megabytes.values()):6.0f} MB")


if __name__ == "__main__":
    main()
