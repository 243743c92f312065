"""The shared contract on peers that others wrote, in ten changes; `test_every_source.py` has a hundred, and all."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import msgspec
import pytest
import pytest_asyncio

from domain.credentials import Grant
from domain.integrations import Item
from domain.people import Viewer, system_viewer
from domain.vault import Tools
from infra.connectors import REGISTRY
from infra.store import Stores
from tests.connectors.contract import Peer, keeps_its_contract
from tests.connectors.peers import (
    DriveFiles,
    Mailbox,
    github_environment,
    google_environment,
    new_channel,
    new_repository,
    slack_environment,
)
from tests.connectors.vaulted import Vaulted, connected
from tests.peers.emulate import Emulators

KINDS = ("gmail", "drive", "slack", "github")
Pair = tuple[Vaulted, Peer]


@pytest_asyncio.fixture
async def pair(
    request: pytest.FixtureRequest,
    stores: Stores,
    viewer: Viewer,
    tools: Tools,
    emulators: Emulators,
    drive_url: str,
) -> AsyncIterator[Pair]:
    """A connected integration, and the source behind it."""
    kind = request.param
    async with AsyncExitStack() as stack:

        async def api(url: str, token: str) -> httpx.AsyncClient:
            headers = {"Authorization": f"Bearer {token}"}
            return await stack.enter_async_context(httpx.AsyncClient(base_url=url, headers=headers))

        peer: Peer
        match kind:
            case "gmail":
                peer, environment = Mailbox(await api(emulators.google_url, "ya29.tom")), google_environment(emulators)
                await peer.empty()
                grant, settings = Grant("ya29.tom"), {}
            case "drive":
                peer, environment = (
                    DriveFiles(await api(drive_url, "valid-token")),
                    google_environment(emulators, drive_url),
                )
                assert (await peer.api.post("/debug/clear")).is_success
                grant, settings = Grant("valid-token"), {}
            case "github":
                peer, environment = (
                    await new_repository(await api(emulators.github_url, "gho_ana")),
                    github_environment(emulators),
                )
                grant, settings = Grant("gho_ana"), {"chosen": peer.name}
            case _:
                peer, environment = (
                    await new_channel(await api(emulators.slack_url, "xoxp-ana")),
                    slack_environment(emulators),
                )
                grant, settings = Grant("xoxp-ana"), {"chosen": peer.id}
        yield (
            await stack.enter_async_context(connected(stores, viewer, tools, kind, environment, grant, settings)),
            peer,
        )


@pytest.mark.parametrize("pair", KINDS, indirect=True)
async def test_after_ten_changes_the_vault_equals_the_source_at_their_price(pair: Pair) -> None:
    await keeps_its_contract(*pair, n_items=8, n_edits=10)


@pytest.mark.parametrize("pair", ("drive", "github"), indirect=True)
async def test_what_one_worker_listed_another_fetches_just_the_same(pair: Pair) -> None:
    vaulted, peer = pair
    for number in range(3):
        await peer.add(f"Decision {number}: we keep it.")
    kind = next(each.kind for each in REGISTRY if each.kind.name == vaulted.integration.kind)
    assert kind.n_readers > 1
    system = system_viewer(vaulted.viewer.tenant_id)
    lister, other = [vaulted.tools.connect(vaulted.integration, system, vaulted.stores.open_vault) for _ in range(2)]
    items = [each async for page in lister.pages("") for each in page.entries if isinstance(each, Item)]
    assert len(items) >= 3
    for item in items:
        as_sent = msgspec.json.decode(msgspec.json.encode(item), type=Item)
        assert await other.fetch(as_sent) == await lister.fetch(item)
