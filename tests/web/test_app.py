"""The frame around every page: regions, notices, assets, themes, compression."""

import re
from collections.abc import Callable

import pytest

from tests.web.browser import Browser

NewBrowser = Callable[[], Browser]
MAIN_PAGES = (
    "/", "/documents", "/search", "/conversations", "/gaps", "/entities", "/integrations", "/uploads/new", "/members",
)  # fmt: skip


async def test_one_address_gives_htmx_a_notice_and_a_browser_the_page(admin: Browser) -> None:
    assert "HX-Request" in (await admin.visit("/members")).response.headers["Vary"]
    assert admin.heading == "People"


async def test_a_notice_is_shown_once(admin: Browser) -> None:
    assert "has its vault" in admin.words
    assert "has its vault" not in (await admin.visit("/")).words


async def test_a_forged_notice_is_not_shown(admin: Browser) -> None:
    admin.client.cookies.set("kv_flash", "eyJ0ZXh0IjoiUGF5IG1lIn0=", domain="vault.test")
    assert "Pay me" not in (await admin.visit("/")).words
    assert admin.status == 200


async def test_assets_have_hashed_addresses_that_browsers_keep_for_good(browser: Browser) -> None:
    await browser.visit("/session/new")
    link = browser.page.css_first("link[rel=stylesheet]").attributes["href"] or ""
    assert re.fullmatch(r"/static/css/app\.[0-9a-f]{12}\.css", link)
    response = await browser.client.get(link)
    assert "immutable" in response.headers["Cache-Control"]
    assert response.headers["Content-Type"].startswith("text/css")
    assert (await browser.client.get("/static/css/app.000000000000.css")).status_code == 404
    assert (await browser.client.get("/static/../app.py")).status_code == 404


@pytest.mark.parametrize(("path", "limit_bytes"), [("/session/new", 65_000), *((path, 80_000) for path in MAIN_PAGES)])
async def test_a_first_load_is_small(admin: Browser, new_browser: NewBrowser, path: str, limit_bytes: int) -> None:
    """Everything a page needs, as browsers get it: the page, styles, scripts, icons and fonts; nothing is cached."""
    browser = new_browser() if path == "/session/new" else admin
    await browser.visit(path)
    wanted = {node.attributes["href"] for node in browser.page.css("link[href]")}
    wanted |= {node.attributes["src"] for node in browser.page.css("script[src]")}
    wanted |= {(node.attributes["href"] or "").partition("#")[0] for node in browser.page.css("use")}
    total = 0
    for address in (path, *wanted):
        async with browser.client.stream(
            "GET", address or "", headers={"Accept-Encoding": "gzip, deflate, br"}
        ) as response:
            total += sum([len(part) async for part in response.aiter_raw()])
    assert total < limit_bytes


async def test_long_pages_are_compressed_and_short_answers_are_not(browser: Browser) -> None:
    for accepted, encoding in (("gzip", "gzip"), ("gzip, br", "br"), ("gzip, br;q=0", "gzip")):
        page = await browser.client.get("/session/new", headers={"Accept-Encoding": accepted})
        assert page.headers["Content-Encoding"] == encoding
        assert "<h1>Sign in</h1>" in page.text
    short = await browser.client.get("/health/live", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in short.headers
    plain = await browser.client.get("/session/new", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers


async def test_the_chosen_colours_are_in_the_page_from_its_first_byte(browser: Browser) -> None:
    await browser.visit("/session/new")
    assert browser.page.css_first("html").attributes["data-theme"] == "auto"
    await browser.submit("/theme", theme="dark")
    assert browser.path == "/session/new"
    assert browser.page.css_first("html").attributes["data-theme"] == "dark"


async def test_nothing_is_loaded_from_elsewhere(admin: Browser) -> None:
    for path in ("/session/new", "/styleguide"):
        await admin.visit(path)
        addresses = re.findall(r'(?:src|href|action)="([^"]+)"', admin.response.text)
        assert not [address for address in addresses if re.match(r"(https?:)?//", address)]


async def test_the_current_place_is_marked_in_the_navigation(admin: Browser) -> None:
    await admin.visit("/members")
    marked = [node.text(strip=True) for node in admin.page.css(".side-nav [aria-current=page]")]
    assert marked == ["People"]


async def test_the_style_guide_shows_the_face_without_a_fault(admin: Browser) -> None:
    assert (await admin.visit("/styleguide")).heading == "Style guide"
