"""The integrations page, one integration, and what admins do with them."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from litestar import Litestar

from domain.facts import AccessEnded, Fact, SyncChanged
from domain.integrations import Integration, IntegrationKind
from domain.people import Viewer
from domain.progress import Progress, Stage
from domain.syncs import Sync, Trigger
from domain.vault import Tools
from infra.store import Stores
from tests import factories
from tests.web.browser import Browser
from tests.web.pressing import press
from tests.web.streams import listening
from web.doors import WebSettings


@pytest.fixture
def web_settings() -> WebSettings:
    return WebSettings("http://vault.test", "a secret of the tests alone", "0.0", may_read_folders=True)


async def running(stores: Stores, viewer: Viewer, integration: Integration, progress: Progress) -> Sync:
    """A sync that a worker has taken up and brought this far."""
    async with stores.open_vault(viewer) as vault:
        sync = await vault.syncs.request(integration.id, Trigger.PERSON)
        sync = await vault.syncs.claim(sync.id)
        return await vault.syncs.save(sync.id, sync.attempt, progress)


async def failing(stores: Stores, viewer: Viewer, integration: Integration, n_failures: int) -> Sync:
    """A sync that ended with failures."""
    sync = await running(stores, viewer, integration, Progress())
    async with stores.open_vault(viewer) as vault:
        for number in range(n_failures):
            await vault.syncs.add_failure(sync.id, f"f{number}", f"scan-{number}.pdf", "The file is encrypted.")
        done = Progress(Stage.DONE, n_failures, n_failures, n_failures, failed=n_failures, is_listed=True)
        return await vault.syncs.finish(sync.id, sync.attempt, sync.state.SUCCEEDED, done)


async def test_an_empty_vault_says_how_to_begin(admin: Browser) -> None:
    await admin.visit("/integrations")
    assert "Nothing is connected yet" in admin.words
    assert {node.attributes["href"] for node in admin.page.css(".blank a")} == {"/uploads/new", "/integrations/new"}


async def test_a_stranger_is_asked_to_sign_in(browser: Browser) -> None:
    for path in ("/integrations", "/integrations/events", "/syncs/1/events", "/uploads/new", "/documents"):
        assert (await browser.visit(path)).path.startswith("/session/new")


async def test_each_integration_shows_its_documents_and_its_state(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, source: factories.Source
) -> None:
    source.files = {"handbook.md": "# Handbook\n\nBackups are kept for 35 days.", "broken.pdf": b"%PDF-1.7 nothing"}
    await factories.synced(stores, tools, admin_viewer)
    await admin.visit("/integrations")
    assert "Files" in admin.words
    assert "1 document" in admin.words
    assert "1 failure" in admin.words
    assert "Done with failures" in admin.words


async def test_a_running_sync_shows_its_progress_and_can_be_cancelled_but_not_begun_again(
    admin: Browser, admin_viewer: Viewer, stores: Stores
) -> None:
    folder = await factories.integration(stores, admin_viewer)
    progress = Progress(Stage.READING, found=40, processed=10, indexed=9, failed=1, current="plan.docx", is_listed=True)
    sync = await running(stores, admin_viewer, folder, progress)
    await admin.visit("/integrations")
    meter = admin.page.css_first("progress")
    assert meter is not None
    assert meter.attributes["value"] == "25"
    assert "Now: plan.docx" in admin.words
    assert not admin.page.css(f'button[formaction="/integrations/{folder.id}/syncs"]')
    await press(admin, f"/syncs/{sync.id}/cancellation")
    assert admin.path == f"/syncs/{sync.id}"
    assert "Stopping" in admin.words


async def test_sync_now_begins_a_sync_and_leads_to_it(admin: Browser, admin_viewer: Viewer, stores: Stores) -> None:
    folder = await factories.integration(stores, admin_viewer)
    await press(await admin.visit("/integrations"), f"/integrations/{folder.id}/syncs")
    assert admin.path.startswith("/syncs/")
    assert "Waiting for a free worker" in admin.words


async def test_sync_now_with_htmx_changes_the_card_in_place(
    admin: Browser, admin_viewer: Viewer, stores: Stores
) -> None:
    folder = await factories.integration(stores, admin_viewer)
    await press(await admin.visit("/integrations"), f"/integrations/{folder.id}/syncs", is_htmx=True)
    assert admin.response.text.strip().startswith("<article")
    assert admin.page.css_first(f"#integration-{folder.id}") is not None
    assert "Waiting" in admin.words


async def test_the_page_is_made_with_few_queries_however_many_integrations(
    admin: Browser, admin_viewer: Viewer, stores: Stores, statements: list[str]
) -> None:
    for name in ("One", "Two", "Three"):
        folder = await factories.integration(stores, admin_viewer, name)
        await running(stores, admin_viewer, folder, Progress())
    statements.clear()
    await admin.visit("/integrations")
    assert len(statements) <= 4


async def test_failures_are_listed_with_reasons_page_by_page(
    admin: Browser, admin_viewer: Viewer, stores: Stores
) -> None:
    folder = await factories.integration(stores, admin_viewer)
    await failing(stores, admin_viewer, folder, 60)
    await admin.visit(f"/integrations/{folder.id}")
    assert "60 items could not be read" in admin.words
    assert admin.words.count("The file is encrypted.") == 10
    await admin.visit(f"/integrations/{folder.id}/failures")
    assert admin.words.count("The file is encrypted.") == 50
    next_page = admin.page.css_first("a[rel=next]")
    assert next_page is not None
    await admin.visit(next_page.attributes["href"] or "")
    assert admin.words.count("The file is encrypted.") == 10


async def test_one_failure_or_all_of_them_can_be_tried_again(
    admin: Browser, admin_viewer: Viewer, stores: Stores
) -> None:
    folder = await factories.integration(stores, admin_viewer)
    await failing(stores, admin_viewer, folder, 3)
    async with stores.open_vault(admin_viewer) as vault:
        [first, *_] = await vault.syncs.failures(folder.id, 0, 10)
    await press(await admin.visit(f"/integrations/{folder.id}"), f"/integrations/{folder.id}/retries", str(first.id))
    assert admin.path.startswith("/syncs/")
    async with stores.open_vault(admin_viewer) as vault:
        assert await vault.syncs.retries(folder.id) == [first.external_id]
    await press(await admin.visit(f"/integrations/{folder.id}/failures"), f"/integrations/{folder.id}/retries")
    async with stores.open_vault(admin_viewer) as vault:
        assert len(await vault.syncs.retries(folder.id)) == 3


async def test_an_admin_connects_a_folder_and_sees_its_first_sync(admin: Browser, tmp_path: Path) -> None:
    await admin.visit("/integrations/new")
    await admin.submit("/integrations", path=str(tmp_path), name="Handbook")
    assert admin.path.startswith("/syncs/")
    assert admin.heading == "Handbook"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", "Enter the path"),
        ("handbook", "whole path"),
        ("/nowhere/at/all", "no folder"),
        ("/etc/hostname", "no folder"),
    ],
)
async def test_a_path_that_is_no_folder_is_refused_with_the_reason(admin: Browser, path: str, words: str) -> None:
    await admin.visit("/integrations/new")
    await admin.submit("/integrations", path=path, name="Handbook")
    assert (admin.status, words in admin.error_at("path")) == (422, True)
    name = admin.page.css_first("#name")
    assert name is not None
    assert name.attributes["value"] == "Handbook"


async def test_the_same_name_twice_is_refused(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tmp_path: Path
) -> None:
    await factories.integration(stores, admin_viewer, "Handbook")
    await admin.visit("/integrations/new")
    await admin.submit("/integrations", path=str(tmp_path), name="Handbook")
    assert (admin.status, "already" in admin.error_at("name")) == (422, True)


async def test_what_a_sync_could_not_reach_is_a_note_on_the_integrations_page(
    admin: Browser, admin_viewer: Viewer, stores: Stores
) -> None:
    folder = await factories.integration(stores, admin_viewer)
    await admin.visit(f"/integrations/{folder.id}")
    assert (admin.status, "was not read" in admin.words) == (200, False)
    async with stores.open_vault(admin_viewer) as vault:
        await vault.integrations.configure(folder.id, {**folder.settings, "notes": "The wiki of a/b was not read."})
    assert "The wiki of a/b was not read." in (await admin.visit(f"/integrations/{folder.id}")).words


async def test_an_integration_is_renamed(admin: Browser, admin_viewer: Viewer, stores: Stores) -> None:
    folder = await factories.integration(stores, admin_viewer)
    await admin.visit(f"/integrations/{folder.id}")
    await admin.submit(f"/integrations/{folder.id}/name", name="  Old   files ")
    assert admin.heading == "Old files"


async def test_removal_says_first_what_goes_and_then_takes_it_out_of_the_library(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, source: factories.Source
) -> None:
    source.files = {"a.txt": "Alpha", "b.txt": "Beta"}
    sync = await factories.synced(stores, tools, admin_viewer)
    await admin.visit(f"/integrations/{sync.integration_id}/removal/new")
    assert "2 documents" in admin.words
    await admin.submit(f"/integrations/{sync.integration_id}/removal")
    assert (admin.path, "was removed, with 2 documents" in admin.words) == ("/integrations", True)
    assert "Nothing here yet" in (await admin.visit("/documents")).words
    async with stores.open_vault(admin_viewer) as vault:
        assert (await vault.audit.page(None, 1))[0].action == "integration.removed"


async def test_another_vaults_integration_does_not_exist(
    stranger: Browser, admin_viewer: Viewer, stores: Stores
) -> None:
    folder = await factories.integration(stores, admin_viewer)
    for path in ("", "/failures", "/removal/new"):
        assert (await stranger.visit(f"/integrations/{folder.id}{path}")).status == 404
    await stranger.visit("/")
    token = {"csrf_token": stranger.csrf_token()}
    for path in ("/syncs", "/retries", "/removal", "/name"):
        await stranger.post(f"/integrations/{folder.id}{path}", name="Mine", **token)
        assert stranger.status == 404


async def test_the_stream_sends_the_cards_and_then_what_moves(
    app: Litestar, admin: Browser, admin_viewer: Viewer, stores: Stores, facts: "asyncio.Queue[Fact]"
) -> None:
    folder = await factories.integration(stores, admin_viewer)
    sync = await running(stores, admin_viewer, folder, Progress(Stage.READING, 10, processed=1, indexed=1))
    async with listening(app, admin, "/integrations/events") as stream:
        assert (stream.status, stream.headers["content-type"].split(";")[0]) == (200, "text/event-stream")
        assert (await stream.next_event() or ("", ""))[0] == f"integration-{folder.id}"
        moved = msgspec.structs.replace(sync, progress=Progress(Stage.READING, 10, processed=7, current="seven.txt"))
        foreign = msgspec.structs.replace(sync, id=999_999, integration_id=999_999)
        facts.put_nowait(SyncChanged(foreign))
        facts.put_nowait(SyncChanged(moved))
        event = await stream.next_event()
        assert event is not None
        assert (event[0], "seven.txt" in event[1]) == (f"integration-{folder.id}", True)
        assert "csrf" not in event[1]
        facts.put_nowait(AccessEnded(admin_viewer.user_id))
        assert await stream.rest() == []


async def test_uploads_are_told_apart_from_folders(admin: Browser, admin_viewer: Viewer, stores: Stores) -> None:
    async with stores.open_vault(admin_viewer) as vault:
        await vault.integrations.add(IntegrationKind.UPLOAD, "Uploads", {}, None)
    await factories.integration(stores, admin_viewer)
    await admin.visit("/integrations")
    assert "Uploaded files" in admin.words
    assert "Folder on the server" in admin.words
