"""The composition root: reads the environment, joins adapters to ports, and offers the command `knowledgevault`."""

import sys

from infra.lean import collect_seldom, give_back_freed, keep_little_free, leave_out_unused

leave_out_unused(sys.argv)

import argparse
import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import msgspec
import uvicorn.config
import uvicorn.server

from domain.errors import VaultError
from infra import commands, seeds
from infra.analysis import WordAnalyzer
from infra.answer_evaluation import evaluate_answers, read_lines
from infra.bus import Bus
from infra.database import make_engine
from infra.detection import print_conflicts, print_detections
from infra.embedded import embedded
from infra.golden_jobs import look_for_changes
from infra.house import House, mail_addresses, open_house
from infra.inference.export import DEFAULT_MODEL, ensure_exported
from infra.links import LinkSigner
from infra.logs import configure_logs
from infra.metrics import SyncMeter, serve_metrics
from infra.model_jobs import look_for_models
from infra.naming import match_lines, resolve_lines
from infra.note_jobs import NoteWriter
from infra.queue import make_queue
from infra.received_mail import receive_reply
from infra.secrets import Sealer
from infra.settings import Settings, WrongSetting, read_settings
from infra.store import Stores
from infra.store.objects import remove_unused
from infra.store.operations import read_operations
from infra.store.schedules import WakeStore
from infra.supervisor import ProcessFailed, Supervisor
from infra.terminal import make_argument_parser
from infra.worker import Worker
from web.app import create_app
from web.doors import Doors, WebSettings

VERSION = "0.1.0"
READY_TIMEOUT_S = 60
QUESTION_STREAMS = 1
"""A web process embeds single questions: all cores work on one, which takes less memory than one for each core."""


async def serve(settings: Settings) -> None:
    """Serve the web until SIGTERM; requests under way are ended first."""
    async with open_house(settings, settings.n_web_connections, QUESTION_STREAMS) as house:
        await house.bus.start()
        app = create_app(_doors(house), house.tools, _web_settings(settings))
        config = uvicorn.config.Config(
            app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=20,
            proxy_headers=settings.is_production,
            forwarded_allow_ips="*",
            lifespan="off",
        )
        give_back_freed()
        keep_little_free()
        collect_seldom()
        await DrainingServer(config, house.bus).serve()


class DrainingServer(uvicorn.server.Server):
    """Ends the streams first when it is told to stop: browsers reconnect elsewhere, requests under way are finished."""

    def __init__(self, config: uvicorn.Config, bus: Bus) -> None:
        super().__init__(config)
        self._bus = bus

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close what streams wait for, then wait for the rest."""
        await self._bus.stop()
        await super().shutdown(sockets)


def _doors(house: House) -> Doors:
    async def check_health() -> dict[str, str]:
        return await commands.check_health(house.stores.engine, house.bus)

    return Doors(
        open_vault=house.stores.open_vault,
        open_lobby=house.stores.open_lobby,
        watch=house.bus.watch,
        check_health=check_health,
        read_operations=lambda: read_operations(house.stores.engine),
        limiter=house.limiter,
        registry=house.registry,
        wakes=WakeStore(house.stores.engine),
    )


def _web_settings(settings: Settings) -> WebSettings:
    is_demo = os.environ.get("KNOWLEDGEVAULT_DEMO") == "1"
    return WebSettings(
        base_url=settings.base_url,
        secret_key=settings.secret_key,
        version=VERSION,
        is_production=settings.is_production,
        metrics_token=settings.metrics_token,
        may_read_folders=not settings.is_production,
        slack_signing_secret=settings.slack_signing_secret,
        is_demo=is_demo,
        demo_email=seeds.ADMIN.email if is_demo else "",
        demo_password=seeds.PASSWORD if is_demo else "",
    )


async def work(settings: Settings) -> None:
    """Take jobs until SIGTERM."""
    async with open_house(settings, settings.n_worker_connections) as house:
        worker = Worker(
            house.stores.queue,
            house.stores.open_vault,
            house.tools,
            SyncMeter(house.registry).note,
            WakeStore(house.stores.engine),
            _tidy(house),
            _note_writer(house, settings).write_all,
        )
        with ExitStack() as stack:
            if settings.metrics_port:
                stack.callback(serve_metrics(house.registry, settings.host, settings.metrics_port))
            await look_for_models(house.stores.open_lobby, house.stores.open_vault)
            await look_for_changes(house.stores.open_lobby, house.stores.open_vault, house.tools)
            await worker.run(settings.worker_concurrency)


async def receive_mail(settings: Settings) -> None:
    """Take in forwarded mail until SIGTERM. Raises: WrongSetting when no domain is set for it."""
    if not (addresses := mail_addresses(settings)):
        raise WrongSetting("MAIL_DOMAIN is missing: it is what stands behind the @ of the addresses")
    from infra.letterbox import Letterbox, take_in  # noqa: PLC0415  # nobody else pays for the library

    engine = make_engine(settings.database_url, settings.n_web_connections)
    bus = Bus(engine, settings.database_url, settings.redis_url or None)
    sealer = Sealer([settings.secret_key, *settings.previous_secret_keys])
    queue = make_queue(settings.database_url, syncs_per_tenant=settings.syncs_per_tenant)
    stores = Stores(engine, queue, WordAnalyzer(), "", bus.publish, sealer)
    try:
        letterbox = Letterbox(stores.open_vault, addresses, settings.letterbox.trusted_server)
        await take_in(letterbox, settings.host, settings.letterbox.port, settings.letterbox.protocol)
    finally:
        await bus.stop()
        await engine.dispose()


def _tidy(house: House) -> Callable[[], Awaitable[object]] | None:
    """Return what a worker does every hour to leave nothing behind in the object store."""
    objects = house.tools.objects
    return (lambda: remove_unused(house.stores.engine, objects)) if objects else None


def _note_writer(house: House, settings: Settings) -> NoteWriter:
    links = LinkSigner(settings.secret_key)
    writer = NoteWriter(house.stores.open_lobby, house.stores.open_vault, house.tools, links, settings.base_url)
    if not settings.mail.url:
        return writer
    from infra.mail import SmtpMailer  # noqa: PLC0415  # nobody else pays for the library

    return replace(writer, mailer=SmtpMailer(settings.mail))


async def take_reply(settings: Settings, content: bytes) -> None:
    """Take in a mail that answers a question."""
    async with open_house(settings, settings.n_web_connections) as house:
        stores, links = house.stores, LinkSigner(settings.secret_key)
        for question in await receive_reply(stores.open_lobby, stores.open_vault, house.tools, links, content):
            print(f"Answered: {question}", flush=True)


async def plant(settings: Settings) -> None:
    """Plant the demo vault and bring its documents in; at once done when it stands already."""
    async with open_house(settings, settings.n_worker_connections) as house:
        await commands.plant_demo(house.stores.open_lobby, house.stores.open_vault, house.tools)


async def bring_in(settings: Settings, path: Path, tenant: str) -> None:
    """Bring a folder, or one file, into a tenant."""
    async with open_house(settings, settings.n_worker_connections) as house:
        await commands.import_path(house.stores.open_lobby, house.stores.open_vault, house.tools, path, tenant)


async def ask(settings: Settings, question: str, tenant: str, email: str, is_json: bool) -> None:
    """Answer one question in the eyes of one member."""
    async with open_house(settings, settings.n_web_connections) as house:
        stores = house.stores
        await commands.ask(stores.open_lobby, stores.open_vault, house.tools, question, tenant, email, is_json)


async def evaluate(settings: Settings, folder: Path | None, data: Path) -> None:
    """Evaluate retrieval on a folder in BEIR form, or on all public sets."""
    async with open_house(settings, settings.n_worker_connections) as house:
        if folder is None:
            await commands.evaluate_sets(house.stores, house.tools, data)
        else:
            await commands.evaluate_set(house.stores, house.tools, folder)


async def evaluate_answer_lines(settings: Settings, path: Path) -> None:
    """Answer the questions of a file from the passages beside them; print one JSON object of measures."""
    lines = read_lines(path)
    async with open_house(settings, settings.n_web_connections) as house:
        print(msgspec.json.encode(await evaluate_answers(lines, house.tools)).decode(), flush=True)


def run_everything(settings: Settings) -> None:
    """Run servers, web and worker on this machine until Ctrl-C: what `make run` calls."""
    with _servers(settings) as served:
        _migrate(served)
        supervisor = Supervisor({**os.environ, **_environment(served), "KNOWLEDGEVAULT_DEMO": "1"})
        try:
            supervisor.start("serve")
            supervisor.run("seed")
            supervisor.start("work")
            if settings.letterbox.domain:
                supervisor.start("receive-mail")
            url = f"http://127.0.0.1:{settings.port}"
            supervisor.wait_until_ready(f"{url}/health/ready", READY_TIMEOUT_S)
            print(f"KnowledgeVault is ready: {url}")
            print(f"Sign in to the demo vault as {seeds.ADMIN.email} with the password {seeds.PASSWORD}")
            print("Ctrl-C stops everything; the data stays.", flush=True)
            supervisor.wait_for_signal()
        finally:
            supervisor.stop()


@contextmanager
def _servers(settings: Settings) -> Iterator[Settings]:
    """Start the embedded servers, or join them, where no DATABASE_URL is set."""
    if not settings.is_embedded:
        with nullcontext():
            yield settings
        return
    with embedded(settings.folder) as servers:
        yield msgspec.structs.replace(
            settings, database_url=servers.database_url, redis_url=settings.redis_url or servers.redis_url
        )


def _environment(settings: Settings) -> dict[str, str]:
    return {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url}


def _migrate(settings: Settings) -> None:
    from infra.migrations import migrate  # noqa: PLC0415  # 4 MB that web and worker do not pay for

    migrate(settings.database_url)


def _run(settings: Settings, arguments: argparse.Namespace) -> None:
    match arguments.command:
        case "serve":
            asyncio.run(serve(settings))
        case "work":
            asyncio.run(work(settings))
        case "receive-mail":
            asyncio.run(receive_mail(settings))
        case "migrate":
            _migrate(settings)
        case "seed":
            asyncio.run(plant(settings))
        case "import":
            asyncio.run(bring_in(settings, arguments.path, arguments.tenant))
        case "ask":
            asyncio.run(ask(settings, arguments.question, arguments.tenant, arguments.viewer, arguments.json))
        case "receive-reply":
            asyncio.run(take_reply(settings, sys.stdin.buffer.read()))
        case "eval":
            asyncio.run(evaluate(settings, arguments.folder, arguments.data))
        case "eval-answers":
            asyncio.run(evaluate_answer_lines(settings, arguments.file))


def cli(arguments: Sequence[str] | None = None) -> None:
    """Run one command; errors are one clear line and status 1 (2 for a wrong setting)."""
    parsed = make_argument_parser().parse_args(arguments)
    try:
        settings = read_settings(os.environ)
        configure_logs(settings.log_level, settings.is_production)
        if parsed.command == "up":
            signal.signal(signal.SIGTERM, lambda *_: sys.exit("knowledgevault: stopped while starting"))
            run_everything(settings)
            return
        if parsed.command in ("detect", "contradictions"):
            {"detect": print_detections, "contradictions": print_conflicts}[parsed.command](parsed.file)
            return
        if parsed.command == "export":
            for name in filter(None, (settings.embedding_model or DEFAULT_MODEL, settings.next_embedding_model)):
                ensure_exported(name, settings.folder / "models")
            return
        if parsed.command in ("resolve", "match-names"):
            for line in (resolve_lines if parsed.command == "resolve" else match_lines)(parsed.file):
                print(line)
            return
        with _servers(settings) as served:
            if settings.is_embedded:
                _migrate(served)
            _run(served, parsed)
    except WrongSetting as error:
        sys.exit(f"knowledgevault: {error}")
    except (VaultError, ProcessFailed) as error:
        sys.exit(f"knowledgevault: {error}")


if __name__ == "__main__":
    cli()
