"""Choosing what is read: folders, types of files and dates, with a preview of counts and of the work."""

import dataclasses
from datetime import UTC, date, datetime

import msgspec
import pytest

from domain.integrations import Item
from domain.people import Viewer, system_viewer
from domain.scope import Scope, entered_scope, file_type, left_out, scope_of, settings_of
from domain.surveys import Counted, Pace, folder_options, n_in_scope, work
from domain.syncs import SyncState, Trigger
from domain.vault import Tools
from infra.store import Stores
from infra.worker import run_sync
from tests import factories
from tests.factories import Source
from tests.web.browser import Browser


@dataclasses.dataclass
class DatedSource(Source):
    """A source that knows when things were changed."""

    changed: dict[str, datetime] = dataclasses.field(default_factory=dict)

    def item(self, name: str) -> Item:
        return msgspec.structs.replace(
            super().item(name), name=name.rpartition("/")[2], modified_at=self.changed.get(name)
        )


@pytest.fixture
def source() -> Source:
    return DatedSource()


FILES: dict[str, str | bytes] = {
    "hr/pay.md": "# Pay\n\nSalaries.",
    "hr/leave.md": "# Leave\n\nHolidays.",
    "it/network.md": "# Network\n\nCables.",
    "it/old/modem.txt": "Modem.",
    "readme.md": "# Readme\n\nWelcome.",
}


def test_a_scope_survives_its_settings_and_says_why_something_is_left_out() -> None:
    scope = entered_scope(["hr", "it"], ["md"], "2026-01-01", "")
    assert scope_of(settings_of(scope)) == scope
    old = Item("hr/a.md", "a.md", "1", modified_at=datetime(2025, 5, 1, tzinfo=UTC))
    assert "before the first day" in left_out(old, scope)
    assert "folder" in left_out(msgspec.structs.replace(old, external_id="hrx/a.md"), scope)
    assert "type pdf" in left_out(msgspec.structs.replace(old, name="a.pdf"), scope)
    assert left_out(msgspec.structs.replace(old, modified_at=None), scope) == "", "what has no date is read"
    assert [file_type(name) for name in ("A.PDF", ".env", "x", "a.b c", "x.tar.gz")] == ["pdf", *["(none)"] * 3, "gz"]


def test_counts_and_work_are_estimated_from_what_is_known_and_nothing_else() -> None:
    counted = (Counted("a/b", "md", date(2026, 1, 2), 5), Counted("a", "pdf", None, 3), Counted("", "md", None, 2))
    assert [(each.value, each.n_items) for each in folder_options(counted)] == [("a", 8), ("a/b", 5)]
    assert n_in_scope(counted, Scope(folders=("a",), since=date(2026, 1, 3))) == 3
    estimate = work(600, Pace(n_items=100, n_chunks=450, seconds=50))
    assert (estimate.n_items, estimate.n_chunks, estimate.least_minutes) == (600, 2700, pytest.approx(3))
    assert work(600, Pace()).n_chunks is None


async def titles(stores: Stores, viewer: Viewer) -> set[str]:
    async with stores.open_vault(viewer) as vault:
        known = await vault.documents.known((await vault.integrations.all())[0].id, list(FILES))
    return set(known)


async def test_the_page_previews_counts_and_work_and_what_is_no_longer_chosen_leaves_with_the_next_sync(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, source: Source, statements: list[str]
) -> None:
    source.files = dict(FILES)
    sync = await factories.synced(stores, tools, admin_viewer)
    path = f"/integrations/{sync.integration_id}"
    statements.clear()
    await admin.visit(f"{path}/scope/edit")
    assert len(statements) <= 5
    assert "5 items would be read" in admin.words
    assert "at the pace of the past syncs" in admin.words
    await admin.visit(f"{path}/scope/edit?folder=hr&file_type=md", HX_Request="true")
    assert "2 items would be read, 3 left out" in admin.words
    assert admin.response.text.lstrip().startswith("<section")
    await admin.visit(f"{path}/scope/edit?since=never")
    assert admin.status == 422
    await admin.visit(f"{path}/scope/edit")
    await admin.submit(f"{path}/scope", folder="hr")
    assert "brings 1 folder" in admin.words
    await finish_queued(stores, tools, admin_viewer, sync.integration_id)
    assert await titles(stores, admin_viewer) == {"hr/pay.md", "hr/leave.md"}
    assert "1 folder" in (await admin.visit(path)).words


async def finish_queued(stores: Stores, tools: Tools, viewer: Viewer, integration_id: int) -> None:
    async with stores.open_vault(viewer) as vault:
        queued = await vault.syncs.request(integration_id, Trigger.PERSON)
    ended = await run_sync(stores.open_vault, tools, system_viewer(viewer.tenant_id), queued.id)
    assert ended is not None
    assert ended.state is SyncState.SUCCEEDED


async def test_an_incremental_source_lets_go_of_what_is_no_longer_chosen_too_and_brings_it_back(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.is_snapshot = False
    source.files = dict(FILES)
    assert isinstance(source, DatedSource)
    source.changed = {"hr/pay.md": datetime(2020, 1, 1, tzinfo=UTC)}
    source.log = [source.item(name) for name in FILES]
    sync = await factories.synced(stores, tools, viewer)
    for settings, left in (({"since": "2024-01-01"}, set(FILES) - {"hr/pay.md"}), ({}, set(FILES))):
        async with stores.open_vault(viewer) as vault:
            await vault.integrations.configure(sync.integration_id, settings)
            await vault.integrations.advance(sync.integration_id, "")
        ended = await factories.synced(stores, tools, viewer)
        assert await titles(stores, viewer) == left
        assert ended.progress.filtered == len(FILES) - len(left)
        assert ended.progress.processed == ended.progress.found


async def test_nothing_is_chosen_anew_while_a_sync_runs(admin: Browser, admin_viewer: Viewer, stores: Stores) -> None:
    folder = await factories.integration(stores, admin_viewer)
    await admin.visit(f"/integrations/{folder.id}/scope/edit")
    async with stores.open_vault(admin_viewer) as vault:
        await vault.syncs.request(folder.id, Trigger.PERSON)
    await admin.submit(f"/integrations/{folder.id}/scope", since="2026-01-01")
    assert (admin.status, "under way" in admin.words) == (409, True)


async def test_a_folder_that_was_chosen_stays_on_the_list_when_the_source_shows_it_no_more(
    admin: Browser, admin_viewer: Viewer, stores: Stores, source: Source
) -> None:
    source.files = {"plans/a.md": "# A\n\nText.", "chat.zip!tides/b.md": "# B\n\nText."}
    folder = await factories.integration(stores, admin_viewer)
    async with stores.open_vault(admin_viewer) as vault:
        await vault.integrations.configure(
            folder.id, {"scope_folders": "plans\nplans/2019/deep", "since": "2026-05-01"}
        )
    await admin.visit(f"/integrations/{folder.id}/scope/edit")
    ticked = [box.attributes["value"] for box in admin.page.css('input[name="folder"][checked]')]
    assert ticked == ["plans/2019/deep", "plans"]
    assert "chat.zip › tides" in admin.words
    assert "2 folders, from 1 May 2026 on." in (await admin.visit(f"/integrations/{folder.id}")).words
