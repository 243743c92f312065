"""What the commands of the terminal do, once everything is joined together."""

import json
import sys
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.asking import ask_once
from domain.conversations import Answer
from domain.errors import Invalid, NotFound
from domain.integrations import IntegrationKind
from domain.people import system_viewer
from domain.studying import study
from domain.syncs import Sync, SyncState, Trigger
from domain.vault import OpenLobby, OpenVault, Tools
from infra import seeds
from infra.bus import Bus
from infra.evaluation_tables import evaluate_all, evaluate_folder
from infra.store import Stores
from infra.worker import run_sync


async def check_health(engine: AsyncEngine, bus: Bus) -> dict[str, str]:
    """Return each part's state: "up", or what is wrong."""
    try:
        async with engine.connect() as connection:
            await connection.execute(sa.text("select 1"))
        database = "up"
    except (SQLAlchemyError, OSError):
        database = "Postgres does not answer."
    return {"postgres": database, "redis": await bus.check()}


async def plant_demo(open_lobby: OpenLobby, open_vault: OpenVault, tools: Tools) -> None:
    """Plant the demo vault, unless it stands already; a worker reads it for names and gaps.

    Raises: Invalid when its documents cannot be brought in.
    """
    tenant_id, sync = await seeds.plant(open_lobby, open_vault, tools.passwords)
    if sync is not None:
        _checked(await run_sync(open_vault, tools, system_viewer(tenant_id), sync.id))


async def import_path(open_lobby: OpenLobby, open_vault: OpenVault, tools: Tools, path: Path, tenant_slug: str) -> None:
    """Bring a path into a tenant, as an integration named after it. Raises: NotFound, Invalid."""
    root = _checked_path(path)
    async with open_lobby() as lobby:
        tenant = await lobby.tenant_by_slug(tenant_slug)
    if tenant is None:
        raise NotFound(f"There is no tenant called {tenant_slug}. Its short name stands on its settings page.")
    viewer = system_viewer(tenant.id)
    async with open_vault(viewer) as vault:
        held = await vault.integrations.find(IntegrationKind.FOLDER, str(root)[-200:])
        folder = held or await vault.integrations.add(
            IntegrationKind.FOLDER, str(root)[-200:], {"path": str(root)}, None
        )
        sync = await vault.syncs.request(folder.id, Trigger.IMPORT)
    finished = _checked(await run_sync(open_vault, tools, viewer, sync.id))
    await study(open_vault, viewer, tools)
    progress = finished.progress
    _print(
        f"{progress.indexed} documents brought in, {progress.skipped} unchanged, {progress.deleted} removed,"
        f" {progress.failed} failed."
    )
    if progress.failed:
        await _print_failures(open_vault, tenant.id, folder.id)


def _checked_path(path: Path) -> Path:
    if not path.exists():
        raise Invalid(f"There is nothing at {path}. Check the path.")
    return path.resolve()


async def _print_failures(open_vault: OpenVault, tenant_id: int, integration_id: int) -> None:
    async with open_vault(system_viewer(tenant_id)) as vault:
        for failure in await vault.syncs.failures(integration_id, 0, 20):
            _print(f"  {failure.name}: {failure.reason}")


def _checked(sync: Sync | None) -> Sync:
    if sync is None:
        raise Invalid("Another process has taken this sync over; its progress shows on the integrations page.")
    if sync.state is not SyncState.SUCCEEDED:
        raise Invalid(sync.reason or "The sync was cancelled.")
    return sync


async def ask(
    open_lobby: OpenLobby,
    open_vault: OpenVault,
    tools: Tools,
    question: str,
    tenant_slug: str,
    email: str,
    is_json: bool,
) -> None:
    """Print the answer to one question, with its citations. Raises: NotFound for an unknown tenant or member."""
    async with open_lobby() as lobby:
        tenant, user = await lobby.tenant_by_slug(tenant_slug), await lobby.user_by_email(email)
        if tenant is None or user is None:
            raise NotFound("There is no such tenant, or nobody with this e-mail address.")
        viewer = await lobby.viewer(tenant.id, user.id)
    answer = await ask_once(open_vault, viewer, tools, question)
    _print(json.dumps(as_json(answer), ensure_ascii=False) if is_json else as_text(answer))


def as_json(answer: Answer) -> dict[str, Any]:
    """Return an answer in the form that `ask --json` prints."""
    sentences = [
        {
            "text": sentence.text,
            "support": round(sentence.support, 4),
            "citations": [
                {
                    "document": citation.document_id,
                    "version": citation.version_id,
                    "title": citation.title,
                    "start": citation.start,
                    "end": citation.end,
                    "quote": citation.quote,
                }
                for citation in sentence.citations
            ],
        }
        for sentence in answer.sentences
    ]
    return {
        "answer": answer.text,
        "sentences": sentences,
        "abstained": answer.is_abstained,
        "confidence": round(answer.confidence, 4),
        "note": answer.note,
    }


def as_text(answer: Answer) -> str:
    """Return an answer for a terminal."""
    if answer.is_abstained:
        return "The vault doesn't say."
    lines = [f"{sentence.text} [{place}]" for place, sentence in enumerate(answer.sentences, start=1)]
    sources = [
        f"[{place}] {citation.title}: “{citation.quote}”"
        for place, sentence in enumerate(answer.sentences, start=1)
        for citation in sentence.citations
    ]
    return "\n".join([*lines, "", *sources, *([answer.note] if answer.note else [])])


async def evaluate_set(stores: Stores, tools: Tools, folder: Path) -> None:
    """Print one JSON object of measures."""
    _print(json.dumps(await evaluate_folder(stores, tools, folder)))


async def evaluate_sets(stores: Stores, tools: Tools, data: Path) -> None:
    """Print a table for each public set."""
    async for one in evaluate_all(stores, tools, data):
        _print(f"\n{one}")


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
