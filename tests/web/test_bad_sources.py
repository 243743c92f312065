"""Sources that lie, never end or lead astray: the pages say what happened and what to do next, and nothing turns on."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from domain.integrations import Integration, Page
from domain.people import Viewer, system_viewer
from domain.syncs import Sync, Trigger
from domain.vault import Tools
from infra.connectors import Connectors
from infra.connectors.addresses import open_outside
from infra.connectors.providers import open_client
from infra.store import Stores
from infra.worker import run_sync
from tests import factories
from tests.connectors.test_web import WebSite, running
from tests.factories import Source
from tests.web.browser import Browser


@dataclass
class Liar(Source):
    """A source in memory that announces any total it likes."""

    total: int | None = None

    async def pages(self, cursor: str) -> AsyncIterator[Page]:
        async for page in super().pages(cursor):
            yield msgspec.structs.replace(page, total=self.total)


@pytest.fixture
def source() -> Source:
    return Liar()


@pytest.fixture
def site() -> Iterator[WebSite]:
    with tempfile.TemporaryDirectory(prefix="web-") as folder:
        yield from running(WebSite(Path(folder)))


@pytest_asyncio.fixture
async def tools(tools: Tools) -> AsyncIterator[Tools]:
    """Web sites are read in earnest; folders are the source in memory."""
    in_memory = tools.connect
    async with open_client() as client, open_outside(["127.0.0.1"]) as outside:
        real = Connectors(client, None, {}, tools.now, outside=outside)

        def connect(integration: Integration, *more: object) -> object:
            return (in_memory if integration.kind == "folder" else real.connect)(integration, *more)  # type: ignore[arg-type]

        yield replace(tools, connect=connect, kinds=real.kinds)  # type: ignore[arg-type]


async def said(browser: Browser, sync: Sync) -> list[str]:
    """What the pages of a sync say that has come to its end: its own, its integration's, and the card among all."""
    addresses = (f"/syncs/{sync.id}", f"/integrations/{sync.integration_id}", "/integrations")
    found = []
    for address in addresses:
        await browser.visit(address)
        assert browser.status == 200
        assert not browser.page.css(f'[sse-connect="/syncs/{sync.id}/events"]'), f"{address} still listens"
        assert not browser.page.css(".badge--live, progress:not([value])"), f"{address} still turns"
        assert browser.page.css(f'button[formaction="/integrations/{sync.integration_id}/syncs"]'), "no way to go on"
        found.append(browser.words)
    return found


@pytest.mark.parametrize("total", [1, 1_000_000])
async def test_a_source_that_lies_about_its_total_ends_at_what_there_was(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, source: Liar, total: int
) -> None:
    source.files, source.total = {f"{number}.md": f"# Note {number}\n\nText." for number in range(5)}, total
    for words in await said(admin, await factories.synced(stores, tools, admin_viewer)):
        assert "Up to date" in words
        assert f"{total:,} items" not in words
    assert "5 documents" in words


@pytest.mark.parametrize("is_empty", [False, True], ids=["a cursor that repeats", "pages without an end"])
async def test_a_listing_without_an_end_is_stopped_with_a_reason_and_the_next_step(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, source: Liar, is_empty: bool
) -> None:
    source.is_snapshot, source.files = False, {f"{number}.md": f"# Note {number}\n\nText." for number in range(3)}
    source.log = [source.item(name) for name in source.files]
    source.circles_through = () if is_empty else tuple(source.log)
    for words in await said(admin, await factories.synced(stores, tools, admin_viewer)):
        assert "Failed" in words
        assert "so reading was stopped. What was brought in stays. Sync again" in words


async def test_files_nobody_can_read_are_listed_each_with_its_reason_and_strange_names_come_in(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, source: Liar
) -> None:
    emoji = "🦊🐻🐼" * 100
    source.files = {f"{emoji}.md": "# Emoji\n\nText.", f"{emoji}.pdf": b"%PDF-1.7 cut", "disk.iso": "x"}
    source.sizes = {"disk.iso": 2 * 1024**3}
    sync = await factories.synced(stores, tools, admin_viewer)
    first, second, card = await said(admin, sync)
    for words in (first, second):
        assert "It is 2,048 MB large; files over 100 MB are not read. Split it at the source, then sync again." in words
        assert f"{emoji}.pdf" in words
    assert "Done, but 2 items could not be read" in first
    assert "2 failures" in card
    assert "Emoji" in (await admin.visit(f"/documents?integration={sync.integration_id}")).words


@pytest.mark.parametrize("target", ["http://169.254.169.254/latest/meta-data/", "http://localhost:1/"])
async def test_a_site_that_leads_into_a_private_network_is_refused_at_the_form_and_at_every_later_page(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, site: WebSite, target: str
) -> None:
    host = target.split("/")[2].partition(":")[0]
    site.redirects = {"/": target}
    site.page("index.html", "Start.", "gone.html")
    await admin.visit("/kinds/web/integrations/new")
    await admin.submit("/kinds/web/integrations", url=f"{site.url}/", readers="everyone")
    assert admin.status == 422
    assert f"{host} leads into a private network" in admin.words
    site.redirects = {"/gone.html": target}
    await admin.submit("/kinds/web/integrations", url=f"{site.url}/", readers="everyone")
    assert admin.path.startswith("/syncs/")
    sync = await finished(stores, tools, admin_viewer)
    page, integration, card = await said(admin, sync)
    for words in (page, integration):
        assert f"This page leads to {host}, in a private network, where we do not go. Correct it at the site" in words
    assert "1 failure" in card
    site.redirects = {"/": target}
    for words in await said(admin, await finished(stores, tools, admin_viewer)):
        assert f"{host} leads into a private network, where we do not go. Enter the address of a public server" in words


async def finished(stores: Stores, tools: Tools, viewer: Viewer) -> Sync:
    """The sync of the only web site, carried to its end."""
    async with stores.open_vault(viewer) as vault:
        [site] = [each for each in await vault.integrations.all() if each.kind == "web"]
        sync = await vault.syncs.request(site.id, Trigger.PERSON)
    done = await run_sync(stores.open_vault, tools, system_viewer(viewer.tenant_id), sync.id)
    assert done is not None
    return done
