"""Whether new documents are still being read shows where their names and gaps would."""

from domain.found_gaps import GapState
from domain.people import Viewer, system_viewer
from domain.studying import study
from domain.vault import Tools
from infra.store import Stores
from tests import factories
from tests.web.browser import Browser

DECISION = "# Minutes\n\nIt was decided to move the archive to Lisbon.\n"


async def test_who_looks_before_documents_are_read_is_told_so(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, source: factories.Source
) -> None:
    await admin.visit("/studies")
    assert "Everything has been read" in admin.words
    source.files = {"minutes.md": DECISION}
    await factories.synced(stores, tools, admin_viewer)
    await admin.visit("/gaps")
    asking = admin.page.css_first('[hx-get="/studies"]')
    assert asking is not None
    await admin.visit("/studies")
    assert "New documents are being read" in admin.words
    async with stores.open_vault(admin_viewer) as vault:
        assert not await vault.gaps.counts(GapState.OPEN)


async def test_a_reading_in_pieces_reads_each_document_once(
    stores: Stores, tools: Tools, viewer: Viewer, source: factories.Source
) -> None:
    source.files = {
        f"{number}.md": f"# Note {number}\n\nIt was decided to sell ship {number}.\n" for number in range(5)
    }
    await factories.synced(stores, tools, viewer)
    system = system_viewer(viewer.tenant_id)
    pieces = [await study(stores.open_vault, system, tools, 2) for _ in range(3)]
    assert pieces == [True, True, False]
    async with stores.open_vault(viewer) as vault:
        assert await vault.entities.unread(0, 10) == []
        assert sum((await vault.gaps.counts(GapState.OPEN)).values()) >= 5
