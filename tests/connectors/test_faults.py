"""Faults in the middle of a sync, put between us and the peers by mitmproxy: the same end, and no duplicate."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import httpx
import pytest
import pytest_asyncio

from domain.credentials import Grant
from domain.people import Viewer
from domain.syncs import SyncState
from domain.vault import Tools
from infra.store import Stores
from tests.connectors.contract import equals, succeeded
from tests.connectors.peers import Mailbox, google_environment
from tests.connectors.vaulted import Vaulted, connected
from tests.peers.emulate import Emulators
from tests.peers.proxy import Fault, faults, faulty

pytestmark = pytest.mark.long
N_MAILS = 30


@pytest.fixture(scope="module")
def proxy(emulators: Emulators) -> Iterator[str]:
    with faulty(emulators.google_url) as address:
        yield address


@pytest_asyncio.fixture
async def mailbox(emulators: Emulators) -> AsyncIterator[Mailbox]:
    headers = {"Authorization": "Bearer ya29.ana"}
    async with httpx.AsyncClient(base_url=emulators.google_url, headers=headers) as api:
        mailbox = Mailbox(api)
        await mailbox.empty()
        for number in range(N_MAILS):
            await mailbox.add(f"Mail number {number:03} about the archive.")
        yield mailbox


@pytest_asyncio.fixture
async def vaulted(
    proxy: str, mailbox: Mailbox, stores: Stores, viewer: Viewer, tools: Tools, emulators: Emulators
) -> AsyncIterator[Vaulted]:
    environment = google_environment(replace(emulators, google_url=proxy))
    async with connected(stores, viewer, tools, "gmail", environment, Grant("ya29.ana")) as vaulted:
        yield vaulted


@pytest.mark.parametrize(
    "fault",
    [
        {"match": "/messages", "times": 5, "kind": "status", "status": 429, "headers": {"Retry-After": "1"}},
        {"match": "/messages/", "times": 3, "kind": "status", "status": 429},
        {"match": "/messages/", "times": 3, "kind": "status", "status": 503},
        {"match": "/messages/", "times": 3, "kind": "cut"},
    ],
    ids=["429 that says when", "429 that does not", "5xx", "cut connections"],
)
async def test_what_passes_is_waited_out(vaulted: Vaulted, mailbox: Mailbox, proxy: str, fault: Fault) -> None:
    await faults(proxy, fault)
    succeeded(await vaulted.sync())
    await equals(vaulted, mailbox)


async def test_a_source_that_stays_away_ends_the_sync_and_the_next_goes_on_where_it_stopped(
    vaulted: Vaulted, mailbox: Mailbox, proxy: str
) -> None:
    chosen = sorted(mailbox.expected)[N_MAILS // 2].partition("/")[2]
    await faults(
        proxy, {"match": chosen, "times": 100, "kind": "status", "status": 429, "headers": {"Retry-After": "900"}}
    )
    stopped = await vaulted.sync()
    assert (stopped.state, "next sync goes on" in stopped.reason) == (SyncState.FAILED, True)
    n_stored = len(await vaulted.texts())
    await faults(proxy)
    succeeded(await vaulted.sync())
    await equals(vaulted, mailbox)
    assert sum("/messages/" in each for each in vaulted.asked) <= N_MAILS - n_stored + 1


async def test_a_token_that_expires_in_the_middle_is_renewed_or_asks_for_a_person(
    vaulted: Vaulted, mailbox: Mailbox, proxy: str
) -> None:
    await faults(proxy, {"match": "/messages/", "times": 1, "kind": "expire"})
    ended = await vaulted.sync()
    assert (ended.state, "Reconnect" in ended.reason) == (SyncState.FAILED, True)
    await faults(proxy)
    succeeded(await vaulted.sync())
    await equals(vaulted, mailbox)


async def test_a_history_that_is_too_old_is_replaced_by_a_look_at_everything(
    vaulted: Vaulted, mailbox: Mailbox, proxy: str
) -> None:
    succeeded(await vaulted.sync())
    await mailbox.delete(sorted(mailbox.expected)[0])
    await mailbox.add("A mail that came late.")
    await faults(proxy, {"match": "/history", "times": 1, "kind": "status", "status": 404})
    again = succeeded(await vaulted.sync())
    await equals(vaulted, mailbox)
    assert again.progress.n_embedded == 1
