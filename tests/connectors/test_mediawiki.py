"""MediaWiki, on Debian's own: after every sync the vault equals the wiki."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from domain.errors import Unavailable, VaultError
from domain.integrations import Integration
from domain.people import Viewer
from domain.syncs import SyncState
from domain.vault import Tools
from infra.connectors.addresses import AddressGuard, Outside
from infra.connectors.kinds import Reach
from infra.connectors.mediawiki import MediaWikiConnector
from infra.connectors.mediawiki_api import Wiki
from infra.store import Stores
from tests.connectors.entered import Entered, entered
from tests.peers.mediawiki import ADMIN, PASSWORD, WikiServer, running_mediawiki


@pytest.fixture
def url() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="wiki-") as folder, running_mediawiki(Path(folder)) as running:
        yield running


@pytest.fixture
def closed_url() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="wiki-") as folder, running_mediawiki(Path(folder), is_open=False) as found:
        yield found


@pytest_asyncio.fixture
async def wiki(url: str) -> AsyncIterator[WikiServer]:
    async with httpx.AsyncClient(timeout=30) as session:
        server = WikiServer(url, session)
        await server.open()
        yield server


@pytest_asyncio.fixture
async def connected(wiki: WikiServer, stores: Stores, tools: Tools, viewer: Viewer) -> AsyncIterator[Entered]:
    async with entered(stores, tools, viewer, "mediawiki", {"url": f"{wiki.url}/index.php?title=Main_Page"}) as found:
        yield found


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_moves_redirects_files_and_odd_titles_are_followed(connected: Entered, wiki: WikiServer) -> None:
    assert connected.integration.name == "Tidewater Wiki"
    await wiki.write("Old name", "We ship '''submarines'''.")
    await wiki.write("Package.json", "How we & others <nowiki><pack></nowiki> things.")
    await wiki.write("🎉" * 60, "A feast.")
    await wiki.write("Template:Box", "not a document")
    await wiki.write("Talk:Old name", "not a document either")
    await wiki.upload("prices.csv", b"pump,12\nvalve,7\n")
    await connected.sync()
    texts = await connected.texts()
    assert set(texts) == {"Main Page", "Old name", "Package.json", "🎉" * 60, "File:Prices.csv"}
    assert "submarines" in texts["Old name"]
    assert "valve" in texts["File:Prices.csv"]
    await wiki.act(**{"action": "move", "from": "Old name", "to": "New name"})
    await wiki.write("Package.json", "#REDIRECT [[New name]]")
    await wiki.delete("File:Prices.csv")
    second = await connected.sync()
    assert second.state is SyncState.SUCCEEDED
    assert set(await connected.texts()) == {"Main Page", "New name", "🎉" * 60}


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_a_wiki_that_is_not_open_is_read_with_a_password(
    closed_url: str, stores: Stores, tools: Tools, viewer: Viewer
) -> None:
    with pytest.raises(VaultError, match="not open to everybody"):
        async with entered(stores, tools, viewer, "mediawiki", {"url": f"{closed_url}/api.php"}):
            pass
    with pytest.raises(VaultError, match="does not accept this name"):
        values = {"url": f"{closed_url}/api.php", "user": ADMIN, "password": "wrong"}
        async with entered(stores, tools, viewer, "mediawiki", values):
            pass
    values = {"url": f"{closed_url}/api.php", "user": ADMIN, "password": PASSWORD}
    async with entered(stores, tools, viewer, "mediawiki", values) as connected:
        await connected.sync()
        assert set(await connected.texts()) == {"Main Page"}


async def test_a_wiki_that_lists_in_a_circle_is_stopped(viewer: Viewer, stores: Stores) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.params.get("meta") == "siteinfo":
            return httpx.Response(200, json={"query": {"namespaces": {"0": {"id": 0, "content": True}}}})
        return httpx.Response(200, json={"continue": {"gapcontinue": "A"}, "query": {"pages": []}})

    async def secrets() -> dict[str, str]:
        return {}

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        now = datetime(2026, 11, 25, tzinfo=UTC)
        reach = Reach({"url": "https://w.test/api.php"}, secrets, client, lambda: now, Outside(AddressGuard(), client))
        integration = Integration(1, "mediawiki", "W", {"readers": "everyone"}, "", None, now, None)
        connector = MediaWikiConnector(Wiki(reach), now, integration, viewer, stores.open_vault)
        with pytest.raises(Unavailable, match="again and again"):
            [page async for page in connector.pages("")]


async def test_a_wiki_in_a_private_network_is_refused(stores: Stores, tools: Tools, viewer: Viewer) -> None:
    with pytest.raises(VaultError, match="private network"):
        async with entered(stores, tools, viewer, "mediawiki", {"url": "http://10.0.0.1/wiki"}):
            pass
