"""One contract for every source: the vault equals it after a hundred changes, whatever gets in the way, also death."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.people import Viewer, system_viewer
from domain.syncs import SyncState, Trigger
from domain.vault import Tools
from infra.connectors import REGISTRY
from infra.database import tenant_transaction
from infra.store import Stores
from infra.worker import run_sync
from tests.conftest import SEALED_WITH
from tests.connectors.contract import succeeded
from tests.connectors.dying import Orders
from tests.connectors.entered import Notes, Synced, check_equal, check_mirror, may_delete
from tests.connectors.sources import SOURCES, Bench, Opened
from tests.peers.proxy import Fault, faults

AT_ITS_SOURCE = {"upload", "answers"}
"""Kinds whose source is the vault itself."""
BY_CONSENT_TOO = {"gmail_imap", "microsoft_imap"}
"""The mailbox of `imap`, opened by a token: `tests/web/test_imap_consent.py` has that."""
TROUBLES: dict[str, Fault] = {
    "429 that says when": {"times": 4, "kind": "status", "status": 429, "headers": {"Retry-After": "1"}},
    "429 that does not": {"times": 3, "kind": "status", "status": 429},
    "5xx": {"times": 3, "kind": "status", "status": 502},
    "cut connections": {"times": 3, "kind": "cut"},
}
UNTROUBLED = {"imap", "forwarding", "folder"}
"""No HTTP: what these meet instead has tests of its own."""


@pytest_asyncio.fixture
async def opened(request: pytest.FixtureRequest, stores: Stores, tools: Tools, viewer: Viewer) -> AsyncIterator[Opened]:
    async with AsyncExitStack() as stack:
        yield await SOURCES[request.param](Bench(request, stack, stores, tools, viewer))


def test_every_kind_of_source_is_held_to_the_contract() -> None:
    assert {each.kind.name for each in REGISTRY} == set(SOURCES) | AT_ITS_SOURCE | BY_CONSENT_TOO


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("opened", SOURCES, indirect=True)
async def test_after_a_hundred_changes_the_vault_equals_the_source_at_their_price(opened: Opened) -> None:
    figures = await check_mirror(
        opened.synced, opened.peer, allowance=opened.allowance, n_items=60, n_changes=100, ways=opened.ways
    )
    print(opened.synced.integration.kind, figures)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("opened", sorted(set(SOURCES) - UNTROUBLED), indirect=True)
async def test_limits_errors_cuts_and_a_token_that_ends_in_mid_sync_lead_to_the_same_end(opened: Opened) -> None:
    notes = Notes(opened.peer)
    for name, trouble in TROUBLES.items():
        await changed_a_little(notes, opened, name)
        await faults(opened.proxy, {"match": "/", "after": 2, **trouble})
        succeeded(await opened.synced.sync())
        assert await faults(opened.proxy) == [], f"{name} did not happen as often as it should"
        await check_equal(opened.synced, notes.written)
    if opened.has_token:
        await changed_a_little(notes, opened, "token")
        await faults(opened.proxy, {"match": "/", "after": 3, "times": 1, "kind": "expire"})
        ended = await opened.synced.sync()
        assert await faults(opened.proxy) == []
        assert (ended.state is SyncState.SUCCEEDED) == opened.is_renewed, ended.reason
        if not opened.is_renewed:
            assert "accept" in ended.reason, "what to do next is said: reconnect, or enter it again"
            succeeded(await opened.synced.sync())
        await check_equal(opened.synced, notes.written)


async def changed_a_little(notes: Notes, opened: Opened, name: str) -> None:
    """Add eight, rewrite one, delete one."""
    there = sorted(notes.written)
    for number in range(8):
        await notes.write(f"{name} {number}.md".replace(" ", "-"))
    if there:
        await notes.write(there[0])
        await notes.delete(there[-1])
    await may_delete(opened.synced)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("opened", SOURCES, indirect=True)
async def test_a_worker_that_is_killed_leaves_nothing_undone_and_nothing_twice(
    opened: Opened, database_url: str, engine: AsyncEngine
) -> None:
    notes, synced = Notes(opened.peer), opened.synced
    for number in range(40):
        await notes.write(f"note-{number}.md")
    async with synced.stores.open_vault(synced.viewer) as vault:
        sync = await vault.syncs.request(synced.integration.id, Trigger.PERSON)
    system = system_viewer(synced.viewer.tenant_id)
    whose = {"database_url": database_url, "tenant_id": system.tenant_id, "sync_id": sync.id}
    for when in ({"n_fetched": 9}, {"n_committed": 6}):
        orders = msgspec.convert(whose | when | {"environment": opened.environment, "sealed_with": SEALED_WITH}, Orders)
        assert await died(orders) == -signal.SIGKILL, when
    done = await run_sync(synced.stores.open_vault, synced.tools, system, sync.id)
    assert done is not None
    assert (succeeded(done).attempt, done.progress.processed) == (3, done.progress.found)
    await check_equal(synced, notes.written)
    assert await n_versions(engine, synced) == len(await synced.texts())
    for number in range(6):
        await notes.change(number, opened.ways)
    await may_delete(synced)
    succeeded(await synced.sync())
    await check_equal(synced, notes.written)


async def died(orders: Orders) -> int:
    """Begin a sync in a process of its own; return how that ended."""
    root = Path(__file__).parents[2]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.connectors.dying", cwd=root, stdin=asyncio.subprocess.PIPE
    )
    await process.communicate(msgspec.json.encode(orders))
    assert process.returncode is not None
    return process.returncode


async def n_versions(engine: AsyncEngine, synced: Synced) -> int:
    """How many versions of documents an integration has, once each if nothing was written twice."""
    async with tenant_transaction(engine, synced.viewer.tenant_id) as connection:
        rows = await connection.execute(
            sa.text(
                "select count(*) from document_versions v join documents d"
                " on (d.tenant_id, d.id) = (v.tenant_id, v.document_id) where d.integration_id = :integration"
            ),
            {"integration": synced.integration.id},
        )
        return int(rows.scalar_one())
