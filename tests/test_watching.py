"""What guards and reports a sync: the question before many deletions, a line per item, schedules, circles."""

import asyncio
from datetime import datetime

import pytest
import sqlalchemy as sa

from domain.access import Group
from domain.deletions import GuardState
from domain.documents import LibraryFilter, LibrarySort
from domain.integrations import Gone, Integration
from domain.people import (
    EVERYONE,
    Viewer,
    domain_principal,
    email_principal,
    group_principal,
    system_viewer,
    user_principal,
)
from domain.syncs import SyncState, Trigger
from domain.trails import LINES_A_SYNC, SYNCS_IN_HISTORY, ItemStage, Reached
from domain.vault import Tools
from infra.database import tenant_transaction
from infra.store import Stores
from infra.store.schedules import WakeStore
from infra.worker import Worker, run_sync
from tests import factories
from tests.factories import Source


def notes(n: int) -> dict[str, str | bytes]:
    return {f"{number:02}.md": f"# Note {number}\n\nText {number}." for number in range(n)}


async def count(stores: Stores, viewer: Viewer) -> int:
    async with stores.open_vault(viewer) as vault:
        return await vault.documents.count()


async def test_a_handful_of_deletions_is_never_asked_about(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = notes(6)
    await factories.synced(stores, tools, viewer)
    source.files = notes(2)
    assert (await factories.synced(stores, tools, viewer)).progress.deleted == 4


async def test_a_snapshot_that_lost_a_fifth_deletes_nothing_until_a_person_agrees(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = notes(20)
    await factories.synced(stores, tools, viewer)
    source.files = notes(12) | {"new.md": "# New\n\nNew text."}
    held = await factories.synced(stores, tools, viewer)
    assert (held.state, held.progress.deleted, held.progress.indexed) == (SyncState.HELD, 0, 1)
    assert "8 of 20 documents" in held.reason
    assert await count(stores, viewer) == 21
    async with stores.open_vault(viewer) as vault:
        [guard] = (await vault.deletions.guards()).values()
        await vault.deletions.allow(held.integration_id, guard.n_deletions)
    source.files = notes(3)
    assert (await factories.synced(stores, tools, viewer)).state is SyncState.HELD, "only as many as were agreed to"
    async with stores.open_vault(viewer) as vault:
        await vault.deletions.allow(held.integration_id, 18)
    assert (await factories.synced(stores, tools, viewer)).progress.deleted == 18
    assert await count(stores, viewer) == 3
    async with stores.open_vault(viewer) as vault:
        assert await vault.deletions.guard(held.integration_id) is None


async def test_documents_that_were_kept_stay_and_are_not_asked_about_again_until_they_are_back(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = notes(20)
    await factories.synced(stores, tools, viewer)
    source.files = notes(10)
    held = await factories.synced(stores, tools, viewer)
    async with stores.open_vault(viewer) as vault:
        assert await vault.deletions.keep(held.integration_id) == 10
    assert (await factories.synced(stores, tools, viewer)).state is SyncState.SUCCEEDED
    source.files = notes(20)
    await factories.synced(stores, tools, viewer)
    source.files = notes(18)
    assert (await factories.synced(stores, tools, viewer)).progress.deleted == 2
    assert await count(stores, viewer) == 18


async def test_reported_deletions_are_guarded_across_pages_attempts_and_a_killed_worker(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.is_snapshot = False
    source.files = notes(20)
    source.log = [source.item(name) for name in source.files]
    first = await factories.synced(stores, tools, viewer)
    source.log += [Gone(name) for name in list(source.files)[:8]]
    async with stores.open_vault(viewer) as vault:
        sync = await vault.syncs.request(first.integration_id, Trigger.IMPORT)
    source.hangs_after = 2
    task = asyncio.create_task(run_sync(stores.open_vault, tools, system_viewer(viewer.tenant_id), sync.id))
    while not await marked(stores, viewer) >= 6:  # noqa: ASYNC110  # the other side is Postgres
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    source.hangs_after = None
    held = await run_sync(stores.open_vault, tools, system_viewer(viewer.tenant_id), sync.id)
    assert held is not None
    assert (held.attempt, held.state, held.progress.deleted) == (2, SyncState.HELD, 0)
    assert await count(stores, viewer) == 20
    source.log.append(source.item("00.md"))
    async with stores.open_vault(viewer) as vault:
        guard = await vault.deletions.guard(held.integration_id)
        assert guard is not None
        assert (guard.state, guard.n_deletions, guard.n_documents) == (GuardState.ASKING, 8, 20)
        await vault.deletions.allow(held.integration_id, guard.n_deletions)
    assert (await factories.synced(stores, tools, viewer)).progress.deleted == 7, "what came back meanwhile stays"
    assert await count(stores, viewer) == 13


async def marked(stores: Stores, viewer: Viewer) -> int:
    async with tenant_transaction(stores.engine, viewer.tenant_id) as connection:
        rows = await connection.execute(sa.text("select count(*) from documents where gone_at is not null"))
        return int(rows.scalar_one())


async def test_each_item_has_a_line_that_says_how_far_it_came_and_who_sees_it(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    colleague = await factories.member(stores.engine, viewer.tenant_id)
    source.files = {"open.md": "# Open\n\nText.", "mine.md": "# Mine\n\nText.", "broken.pdf": b"%PDF-1.7 cut"}
    source.principals = {"mine.md": (user_principal(viewer.user_id),)}
    sync = await factories.synced(stores, tools, viewer)
    async with stores.open_vault(viewer) as vault:
        lines = {line.name: line for line in await vault.trails.newest(sync.id, 10)}
    assert (lines["open.md"].stage, lines["open.md"].n_people) == (ItemStage.VISIBLE, 2)
    assert (lines["mine.md"].stage, lines["mine.md"].n_people) == (ItemStage.VISIBLE, 1)
    assert (lines["broken.pdf"].stage, bool(lines["broken.pdf"].note)) == (ItemStage.FAILED, True)
    async with stores.open_vault(colleague) as vault:
        assert [line.name for line in await vault.trails.newest(sync.id, 10)] == ["open.md"]
    again = await factories.synced(stores, tools, viewer)
    async with stores.open_vault(viewer) as vault:
        assert {line.name for line in await vault.trails.newest(again.id, 10)} == {"broken.pdf"}, "only what moved"


async def test_lines_are_bounded_for_a_sync_and_kept_for_the_last_syncs_only(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    for round_number in range(6):
        source.files = {"a.md": f"# A\n\nRound {round_number}."}
        sync = await factories.synced(stores, tools, viewer)
    async with stores.open_vault(viewer) as vault:
        syncs = await vault.syncs.page(sync.integration_id, None, 10)
        assert [len(await vault.trails.newest(each.id, 5)) for each in syncs] == [1, 1, 1, 1, 1, 0]
        steps = [Reached(str(number), str(number), ItemStage.FETCHED) for number in range(LINES_A_SYNC + 50)]
        await vault.trails.write(sync.id, steps)
        assert len(await vault.trails.newest(sync.id, LINES_A_SYNC * 2)) == LINES_A_SYNC


async def due_now(stores: Stores, viewer: Viewer) -> None:
    async with tenant_transaction(stores.engine, viewer.tenant_id) as connection:
        await connection.execute(
            sa.text(
                "update due_syncs set due_at = now() - interval '1 s' where tenant_id = :t and due_at < 'infinity'"
            ),
            {"t": viewer.tenant_id},
        )


async def next_due(stores: Stores, folder: Integration) -> datetime | None:
    async with stores.engine.connect() as connection:
        rows = await connection.execute(
            sa.text("select nullif(due_at, 'infinity') from due_syncs where integration_id = :id"), {"id": folder.id}
        )
        return rows.scalar_one()  # type: ignore[no-any-return]


async def test_what_is_due_is_requested_once_however_many_workers_look(
    stores: Stores, tools: Tools, viewer: Viewer
) -> None:
    folder = await factories.integration(stores, viewer)
    await due_now(stores, viewer)
    workers = [Worker(stores.queue, stores.open_vault, tools, wakes=WakeStore(stores.engine)) for _ in range(4)]
    await asyncio.gather(*(worker.request_due() for worker in workers))
    async with stores.open_vault(viewer) as vault:
        [sync] = await vault.syncs.page(folder.id, None, 10)
        claimed = await vault.syncs.claim(sync.id)
        await vault.syncs.finish(sync.id, claimed.attempt, SyncState.SUCCEEDED, claimed.progress)
    assert (sync.trigger, sync.requested_by) == (Trigger.SCHEDULE, "KnowledgeVault")
    await workers[0].request_due()
    async with stores.open_vault(viewer) as vault:
        assert len(await vault.syncs.page(folder.id, None, 10)) == 1, "it is due again only after its time"


async def test_a_paused_integration_stops_at_once_and_is_neither_read_by_time_nor_by_webhook(
    stores: Stores, viewer: Viewer
) -> None:
    folder = await factories.integration(stores, viewer)
    async with stores.open_vault(viewer) as vault:
        waiting = await vault.syncs.request(folder.id, Trigger.PERSON)
        await vault.schedules.pause(folder.id)
        assert (await vault.syncs.get(waiting.id)).state is SyncState.CANCELLED
        assert await vault.schedules.ring(folder.id) is None
    assert await next_due(stores, folder) is None
    await due_now(stores, viewer)
    async with stores.open_vault(system_viewer(viewer.tenant_id)) as vault:
        assert await vault.schedules.request_due() == []
        await vault.schedules.resume(folder.id)
        await vault.schedules.set(folder.id, 5)
    assert await next_due(stores, folder) is not None
    async with stores.open_vault(viewer) as vault:
        await vault.schedules.set(folder.id, 0)
    assert await next_due(stores, folder) is None


@pytest.mark.parametrize("is_empty", [False, True])
async def test_a_source_that_turns_in_circles_is_stopped_with_a_reason(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source, is_empty: bool
) -> None:
    source.is_snapshot = False
    source.files = notes(3)
    source.log = [source.item(name) for name in source.files]
    source.circles_through = () if is_empty else tuple(source.log)
    sync = await factories.synced(stores, tools, viewer)
    assert sync.state is SyncState.FAILED
    assert "was stopped" in sync.reason
    assert "Sync again" in sync.reason


async def test_a_source_with_bad_items_ends_with_a_reason_for_each_and_never_hangs(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    emoji = "🦊🐻🐼" * 100 + ".md"
    too_long = "".join(chr(0x1F300 + number % 700) for number in range(900)) + ".md"
    source.files = {emoji: "# Emoji\n\nText.", too_long: "x", "broken\ud83d.md": "x", "nul\0.md": "x", "huge.iso": "x"}
    source.sizes = {"huge.iso": 2 * 1024**3}
    for _ in range(2):
        sync = await factories.synced(stores, tools, viewer)
        assert (sync.state, sync.progress.failed) == (SyncState.SUCCEEDED, 4)
    async with stores.open_vault(viewer) as vault:
        failures = await vault.syncs.failures(sync.integration_id, 0, 10)
        assert await vault.documents.count() == 1
    assert sum("too long" in failure.reason for failure in failures) == 3
    assert any("2,048 MB" in failure.reason for failure in failures)


async def test_a_sync_that_lost_its_job_is_given_up_and_begun_anew(
    stores: Stores, tools: Tools, viewer: Viewer
) -> None:
    folder = await factories.integration(stores, viewer)
    async with stores.open_vault(viewer) as vault:
        lost = await vault.syncs.request(folder.id, Trigger.PERSON)
    async with tenant_transaction(stores.engine, viewer.tenant_id) as connection:
        job = "delete from procrastinate_jobs where cast(args->>'sync_id' as bigint) = :id"
        await connection.execute(sa.text(job), {"id": lost.id})
        age = "update syncs set created_at = now() - interval '1 hour' where id = :id"
        await connection.execute(sa.text(age), {"id": lost.id})
    await due_now(stores, viewer)
    async with stores.open_vault(system_viewer(viewer.tenant_id)) as vault:
        [anew] = await vault.schedules.request_due()
        ended = await vault.syncs.get(lost.id)
    assert (ended.state, "given up" in ended.reason, anew.state) == (SyncState.FAILED, True, SyncState.QUEUED)


async def test_the_history_does_not_grow_without_end(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = notes(1)
    folder = await factories.integration(stores, viewer)
    async with tenant_transaction(stores.engine, viewer.tenant_id) as connection:
        await connection.execute(
            sa.text(
                "insert into syncs (tenant_id, integration_id, state, trigger, requested_by, finished_at)"
                " select :tenant, :integration, 'succeeded', 'schedule', '', now() from generate_series(1, :n)"
            ),
            {"tenant": viewer.tenant_id, "integration": folder.id, "n": SYNCS_IN_HISTORY + 20},
        )
    await factories.synced(stores, tools, viewer)
    async with stores.open_vault(viewer) as vault:
        assert len(await vault.syncs.page(folder.id, None, 2 * SYNCS_IN_HISTORY)) == SYNCS_IN_HISTORY


async def test_a_line_counts_the_people_whom_groups_domains_and_addresses_let_in_as_search_does(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    team = [await factories.member(stores.engine, viewer.tenant_id) for _ in range(3)]
    folder = await factories.integration(stores, viewer)
    channel, drive = group_principal(folder.id, "channel"), group_principal(folder.id, "drive")
    async with stores.open_vault(viewer) as vault:
        await vault.access.prove(team[0].user_id, "ana@tidewater.example")
        await vault.access.prove(team[1].user_id, "tom@shore.example")
        ana, shore = email_principal("ana@tidewater.example"), domain_principal("shore.example")
        groups = [Group(channel, "#plans", (ana,)), Group(drive, "the drive", (ana, shore))]
        await vault.access.replace_groups(folder.id, groups)
    source.principals = {
        "everyone.md": (EVERYONE, channel),
        "channel.md": (channel, ana),
        "drive.md": (drive,),
        "drive-too.md": (drive,),
        "mixed.md": (channel, user_principal(team[2].user_id), shore),
        "nobody.md": (group_principal(folder.id, "unknown"), email_principal("new@tidewater.example")),
        "closed.md": (),
    }
    source.files = {name: f"# Of {name}\n\nText." for name in source.principals}
    sync = await factories.synced(stores, tools, viewer)
    people = [viewer, *team]
    expected = {name: len([each for each in people if name in await found(stores, each)]) for name in source.files}
    assert list(expected.values()) == [4, 1, 2, 2, 3, 0, 0]
    async with stores.open_vault(viewer) as vault:
        assert {each.name: each.n_people for each in await vault.trails.newest(sync.id, 10)} == expected
        [sighting] = (await vault.whereabouts.look("everyone.md")).sightings
        [hidden] = (await vault.whereabouts.look("drive.md")).hidden
    assert (sighting.n_people, hidden.n_people) == (4, 2)
    async with stores.open_vault(viewer) as vault:
        await vault.access.replace_groups(folder.id, [Group(drive, "the drive", (shore,))])
        lines = {each.name: each.n_people for each in await vault.trails.newest(sync.id, 10)}
    assert (lines["drive.md"], lines["drive-too.md"], lines["channel.md"]) == (1, 1, 1)


async def found(stores: Stores, viewer: Viewer) -> set[str]:
    """What somebody's library lists, by external id."""
    async with stores.open_vault(viewer) as vault:
        page = await vault.documents.page(LibraryFilter(), LibrarySort.TITLE, "", 50)
    return {each.external_id for each in page.documents}
