"""Several web and worker processes on one Postgres and one Redis, behind a proxy that remembers nobody."""

import shutil
import socket
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra import embedded
from infra.migrations import migrate
from tests.scale.instances import ROOT, Instance, OwnRedis, product, until
from tests.scale.remote_embedder import RemoteEmbedder, remote_embedder

PROXY = """
defaults
    mode http
    timeout connect 2s
    # pings come every 15 s; a stream may be silent no longer than this
    timeout client 60s
    timeout server 60s
    timeout check 2s
    option http-server-close
    option redispatch 1
    retries 5
    retry-on conn-failure empty-response
frontend everybody
    bind 127.0.0.1:{port}
    http-request disable-l7-retry unless METH_GET
    default_backend webs
backend webs
    balance roundrobin
    option httpchk GET /health/ready
    default-server inter 300ms fall 2 rise 1
    http-response set-header X-Instance %s
{servers}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Cluster:
    """What is running, and where to reach it: people speak to `url` only."""

    url: str
    folder: Path
    database_url: str
    redis: OwnRedis | None
    webs: list[Instance]
    workers: list[Instance]
    proxy: Instance
    embedder: RemoteEmbedder

    @property
    def postgres_data(self) -> Path:
        return self.folder / "postgres"

    def wait_until_ready(self) -> None:
        for web in self.webs:
            web.wait_until_ready()
        until(lambda: self.proxy.is_ready, "the proxy has found them")


@contextmanager
def cluster(
    n_webs: int,
    n_workers: int,
    *,
    redis: str = "own",
    postgres: Mapping[str, str] = embedded.POSTGRES_SETTINGS,
    **environment: str,
) -> Iterator[Cluster]:
    """Start everything; end everything afterwards. `redis` is "own", "" for none, or the URL of one that is not there.

    The Postgres is its own too: these workers would take the jobs of other tests.
    """
    haproxy = shutil.which("haproxy") or "/usr/sbin/haproxy"
    if not Path(haproxy).exists():
        pytest.skip("haproxy, the proxy in front of several web processes, is not installed here")
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="vault-", ignore_cleanup_errors=True))
        ).resolve()
        folder.chmod(0o755)
        database_url = stack.enter_context(embedded._postgres(folder / "postgres", embedded.ROLE, postgres))
        migrate(database_url)
        own_redis = OwnRedis(folder) if redis == "own" else None
        if own_redis is not None:
            stack.callback(own_redis.instance.kill)
            own_redis.start()
        embedder = stack.enter_context(remote_embedder())
        common = {
            "DATABASE_URL": database_url,
            "REDIS_URL": own_redis.url if own_redis else redis,
            "VAULT_DIR": str(ROOT / ".vault"),
            "EMBEDDING_BASE_URL": embedder.url,
            "EMBEDDING_MODEL": "words",
            "LOG_LEVEL": "warning",
            **environment,
        }
        ports = [free_port() for _ in range(n_webs + 1)]
        webs = [
            product(f"web{number}", "serve", {**common, "PYTHONHASHSEED": str(number)}, folder, ports[number])
            for number in range(1, n_webs + 1)
        ]
        workers = [
            product(f"worker{number}", "work", {**common, "PYTHONHASHSEED": str(100 + number)}, folder)
            for number in range(1, n_workers + 1)
        ]
        proxy = _proxy(haproxy, folder, ports[0], webs)
        instances = [*webs, *workers, proxy]
        for instance in instances:
            stack.callback(instance.kill)
            instance.start()
        running = Cluster(
            f"http://127.0.0.1:{ports[0]}", folder, database_url, own_redis, webs, workers, proxy, embedder
        )
        running.wait_until_ready()
        yield running
        for instance in reversed(instances):
            if instance.is_running:
                instance.process.terminate()


def _proxy(haproxy: str, folder: Path, port: int, webs: list[Instance]) -> Instance:
    servers = "\n".join(f"    server {web.name} 127.0.0.1:{web.port} check" for web in webs)
    path = folder / "haproxy.cfg"
    path.write_text(PROXY.format(port=port, servers=servers))
    return Instance("haproxy", [haproxy, "-db", "-f", str(path)], {}, folder / "haproxy.log", port)
