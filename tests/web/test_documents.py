"""The library and the page of one document."""

import pytest

from domain.people import Viewer, user_principal
from domain.vault import Tools
from infra.store import Stores
from tests import factories
from tests.web.browser import Browser
from tests.web.pressing import choose

HANDBOOK = "# Handbook\n\n## Backups\n\nBackups are kept for <b>35</b> days.\n\n## Access\n\n- Ask Lena\n- Wait\n"


async def brought_in(stores: Stores, tools: Tools, viewer: Viewer, source: factories.Source, **files: str) -> list[int]:
    """Documents by the order of their names; an underscore stands for the dot before `md`."""
    source.files = {name.replace("_", "."): text for name, text in files.items()}
    await factories.synced(stores, tools, viewer)
    async with stores.open_vault(viewer) as vault:
        held = await vault.documents.known((await factories.integration(stores, viewer)).id, sorted(source.files))
    return [held[name].document_id for name in sorted(held)]


@pytest.fixture
def handbook() -> dict[str, str]:
    return {"handbook_md": HANDBOOK}


async def test_an_empty_library_says_how_to_fill_it(admin: Browser) -> None:
    await admin.visit("/documents")
    assert "Nothing here yet" in admin.words
    assert admin.page.css_first('.blank a[href="/uploads/new"]') is not None


async def test_the_library_is_narrowed_ordered_and_counted(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, source: factories.Source
) -> None:
    await brought_in(stores, tools, admin_viewer, source, a_md="# Zebra", b_txt="Plain words", c_md="# Anchor 100%")
    await admin.visit("/documents?sort=title")
    assert [node.text() for node in admin.page.css("a.list__title")] == ["Anchor 100%", "b", "Zebra"]
    await admin.visit("/documents?type=text/markdown&sort=title")
    assert "2 documents" in admin.words
    await admin.visit("/documents?text=100%25")
    assert [node.text() for node in admin.page.css("a.list__title")] == ["Anchor 100%"]
    await admin.visit("/documents?text=nowhere")
    assert "Nothing matches" in admin.words
    assert "Clear filters" in admin.words


@pytest.mark.parametrize(
    "query",
    [
        "since=yesterday",
        "until=9999-12-31",
        "integration=99999999999999999999999",
        "integration=x",
        "sort=upside-down",
        "text=%00%F0%9F%A6%8A",
        "text=" + "x" * 10_000,
    ],
)
async def test_an_address_that_makes_no_sense_still_shows_a_page(admin: Browser, query: str) -> None:
    assert (await admin.visit(f"/documents?{query}")).status == 200


async def test_a_made_up_page_of_the_library_is_refused(admin: Browser) -> None:
    await admin.visit("/documents?key=made-up")
    assert (admin.status, "Start again from the first page" in admin.words) == (422, True)


async def test_the_library_goes_on_page_by_page(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, source: factories.Source
) -> None:
    await brought_in(
        stores, tools, admin_viewer, source, **{f"n{number:03}_txt": f"Note {number}" for number in range(60)}
    )
    await admin.visit("/documents?sort=title")
    titles = [node.text() for node in admin.page.css("a.list__title")]
    next_page = admin.page.css_first("a[rel=next]")
    assert next_page is not None
    await admin.visit(next_page.attributes["href"] or "")
    titles += [node.text() for node in admin.page.css("a.list__title")]
    assert titles == [f"n{number:03}" for number in range(60)]


async def test_library_and_document_are_made_with_few_queries(
    admin: Browser,
    admin_viewer: Viewer,
    stores: Stores,
    tools: Tools,
    source: factories.Source,
    handbook: dict[str, str],
    statements: list[str],
) -> None:
    [document_id] = await brought_in(stores, tools, admin_viewer, source, **handbook)
    for path in ("/documents", f"/documents/{document_id}"):
        statements.clear()
        await admin.visit(path)
        # one of them asks whose session it is, and one which model's vectors tell what stands near
        assert len(statements) <= (4 if path == "/documents" else 10), path


async def test_htmx_gets_the_list_alone(
    admin: Browser,
    admin_viewer: Viewer,
    stores: Stores,
    tools: Tools,
    source: factories.Source,
    handbook: dict[str, str],
) -> None:
    await brought_in(stores, tools, admin_viewer, source, **handbook)
    await admin.visit("/documents?text=hand", HX_Request="true")
    assert admin.response.text.strip().startswith('<section class="library"')


async def test_a_document_is_shown_with_outline_and_nothing_in_it_is_markup(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, source: factories.Source
) -> None:
    evil = "Hello <script>alert(1)</script> & <img src=x onerror=alert(1)>"
    ids = await brought_in(stores, tools, admin_viewer, source, evil_txt=evil, handbook_md=HANDBOOK)
    await admin.visit(f"/documents/{ids[1]}")
    assert admin.heading == "Handbook"
    assert [node.text() for node in admin.page.css("aside .outline__item")] == ["Backups", "Access"]
    assert [node.text() for node in admin.page.css("#text li")] == ["Ask Lena", "Wait"]
    assert "Everyone in Tidewater" in admin.words
    await admin.visit(f"/documents/{ids[0]}")
    assert not admin.page.css("#text script, #text img")
    assert "<script>alert(1)</script>" in admin.words


async def test_the_cited_passage_is_marked_exactly_and_can_be_gone_to(
    admin: Browser,
    admin_viewer: Viewer,
    stores: Stores,
    tools: Tools,
    source: factories.Source,
    handbook: dict[str, str],
) -> None:
    [document_id] = await brought_in(stores, tools, admin_viewer, source, **handbook)
    async with stores.open_vault(admin_viewer) as vault:
        version = await vault.documents.version(document_id)
    start, end = version.text.index("Backups are"), version.text.index("Ask Lena") + 3
    await admin.visit(f"/documents/{document_id}?version={version.id}&start={start}&end={end}#passage")
    marks = admin.page.css("#text mark")
    assert [mark.text() for mark in marks] == ["Backups are kept for 35 days.", "Access", "Ask"]
    assert [mark.attributes.get("id") for mark in marks] == ["passage", None, None]


async def test_a_passage_that_is_not_there_is_said(
    admin: Browser,
    admin_viewer: Viewer,
    stores: Stores,
    tools: Tools,
    source: factories.Source,
    handbook: dict[str, str],
) -> None:
    [document_id] = await brought_in(stores, tools, admin_viewer, source, **handbook)
    for query in ("start=5&end=5000000", "start=x&end=7", "start=9", "start=7&end=3"):
        await admin.visit(f"/documents/{document_id}?{query}")
        assert (admin.status, "not in this version" in admin.words) == (200, True), query
        assert not admin.page.css("mark")


async def test_an_older_version_says_that_there_is_a_newer_one(
    admin: Browser,
    admin_viewer: Viewer,
    stores: Stores,
    tools: Tools,
    source: factories.Source,
    handbook: dict[str, str],
) -> None:
    [document_id] = await brought_in(stores, tools, admin_viewer, source, **handbook)
    async with stores.open_vault(admin_viewer) as vault:
        first = await vault.documents.version(document_id)
    await brought_in(stores, tools, admin_viewer, source, handbook_md=HANDBOOK.replace("35", "90"))
    await admin.visit(f"/documents/{document_id}?version={first.id}")
    assert "This is version 1. There is a newer one." in admin.words
    assert "35 days" in admin.words
    await admin.visit(f"/documents/{document_id}")
    assert "90 days" in admin.words
    await admin.visit(f"/documents/{document_id}/versions")
    assert [node.text() for node in admin.page.css("a.list__title")] == ["Version 2", "Version 1"]


async def test_similar_documents_are_offered(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, source: factories.Source
) -> None:
    ids = await brought_in(
        stores,
        tools,
        admin_viewer,
        source,
        a_md="# Backups\n\nKept for 35 days",
        b_md="# Backups too\n\nKept for 35 days",
    )
    await admin.visit(f"/documents/{ids[0]}")
    assert admin.page.css_first(f'aside a[href="/documents/{ids[1]}"]') is not None


async def test_one_document_is_deleted_and_gone(
    admin: Browser,
    admin_viewer: Viewer,
    stores: Stores,
    tools: Tools,
    source: factories.Source,
    handbook: dict[str, str],
) -> None:
    [document_id] = await brought_in(stores, tools, admin_viewer, source, **handbook)
    await admin.visit(f"/documents/{document_id}")
    await choose(admin, f"/documents/{document_id}/deletion", [])
    assert (admin.path, "“Handbook” was deleted" in admin.words) == ("/documents", True)
    assert (await admin.visit(f"/documents/{document_id}")).status == 404
    async with stores.open_vault(admin_viewer) as vault:
        [line] = await vault.audit.page(None, 1)
    assert (line.action, line.subject) == ("document.deleted", "Handbook")


async def test_several_are_deleted_together_and_counted(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, source: factories.Source
) -> None:
    ids = await brought_in(stores, tools, admin_viewer, source, a_txt="Alpha", b_txt="Beta", c_txt="Gamma")
    await choose(await admin.visit("/documents"), "/documents/deletions", [*ids[:2], 999_999_999])
    assert "2 documents deleted" in admin.words
    assert [node.text() for node in admin.page.css("a.list__title")] == ["c"]


async def test_without_a_script_a_page_asks_before_anything_is_deleted(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, source: factories.Source
) -> None:
    ids = await brought_in(stores, tools, admin_viewer, source, a_txt="Alpha", b_txt="Beta")
    await choose(await admin.visit("/documents"), "/documents/deletions", ids, is_unasked="yes")
    assert admin.heading == "Delete 2 documents?"
    await choose(admin, "/documents/deletions", ids)
    assert "Nothing here yet" in admin.words


async def test_nothing_ticked_deletes_nothing(
    admin: Browser,
    admin_viewer: Viewer,
    stores: Stores,
    tools: Tools,
    source: factories.Source,
    handbook: dict[str, str],
) -> None:
    await brought_in(stores, tools, admin_viewer, source, **handbook)
    await choose(await admin.visit("/documents"), "/documents/deletions", [])
    assert "Nothing was chosen" in admin.words
    assert "1 document" in admin.words


async def test_what_another_vault_or_another_person_holds_does_not_exist(
    admin: Browser,
    stranger: Browser,
    admin_viewer: Viewer,
    stores: Stores,
    tools: Tools,
    source: factories.Source,
    engine: object,
) -> None:
    source.principals = {"secret.txt": (user_principal(999_999_999),)}
    ids = await brought_in(stores, tools, admin_viewer, source, open_txt="Open", secret_txt="Secret")
    assert (await admin.visit(f"/documents/{ids[1]}")).status == 404
    await choose(await admin.visit("/documents"), "/documents/deletions", [ids[1]])
    assert "0 documents deleted" in admin.words
    for path in (f"/documents/{ids[0]}", f"/documents/{ids[0]}/versions", "/documents/99999999999999999999999"):
        assert (await stranger.visit(path)).status == 404
    await choose(await stranger.visit("/"), f"/documents/{ids[0]}/deletion", [])
    assert stranger.status == 404
    assert (await admin.visit(f"/documents/{ids[0]}")).status == 200


async def test_a_version_number_beyond_all_numbers_does_not_break_the_page(
    admin: Browser,
    admin_viewer: Viewer,
    stores: Stores,
    tools: Tools,
    source: factories.Source,
    handbook: dict[str, str],
) -> None:
    [document_id] = await brought_in(stores, tools, admin_viewer, source, **handbook)
    assert (await admin.visit(f"/documents/{document_id}?version={2**62}")).status == 404
    assert (await admin.visit(f"/documents/{document_id}?version={'9' * 40}&part=77")).status == 200
