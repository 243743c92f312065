"""A sync, from the source to the search index, on the real database with real parsers."""

import asyncio

import pytest

from domain.errors import Conflict, NotFound
from domain.facts import Fact, SyncChanged
from domain.integrations import Gone
from domain.people import Viewer, system_viewer
from domain.progress import Stage, percent
from domain.search import SearchFilter
from domain.syncs import SyncState, Trigger
from domain.vault import Tools
from infra.store import Stores
from infra.worker import run_sync
from tests import factories
from tests.factories import Source


async def titles(stores: Stores, viewer: Viewer, question: str) -> list[str]:
    async with stores.open_vault(viewer) as vault:
        found = await vault.passages.lexical(question, SearchFilter(), 20)
        return [passage.title for passage in await vault.passages.load([each.chunk_id for each in found])]


async def test_a_synced_file_is_found_by_its_words(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = {"pump.md": "# Cooling pump\n\nReplace the impeller every spring.", "bread.md": "# Bread\n\nFlour."}
    sync = await factories.synced(stores, tools, viewer)
    assert sync.state is SyncState.SUCCEEDED
    assert (sync.progress.found, sync.progress.indexed, sync.progress.failed) == (2, 2, 0)
    assert await titles(stores, viewer, "impellers") == ["Cooling pump"]


async def test_an_unchanged_source_is_neither_fetched_nor_embedded_again(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = {f"note-{number}.md": f"# Note {number}\n\nText {number}." for number in range(7)}
    await factories.synced(stores, tools, viewer)
    source.n_fetched = 0
    again = await factories.synced(stores, tools, viewer)
    assert (again.progress.skipped, again.progress.indexed, again.progress.n_embedded) == (7, 0, 0)
    assert source.n_fetched == 0


async def test_a_changed_file_becomes_a_new_version_and_the_old_words_are_not_found(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = {"plan.md": "# Plan\n\nWe ship with zeppelins."}
    await factories.synced(stores, tools, viewer)
    source.files["plan.md"] = "# Plan\n\nWe ship with submarines."
    sync = await factories.synced(stores, tools, viewer)
    assert sync.progress.indexed == 1
    assert await titles(stores, viewer, "zeppelins") == []
    assert await titles(stores, viewer, "submarines") == ["Plan"]
    async with stores.open_vault(viewer) as vault:
        known = await vault.documents.known(sync.integration_id, ["plan.md"])
        versions = await vault.documents.versions(known["plan.md"].document_id)
        old = await vault.documents.version(known["plan.md"].document_id, versions[-1].id)
    assert [version.ordinal for version in versions] == [2, 1]
    assert "zeppelins" in old.text
    assert not old.is_current


async def test_a_file_that_vanished_at_the_source_is_gone_from_search(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = {"keep.md": "# Keep\n\nLighthouse.", "drop.md": "# Drop\n\nLighthouse."}
    await factories.synced(stores, tools, viewer)
    del source.files["drop.md"]
    sync = await factories.synced(stores, tools, viewer)
    assert sync.progress.deleted == 1
    assert await titles(stores, viewer, "lighthouse") == ["Keep"]


async def test_a_deletion_the_source_reports_is_carried_out(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.is_snapshot = False
    source.files = {"mail.md": "# Mail\n\nHarbour."}
    source.log = [source.item("mail.md")]
    await factories.synced(stores, tools, viewer)
    source.log.append(Gone("mail.md"))
    sync = await factories.synced(stores, tools, viewer)
    assert (sync.progress.found, sync.progress.deleted) == (0, 1)
    assert await titles(stores, viewer, "harbour") == []


async def test_a_bad_file_is_listed_with_its_reason_and_the_rest_goes_on(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = {"a.md": "# A\n\nText.", "empty.txt": b"", "broken.pdf": b"%PDF-1.7 cut", "z.md": "# Z\n\nText."}
    sync = await factories.synced(stores, tools, viewer)
    assert sync.state is SyncState.SUCCEEDED
    assert (sync.progress.indexed, sync.progress.failed, sync.progress.processed) == (2, 2, 4)
    async with stores.open_vault(viewer) as vault:
        failures = await vault.syncs.failures(sync.integration_id, 0, 10)
    assert {failure.name: bool(failure.reason) for failure in failures} == {"empty.txt": True, "broken.pdf": True}


async def test_a_failure_leaves_the_list_once_its_file_is_mended(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = {"late.md": b""}
    await factories.synced(stores, tools, viewer)
    source.files["late.md"] = "# Late\n\nBetter late than never."
    sync = await factories.synced(stores, tools, viewer)
    async with stores.open_vault(viewer) as vault:
        assert await vault.syncs.failures(sync.integration_id, 0, 10) == []


async def test_a_file_that_cannot_be_read_any_more_keeps_its_last_good_version(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = {"report.md": "# Report\n\nMarmalade."}
    await factories.synced(stores, tools, viewer)
    source.files["report.md"] = b""
    sync = await factories.synced(stores, tools, viewer)
    assert (sync.progress.failed, sync.progress.deleted) == (1, 0)
    assert await titles(stores, viewer, "marmalade") == ["Report"]


async def test_a_retry_fetches_the_failed_items_again(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.is_snapshot = False
    source.files = {"one.md": b"", "two.md": "# Two\n\nText."}
    source.log = [source.item("one.md"), source.item("two.md")]
    first = await factories.synced(stores, tools, viewer)
    source.files["one.md"] = "# One\n\nMended."
    async with stores.open_vault(viewer) as vault:
        assert await vault.syncs.retry(first.integration_id, []) == 1
    second = await factories.synced(stores, tools, viewer)
    assert (second.progress.found, second.progress.indexed, second.progress.skipped) == (1, 1, 0)
    assert await titles(stores, viewer, "mended") == ["One"]


async def test_a_revoked_permission_is_in_force_from_the_next_sync_on(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    colleague = await factories.member(stores.engine, viewer.tenant_id)
    source.files = {"pay.md": "# Pay\n\nSalaries."}
    source.principals = {"pay.md": (f"user:{viewer.user_id}", f"user:{colleague.user_id}")}
    await factories.synced(stores, tools, viewer)
    assert await titles(stores, colleague, "salaries") == ["Pay"]
    source.principals = {"pay.md": (f"user:{viewer.user_id}",)}
    await factories.synced(stores, tools, viewer)
    assert await titles(stores, colleague, "salaries") == []
    assert await titles(stores, viewer, "salaries") == ["Pay"]


async def test_a_source_that_goes_away_fails_the_sync_and_the_next_one_goes_on_from_the_cursor(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.is_snapshot = False
    source.files = {f"{number}.md": f"# {number}\n\nText {number}." for number in range(9)}
    source.log = [source.item(name) for name in source.files]
    source.breaks_after = 2
    first = await factories.synced(stores, tools, viewer)
    assert (first.state, first.reason) == (SyncState.FAILED, "The source does not answer. Try again later.")
    second = await factories.synced(stores, tools, viewer)
    assert second.state is SyncState.SUCCEEDED
    assert (first.progress.indexed, second.progress.indexed, second.progress.found) == (6, 3, 3)


async def test_a_second_attempt_counts_every_document_once(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    """The first attempt dies without a word; the second takes the same sync up."""
    source.files = {f"{number}.md": f"# {number}\n\nText {number}." for number in range(7)}
    folder = await factories.integration(stores, viewer)
    async with stores.open_vault(viewer) as vault:
        sync = await vault.syncs.request(folder.id, Trigger.IMPORT)
    source.hangs_after = 1
    system = system_viewer(viewer.tenant_id)
    task = asyncio.create_task(run_sync(stores.open_vault, tools, system, sync.id))
    while not await _count(stores, viewer):  # noqa: ASYNC110  # the other side is Postgres
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    source.hangs_after = None
    finished = await run_sync(stores.open_vault, tools, system, sync.id)
    assert finished is not None
    assert finished.attempt == 2
    assert (finished.progress.indexed, finished.progress.skipped, finished.progress.found) == (7, 0, 7)
    assert await _count(stores, viewer) == 7


async def _count(stores: Stores, viewer: Viewer) -> int:
    async with stores.open_vault(viewer) as vault:
        return await vault.documents.count()


async def test_an_attempt_that_was_overtaken_can_not_write(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    folder = await factories.integration(stores, viewer)
    async with stores.open_vault(viewer) as vault:
        sync = await vault.syncs.request(folder.id, Trigger.IMPORT)
        slow = await vault.syncs.claim(sync.id)
        await vault.syncs.claim(sync.id)
    with pytest.raises(Conflict):
        async with stores.open_vault(viewer) as vault:
            await vault.syncs.hold(sync.id, slow.attempt)
    with pytest.raises(Conflict):
        async with stores.open_vault(viewer) as vault:
            await vault.syncs.save(sync.id, slow.attempt, slow.progress)


async def test_a_cancelled_sync_stops_and_keeps_what_it_has_stored(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = {f"{number}.md": f"# {number}\n\nText {number}." for number in range(400)}
    folder = await factories.integration(stores, viewer)
    async with stores.open_vault(viewer) as vault:
        sync = await vault.syncs.request(folder.id, Trigger.IMPORT)
    system = system_viewer(viewer.tenant_id)
    task = asyncio.create_task(run_sync(stores.open_vault, tools, system, sync.id))
    while not await _count(stores, viewer):  # noqa: ASYNC110  # the other side is Postgres
        await asyncio.sleep(0)
    async with stores.open_vault(viewer) as vault:
        await vault.syncs.cancel(sync.id)
    finished = await task
    assert finished is not None
    assert finished.state is SyncState.CANCELLED
    assert 0 < await _count(stores, viewer) < 400


async def test_one_integration_has_one_live_sync(stores: Stores, viewer: Viewer) -> None:
    folder = await factories.integration(stores, viewer)
    async with stores.open_vault(viewer) as vault:
        first = await vault.syncs.request(folder.id, Trigger.PERSON)
        second = await vault.syncs.request(folder.id, Trigger.PERSON)
    assert first.id == second.id


async def test_a_sync_asked_for_while_one_runs_follows_it(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    folder = await factories.integration(stores, viewer)
    async with stores.open_vault(viewer) as vault:
        first = await vault.syncs.request(folder.id, Trigger.PERSON)
        claimed = await vault.syncs.claim(first.id)
        await vault.syncs.request(folder.id, Trigger.UPLOAD)
        await vault.syncs.finish(first.id, claimed.attempt, SyncState.SUCCEEDED, claimed.progress)
    async with stores.open_vault(viewer) as vault:
        latest = (await vault.syncs.latest())[folder.id]
    assert (latest.id > first.id, latest.state) == (True, SyncState.QUEUED)


async def test_progress_is_announced_after_its_commit_and_ends_at_one_hundred(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source, published: list[tuple[int, Fact]]
) -> None:
    source.files = {f"{number}.md": f"# {number}\n\nText {number}." for number in range(5)}
    await factories.synced(stores, tools, viewer)
    syncs = [fact.sync for tenant_id, fact in published if isinstance(fact, SyncChanged)]
    assert {tenant_id for tenant_id, _ in published} == {viewer.tenant_id}
    assert syncs[0].progress.stage is Stage.WAITING
    assert (syncs[-1].state, percent(syncs[-1].progress)) == (SyncState.SUCCEEDED, 100)


async def test_another_tenants_sync_does_not_exist(stores: Stores, viewer: Viewer) -> None:
    stranger = await factories.member(stores.engine)
    folder = await factories.integration(stores, viewer)
    async with stores.open_vault(viewer) as vault:
        sync = await vault.syncs.request(folder.id, Trigger.PERSON)
    with pytest.raises(NotFound):
        async with stores.open_vault(stranger) as vault:
            await vault.syncs.get(sync.id)
    with pytest.raises(NotFound):
        async with stores.open_vault(stranger) as vault:
            await vault.syncs.request(folder.id, Trigger.PERSON)
