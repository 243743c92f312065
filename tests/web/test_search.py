"""The search page, as people and browsers without script see it."""

from urllib.parse import parse_qs, urlsplit

import pytest_asyncio

from domain.people import Viewer
from domain.vault import Tools
from infra.store import Stores
from tests.factories import Source
from tests.web.asking import LIBRARY, bring_in
from tests.web.browser import Browser

HTMX = {"HX_Request": "true"}
ODD_WORDS = (
    "a",
    "the of and",
    "backups " * 1250,
    "<script>alert(1)</script>",
    "'; drop table documents; --",
    "%00%00backups",
    "%ff%fe",
    "%ED%A0%80",
    "\u202e\u0301🦜‍🦺 ﷽ ｂａｃｋｕｐｓ",
    "%22unbalanced & | ! ( :* <->",
    "%5C%5C",
    "%0A%0D%09",
    "wie lange werden Sicherungen aufbewahrt",
    "バックアップはどこですか",
    "-handbook",
)
SENSELESS_FILTERS = (
    "since=yesterday",
    "until=2026-02-31",
    "integration=none",
    "integration=99999999999999999999",
    "integration=-1",
    "key=nonsense",
    "key=1:x",
)
EDGE_FILTERS = (
    "type=%00",
    "author=%00%27",
    "until=9999-12-31",
    "since=0001-01-01",
    "integration=9223372036854775807",
    "key=nan:5",
    "key=1e999:99999999999999999999",
    f"author={'x' * 5000}",
)


@pytest_asyncio.fixture
async def library(stores: Stores, tools: Tools, source: Source, admin_viewer: Viewer) -> None:
    await bring_in(stores, tools, source, admin_viewer, LIBRARY)


def titles(browser: Browser) -> list[str]:
    return [node.text(strip=True) for node in browser.page.css(".passage__title")]


async def test_a_result_marks_the_words_and_leads_to_the_exact_passage(admin: Browser, library: None) -> None:
    await admin.visit("/search?q=how+long+are+backups+kept")
    assert titles(admin)[0] == "Operations handbook"
    best = admin.page.css_first(".passage .excerpt")
    assert best is not None
    assert {mark.text() for mark in best.css("mark")} >= {"backups", "kept"}
    assert "Backups" in best.css_first(".excerpt__where").text()  # type: ignore[union-attr]
    place = best.attributes["href"] or ""
    query = parse_qs(urlsplit(place).query)
    assert set(query) == {"version", "start", "end"}
    assert place.endswith("#passage")
    await admin.visit(place)
    assert admin.status == 200
    assert "35 days" in admin.words


async def test_filters_narrow_and_each_can_be_taken_away(
    admin: Browser, stores: Stores, tools: Tools, source: Source, admin_viewer: Viewer
) -> None:
    await bring_in(stores, tools, source, admin_viewer, {**LIBRARY, "prices.csv": "good,price\nbackups,35\n"})
    await admin.visit("/search?q=backups&type=text/csv&since=2020-01-01")
    assert titles(admin) == ["prices"] or len(titles(admin)) == 1
    chips = {chip.text(strip=True): chip.attributes["href"] for chip in admin.page.css(".results__chips .chip")}
    assert set(chips) == {"Type: CSV table", "From: 2020-01-01"}
    await admin.visit(chips["Type: CSV table"] or "")
    assert len(titles(admin)) == 3
    assert "Type: CSV table" not in admin.words


async def test_filters_in_words_become_chips_that_a_person_can_remove(admin: Browser, library: None) -> None:
    await admin.visit("/search?q=backups+this+year+in+Files")
    chips = {chip.text(strip=True): chip.attributes["href"] or "" for chip in admin.page.css(".results__chips .chip")}
    assert {name.split(":")[0] for name in chips} == {"Source", "From"}
    assert titles(admin)[0] == "Operations handbook"
    await admin.visit(chips["Source: Files"])
    assert admin.page.css_first("#q").attributes["value"] == "backups this year"  # type: ignore[union-attr]
    assert "Source: Files" not in admin.words
    await admin.visit("/search?q=backups+this+year+in+Files&literal=1")
    assert not admin.page.css(".results__chips .chip")


async def test_a_misspelt_word_and_an_abbreviation_are_owned_up_to(
    admin: Browser, stores: Stores, tools: Tools, source: Source, admin_viewer: Viewer
) -> None:
    files = {**LIBRARY, "words.md": "# Words\n\nThe Northern Pumping Station (NPS) has two pumps."}
    await bring_in(stores, tools, source, admin_viewer, files)
    await admin.visit("/search?q=bakcups")
    assert "No document has “bakcups”" in admin.words
    assert titles(admin)[0] == "Operations handbook"
    await admin.visit("/search?q=NPS")
    assert "NPS stands for Northern Pumping Station" in admin.words


async def test_htmx_gets_the_results_alone_and_an_address_worth_sharing(admin: Browser, library: None) -> None:
    await admin.visit("/search?q=backups&integration=&type=&author=&since=&until=", **HTMX)
    assert admin.response.headers["HX-Push-Url"] == "/search?q=backups"
    assert admin.page.css_first("h1") is None
    assert admin.page.css_first("#results") is not None


async def test_more_results_go_on_where_the_page_ended(
    admin: Browser, stores: Stores, tools: Tools, source: Source, admin_viewer: Viewer
) -> None:
    files = {
        f"note-{number}.md": f"# Note {number}\n\nBackups of machine {number} run at night." for number in range(23)
    }
    await bring_in(stores, tools, source, admin_viewer, files)
    await admin.visit("/search?q=backups+at+night")
    seen = titles(admin)
    while more := admin.page.css_first("a[rel=next]"):
        await admin.visit(more.attributes["href"] or "", **HTMX)
        seen += titles(admin)
    assert len(seen) == len(set(seen)) == 23


async def test_without_words_the_page_shows_what_changed_lately(admin: Browser, library: None) -> None:
    await admin.visit("/search")
    assert "Operations handbook" in admin.words
    assert "Minutes of the storage round" in admin.words


async def test_an_empty_vault_says_how_to_fill_it(admin: Browser) -> None:
    await admin.visit("/search")
    assert admin.page.css_first("a[href='/uploads/new']") is not None
    await admin.visit("/search?q=backups")
    assert "Nothing found" in admin.words
    assert "other words" in admin.words


async def test_words_that_stand_nowhere_are_owned_up_to(admin: Browser, library: None) -> None:
    await admin.visit("/search?q=xylophone")
    assert "No document has these words" in admin.words


async def test_a_search_leads_on_to_a_question(admin: Browser, library: None) -> None:
    await admin.visit("/search?q=how+long+are+nightly+backups+kept")
    await admin.submit("/conversations")
    assert admin.path.startswith("/conversations/")
    assert "35 days" in admin.words


async def test_odd_words_are_searched_for_or_explained(admin: Browser, library: None) -> None:
    for words in ODD_WORDS:
        await admin.visit(f"/search?q={words.replace('&', '%26').replace('#', '%23')}")
        assert admin.status == 200, words
        assert "<script>alert" not in admin.response.text


async def test_a_question_that_is_cut_says_so(admin: Browser, library: None) -> None:
    await admin.visit(f"/search?q={'backups+' * 1250}")
    assert "only its first 1,000 characters" in admin.words


async def test_a_filter_that_makes_no_sense_is_named(admin: Browser, library: None) -> None:
    for filters in SENSELESS_FILTERS:
        await admin.visit(f"/search?q=backups&{filters}")
        assert admin.status == 422, filters
        assert "alert" in admin.response.text
        assert admin.page.css_first("#q").attributes["value"] == "backups"  # type: ignore[union-attr]


async def test_a_filter_at_the_edge_is_taken(admin: Browser, library: None) -> None:
    for filters in EDGE_FILTERS:
        await admin.visit(f"/search?q=backups&{filters}")
        assert admin.status == 200, filters


async def test_another_company_finds_nothing_of_it(admin: Browser, library: None, stranger: Browser) -> None:
    await stranger.visit("/search?q=backups")
    assert "Nothing found" in stranger.words
    assert "handbook" not in stranger.words


async def test_a_page_of_results_asks_the_database_the_same_however_long_it_is(
    admin: Browser, stores: Stores, tools: Tools, source: Source, admin_viewer: Viewer, statements: list[str]
) -> None:
    counts = []
    for n_files in (1, 9):
        files = {f"{number}.md": f"# Note {number}\n\nBackups of machine {number}." for number in range(n_files)}
        await bring_in(stores, tools, source, admin_viewer, files)
        statements.clear()
        await admin.visit("/search?q=backups")
        counts.append(len(statements))
        assert len(titles(admin)) == n_files
    assert counts[0] == counts[1] <= 15
