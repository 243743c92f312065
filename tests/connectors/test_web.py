"""Web sites, on Python's own web server: after every sync the vault equals the site."""

import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio
import stamina

from domain.errors import VaultError
from domain.people import Viewer
from domain.syncs import SyncState
from domain.vault import Tools
from infra.connectors.web_links import normalised, read_html, scope_of
from infra.store import Stores
from tests.connectors.entered import AMOUNTS, Entered, check_mirror, entered


@dataclass
class WebSite:
    """A folder that is served, and addresses in it that lead elsewhere."""

    folder: Path
    url: str = ""
    redirects: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    days: dict[str, int] = field(default_factory=dict)
    """When pages changed, as their sitemap says; kept only where there is one."""

    def put(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def page(self, path: str, text: str, *links: str, head: str = "") -> None:
        anchors = "".join(f'<a href="{link}">{link}</a>' for link in links)
        self.put(path, f"<html><head><title>{path}</title>{head}</head><body><p>{text}</p><nav>{anchors}</nav></body>")

    async def write(self, name: str, text: str) -> None:
        self.page(f"{name}.html", text)
        self.days[name] = self.days.get(name, 0) + 1
        self._link()

    async def delete(self, name: str) -> None:
        (self.folder / f"{name}.html").unlink()
        del self.days[name]
        self._link()

    def _link(self) -> None:
        self.page("index.html", "Everything.", *(f"{name}.html" for name in self.days))

    def map(self, *more: str) -> None:
        """Write the sitemap."""
        dated = "".join(
            f"<url><loc>{self.url}/{name}.html</loc><lastmod>2026-01-{day:02}T08:00:00Z</lastmod></url>"
            for name, day in self.days.items()
        )
        plain = "".join(f"<url><loc>{url}</loc></url>" for url in more)
        self.put("sitemap.xml", f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{dated}{plain}</urlset>')


class MappedSite(WebSite):
    """A site that keeps its sitemap up to date."""

    def _link(self) -> None:
        self.page("index.html", "Everything.")
        self.map()


class Handler(SimpleHTTPRequestHandler):
    """Python's own, with a few addresses that lead elsewhere."""

    site: WebSite

    def do_GET(self) -> None:
        if self.path in self.site.broken:
            self.send_error(500)
            return
        if target := self.site.redirects.get(self.path):
            self.send_response(302)
            self.send_header("Location", target)
            self.end_headers()
            return
        super().do_GET()

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


def running(site: WebSite) -> Iterator[WebSite]:
    handler = type("SiteHandler", (Handler,), {"site": site})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(site.folder))) as server:
        site.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def site() -> Iterator[WebSite]:
    with tempfile.TemporaryDirectory(prefix="web-") as folder:
        yield from running(WebSite(Path(folder)))


@pytest.fixture
def mapped_site() -> Iterator[WebSite]:
    with tempfile.TemporaryDirectory(prefix="web-") as folder:
        yield from running(MappedSite(Path(folder)))


@pytest_asyncio.fixture
async def connected(site: WebSite, stores: Stores, tools: Tools, viewer: Viewer) -> AsyncIterator[Entered]:
    site.page("index.html", "Everything.")
    async with entered(stores, tools, viewer, "web", {"url": f"{site.url}/"}) as connected:
        yield connected


def paths(texts: dict[str, str], site: WebSite) -> set[str]:
    return {url.removeprefix(site.url) for url in texts}


async def test_the_vault_mirrors_a_site_by_its_links(connected: Entered, site: WebSite) -> None:
    await check_mirror(connected, site, allowance=50)  # without a sitemap, every page is read each time


@AMOUNTS
async def test_a_site_with_a_sitemap_is_asked_only_for_what_has_changed(
    mapped_site: WebSite, stores: Stores, tools: Tools, viewer: Viewer, n_items: int, n_changes: int
) -> None:
    mapped_site.page("index.html", "Everything.")
    async with entered(stores, tools, viewer, "web", {"url": f"{mapped_site.url}/"}) as connected:
        await check_mirror(connected, mapped_site, allowance=3, n_items=n_items, n_changes=n_changes)


async def test_links_are_followed_within_the_folder_and_as_deep_as_asked(connected: Entered, site: WebSite) -> None:
    site.page("docs/index.html", "Start.", "one.html", "../index.html", "https://elsewhere.test/", "mailto:a@b.c")
    site.page("docs/one.html", "One.", "two.html#part", "photo.png", "one.html?utm_source=x")
    site.page("docs/two.html", "Two.", "three.html")
    site.page("docs/three.html", "Three.")
    await connected.change(url=f"{site.url}/docs/", depth="2")
    await connected.sync()
    assert paths(await connected.texts(), site) == {"/docs/", "/docs/one.html", "/docs/two.html"}


async def test_a_sites_wishes_are_followed(connected: Entered, site: WebSite) -> None:
    site.page("index.html", "Start.", "open.html", "secret/plan.html", "draft.html", "quiet.html", "report.pdf.html")
    site.page("open.html", "Open.")
    site.page("secret/plan.html", "Secret.")
    site.page("draft.html", "Draft.", "behind-draft.html", head='<meta name="robots" content="noindex">')
    site.page("behind-draft.html", "Behind the draft.")
    site.page("quiet.html", "Quiet.", "behind-quiet.html", head='<meta name="robots" content="nofollow">')
    site.page("behind-quiet.html", "Behind the quiet one.")
    site.put("robots.txt", "User-agent: *\nDisallow: /secret/\nDisallow: /*.pdf.html$\n")
    await connected.sync()
    assert paths(await connected.texts(), site) == {"/", "/open.html", "/behind-draft.html", "/quiet.html"}


async def test_more_pages_than_allowed_are_left_out_and_said(connected: Entered, site: WebSite) -> None:
    site.page("index.html", "Start.", *(f"page-{number}.html" for number in range(20)))
    for number in range(20):
        site.page(f"page-{number}.html", f"Page {number}.", f"page-{number + 100}.html")
    await connected.change(limit="10")
    await connected.sync()
    assert len(await connected.texts()) == 10
    [failure] = await connected.failures()
    assert "more than 10 pages" in failure.reason


async def test_a_page_whose_scripts_alone_differ_is_the_same_page(connected: Entered, site: WebSite) -> None:
    site.page("index.html", "Start.", head="<script>let token = 1</script>")
    await connected.sync()
    site.page("index.html", "Start.", head="<script>let token = 2</script>")
    assert (await connected.sync()).progress.indexed == 0


async def test_a_page_of_the_map_that_another_leads_to_is_read_once(
    mapped_site: WebSite, stores: Stores, tools: Tools, viewer: Viewer
) -> None:
    await mapped_site.write("plan", "The plan.")
    mapped_site.page("index.html", "Everything.", "old.html")
    mapped_site.redirects = {"/old.html": "/plan.html"}
    async with entered(stores, tools, viewer, "web", {"url": f"{mapped_site.url}/"}) as connected:
        assert (await connected.sync()).progress.indexed == 2
        assert (await connected.sync()).progress.indexed == 0
        assert paths(await connected.texts(), mapped_site) == {"/", "/plan.html"}


async def test_a_map_that_cannot_be_had_for_now_ends_the_sync_and_takes_no_page_for_gone(
    mapped_site: WebSite, stores: Stores, tools: Tools, viewer: Viewer
) -> None:
    mapped_site.page("index.html", "Everything.")
    for number in range(9):
        await mapped_site.write(f"page-{number}", f"Page {number}.")
    async with entered(stores, tools, viewer, "web", {"url": f"{mapped_site.url}/"}) as connected:
        await connected.sync()
        mapped_site.broken.add("/sitemap.xml")
        with stamina.set_testing(True, attempts=2):
            ended = await connected.sync()
        assert (ended.state, "does not answer" in ended.reason) == (SyncState.FAILED, True)
        assert len(await connected.texts()) == 10


@pytest.mark.parametrize("target", ["http://169.254.169.254/latest/meta-data/", "http://localhost:1/", "http://[::1]/"])
async def test_a_page_that_leads_into_a_private_network_is_refused(
    site: WebSite, stores: Stores, tools: Tools, viewer: Viewer, target: str
) -> None:
    site.redirects = {"/": target}
    with pytest.raises(VaultError, match="private network"):
        async with entered(stores, tools, viewer, "web", {"url": f"{site.url}/"}):
            pass


async def test_later_pages_redirects_and_maps_lead_into_no_private_network_either(
    connected: Entered, site: WebSite
) -> None:
    site.page("index.html", "Start.", "gone.html", "http://10.0.0.1/x.html")
    site.redirects = {"/gone.html": "http://169.254.169.254/latest/"}
    site.put("robots.txt", "Sitemap: http://192.168.0.1/sitemap.xml\nSitemap: http://localhost/sitemap.xml\n")
    done = await connected.sync()
    assert (done.state, paths(await connected.texts(), site)) == (SyncState.SUCCEEDED, {"/"})
    [failure] = await connected.failures()
    assert "leads to 169.254.169.254, in a private network" in failure.reason


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"url": "/nothing.html"}, "no page at this address"),
        ({"url": "/closed/a.html"}, "asks not to be read"),
        ({"url": "/photo.png"}, "no page with words"),
        ({"url": "/circle"}, "without end"),
    ],
)
async def test_what_is_wrong_is_said_before_anything_is_kept(
    site: WebSite, stores: Stores, tools: Tools, viewer: Viewer, change: dict[str, str], words: str
) -> None:
    site.put("robots.txt", "User-agent: *\nDisallow: /closed/\n")
    site.page("closed/a.html", "Closed.")
    site.put("photo.png", "not words")
    site.redirects = {"/circle": "/circle"}
    with pytest.raises(VaultError, match=words):
        async with entered(stores, tools, viewer, "web", {"url": site.url + change["url"]}):
            pass


def test_addresses_of_one_page_are_one_address() -> None:
    same = {
        normalised(each, "https://Docs.test/a/b.html")
        for each in ("https://docs.test:443/a/b.html#x", "b.html?utm_source=mail", "./b.html", "//docs.test/a/b.html")
    }
    assert same == {"https://docs.test/a/b.html"}
    assert normalised("javascript:alert(1)", "https://docs.test") == ""
    assert normalised("https://docs.test/" + "x" * 2000) == ""
    emoji = normalised("https://docs.test/" + "🎉" * 60)
    assert emoji == "https://docs.test/" + quote("🎉" * 60)


def test_a_page_in_an_old_encoding_is_read_as_it_was_meant() -> None:
    content = "<html><head><meta charset=iso-8859-1></head><body>Grüße</body></html>".encode("latin-1")
    page = read_html(content, "https://docs.test/", {"content-type": "text/html"})
    assert "Grüße" in page.content.decode()
    assert b"iso-8859-1" not in page.content


def test_a_scope_is_a_folder_of_one_host() -> None:
    scope = scope_of("https://docs.test/handbook/start.html")
    assert scope.holds("https://docs.test/handbook/deep/er.html")
    assert not scope.holds("https://docs.test/handbook2/x.html")
    assert not scope.holds("https://docs.test.evil.test/handbook/x.html")
    assert not scope.holds("ftp://docs.test/handbook/x.html")
