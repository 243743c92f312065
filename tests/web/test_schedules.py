"""The integration's page as a place to steer: schedule, pause, the guard's question, the chart, the items' lines."""

import pytest

from domain.integrations import IntegrationKind
from domain.people import Viewer
from domain.schedules import Schedule
from domain.syncs import SyncState
from domain.vault import Tools
from infra.store import Stores
from tests import factories
from tests.factories import Source
from tests.web.browser import Browser
from web.managing import managed


def notes(n: int) -> dict[str, str | bytes]:
    return {f"{number:02}.md": f"# Note {number}\n\nText {number}." for number in range(n)}


async def schedule(stores: Stores, viewer: Viewer, integration_id: int) -> Schedule:
    async with stores.open_vault(viewer) as vault:
        return await vault.schedules.get(integration_id)


async def test_an_admin_chooses_how_often_a_source_is_read_pauses_it_and_lets_it_go_on(
    admin: Browser, admin_viewer: Viewer, stores: Stores
) -> None:
    folder = await factories.integration(stores, admin_viewer)
    path = f"/integrations/{folder.id}"
    await (await admin.visit(path)).submit(f"{path}/schedule", every="60")
    assert await schedule(stores, admin_viewer, folder.id) == Schedule(60, is_paused=False)
    assert "every hour" in admin.words
    await admin.submit(f"{path}/pause")
    assert "Neither time nor webhook" in admin.words
    await admin.submit(f"{path}/resumption")
    assert admin.path.startswith("/syncs/")
    assert await schedule(stores, admin_viewer, folder.id) == Schedule(60, is_paused=False)
    await (await admin.visit(path)).submit(f"{path}/schedule", every="7")
    assert admin.status == 422


async def test_a_member_who_is_no_admin_may_not_steer(
    admin: Browser, admin_viewer: Viewer, stranger: Browser, stores: Stores
) -> None:
    folder = await factories.integration(stores, admin_viewer)
    await stranger.visit("/")
    for name in ("schedule", "pause", "resumption", "deletions"):
        await stranger.post(f"/integrations/{folder.id}/{name}", every="5", csrf_token=stranger.csrf_token())
        assert stranger.status == 404
        await stranger.visit("/")
    colleague = await factories.member(stores.engine, admin_viewer.tenant_id)
    async with stores.open_vault(colleague) as vault:
        with pytest.raises(Exception, match="Only an admin"):
            await managed(vault, folder.id)


@pytest.mark.parametrize(("answer", "n_left"), [("delete", 12), ("keep", 20)])
async def test_the_page_asks_before_many_documents_go_and_does_what_is_answered(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, source: Source, answer: str, n_left: int
) -> None:
    source.files = notes(20)
    await factories.synced(stores, tools, admin_viewer)
    source.files = notes(12)
    held = await factories.synced(stores, tools, admin_viewer)
    await admin.visit(f"/syncs/{held.id}")
    assert "Asks you" in admin.words
    await admin.visit(f"/integrations/{held.integration_id}")
    assert "8 of 20 documents are gone at the source" in admin.words
    await admin.submit(f"/integrations/{held.integration_id}/deletions", answer=answer)
    if answer == "delete":
        async with stores.open_vault(admin_viewer) as vault:
            [queued, *_] = await vault.syncs.page(held.integration_id, None, 1)
            await vault.syncs.cancel(queued.id)
    await factories.synced(stores, tools, admin_viewer)
    await admin.visit(f"/integrations/{held.integration_id}")
    assert "May these documents go?" not in admin.words
    async with stores.open_vault(admin_viewer) as vault:
        assert await vault.documents.count() == n_left


async def test_the_history_is_drawn_with_the_same_numbers_in_a_table(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, source: Source, statements: list[str]
) -> None:
    for n in (3, 5, 4):
        source.files = notes(n)
        sync = await factories.synced(stores, tools, admin_viewer)
    statements.clear()
    await admin.visit(f"/integrations/{sync.integration_id}")
    assert len(statements) <= 7
    drawing = admin.page.css_first("svg.chart__drawing")
    assert drawing is not None
    assert "The last 3 syncs: 5 items indexed" in (drawing.attributes["aria-label"] or "")
    assert len(admin.page.css(".chart__bar")) == 3
    cells = [[cell.text(strip=True) for cell in row.css("td")][2:6] for row in admin.page.css(".table tbody tr")]
    assert cells == [["0", "4", "1", "0"], ["2", "3", "0", "0"], ["3", "0", "0", "0"]]


async def test_a_sync_shows_a_line_for_each_item_with_its_way_and_who_may_read_it(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, source: Source, statements: list[str]
) -> None:
    source.files = {"plan.md": "# Plan\n\nText.", "broken.pdf": b"%PDF-1.7 cut"}
    sync = await factories.synced(stores, tools, admin_viewer)
    assert sync.state is SyncState.SUCCEEDED
    statements.clear()
    await admin.visit(f"/syncs/{sync.id}")
    assert len(statements) <= 5
    assert "fetched parsed embedded visible" in admin.words
    assert "visible to 1 person" in admin.words
    region = await admin.visit(f"/syncs/{sync.id}/lines", HX_Request="true")
    assert region.response.text.lstrip().startswith("<section")
    assert "hx-trigger" not in region.response.text, "what has ended does not ask again"


async def test_people_manage_their_own_integrations_and_an_admin_does_not_even_see_them(
    admin: Browser, admin_viewer: Viewer, stores: Stores
) -> None:
    colleague = await factories.member(stores.engine, admin_viewer.tenant_id)
    async with stores.open_vault(colleague) as vault:
        own = await vault.integrations.add(IntegrationKind.FOLDER, "My notes", {}, colleague.user_id)
        assert (await managed(vault, own.id)).name == "My notes"
    for path in ("", "/removal/new", "/scope/edit"):
        assert (await admin.visit(f"/integrations/{own.id}{path}")).status == 404
    async with stores.open_vault(admin_viewer) as vault:
        shared = await factories.integration(stores, admin_viewer)
        assert (await managed(vault, shared.id)).id == shared.id
