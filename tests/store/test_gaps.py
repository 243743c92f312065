"""Findings of detectors in Postgres: once per version, gone with their document, seen only by who may read it."""

import pytest
import sqlalchemy as sa

from domain.detection import detector_version
from domain.entities import EntityKind
from domain.errors import Invalid, NotFound
from domain.examining import examine
from domain.found_gaps import FoundGap, GapFilter, GapSort, GapState
from domain.gap_kinds import GapKind, wording
from domain.overlooking import overlook
from domain.people import Viewer, system_viewer, user_principal
from domain.vault import Tools
from domain.whole_vault import Care
from infra.database import tenant_transaction
from infra.store import Stores
from tests import factories
from tests.factories import Source

LOST = "Somebody should clean the filter of the press."
PEOPLE = ((1, "Marta"), (2, "Otto"), (3, "Zelda"), (4, "Bruno"))
HEAD = "The order of the pumps is in Marta's head."


async def shown(stores: Stores, viewer: Viewer, **narrowed: object) -> list[FoundGap]:
    async with stores.open_vault(viewer) as vault:
        return list((await vault.gaps.page(GapFilter(**narrowed), 50)).gaps)  # type: ignore[arg-type]


async def n_rows(stores: Stores, viewer: Viewer, table: str) -> int:
    async with tenant_transaction(stores.engine, viewer.tenant_id) as connection:
        return int((await connection.execute(sa.text(f"select count(*) from {table}"))).scalar_one())


async def test_a_sync_finds_gaps_and_a_second_one_no_duplicates(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = {
        "a.md": f"{LOST}\n\n{HEAD}\n\nWe decided to stay because of the view.",
        "b.md": f"{LOST}\n\nLunch is at noon.",
    }
    await factories.studied(stores, tools, viewer)
    first = await shown(stores, viewer)
    assert [(gap.kind, gap.n_documents) for gap in first] == [
        (GapKind.KNOWLEDGE_IN_A_HEAD, 1),
        (GapKind.MISSING_ACTOR, 2),
    ]
    async with stores.open_vault(viewer) as vault:
        read = await vault.documents.version(first[0].document_id)
    assert read.text[first[0].start : first[0].end] == HEAD
    rows = [await n_rows(stores, viewer, table) for table in ("detections", "frames", "gaps", "gap_evidence")]
    async with tenant_transaction(stores.engine, viewer.tenant_id) as connection:
        await connection.execute(sa.text("update detections set detector = 'an older one'"))
    again = [each async for each in examine(stores.open_vault, system_viewer(viewer.tenant_id), tools)]
    await overlook(stores.open_vault, system_viewer(viewer.tenant_id), tools)
    assert len(again) == 2, "a changed detector reads everything again"
    assert [await n_rows(stores, viewer, table) for table in ("detections", "frames", "gaps", "gap_evidence")] == rows
    assert await shown(stores, viewer) == first
    assert [each async for each in examine(stores.open_vault, system_viewer(viewer.tenant_id), tools)] == []


async def test_what_was_dismissed_stays_closed_though_it_is_found_again(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = {"a.md": LOST}
    await factories.studied(stores, tools, viewer)
    (gap,) = await shown(stores, viewer)
    async with stores.open_vault(viewer) as vault:
        await vault.gaps.dismiss(gap.id, "The press is sold.")
    source.files = {"a.md": f"{LOST} It is loud.", "c.md": LOST}
    await factories.studied(stores, tools, viewer)
    assert await shown(stores, viewer) == []
    (closed,) = await shown(stores, viewer, state=GapState.DISMISSED)
    assert (closed.reason, closed.n_documents) == ("The press is sold.", 2)
    async with stores.open_vault(viewer) as vault:
        await vault.gaps.reopen(gap.id)
    assert len(await shown(stores, viewer)) == 1


async def test_findings_go_with_their_text(stores: Stores, tools: Tools, viewer: Viewer, source: Source) -> None:
    source.files = {"a.md": LOST, "b.md": HEAD}
    await factories.studied(stores, tools, viewer)
    source.files = {"a.md": "Marta cleans the filter of the press each Monday, says the rota."}
    await factories.studied(stores, tools, viewer)
    assert await shown(stores, viewer) == []
    assert [await n_rows(stores, viewer, table) for table in ("gaps", "gap_evidence", "detections")] == [0, 0, 1]


async def test_a_gap_is_seen_only_by_who_may_read_its_document(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    other = await factories.member(stores.engine, viewer.tenant_id)
    source.files = {"a.md": LOST}
    source.principals = {"a.md": (user_principal(viewer.user_id),)}
    await factories.studied(stores, tools, viewer)
    (gap,) = await shown(stores, viewer)
    assert await shown(stores, other) == []
    async with stores.open_vault(other) as vault:
        assert await vault.gaps.counts(GapState.OPEN) == {}
        with pytest.raises(NotFound):
            await vault.gaps.dismiss(gap.id, "Not mine.")
    async with stores.open_vault(viewer) as vault:
        assert await vault.gaps.counts(GapState.OPEN) == {GapKind.MISSING_ACTOR: 1}


async def test_every_order_is_whole_over_its_pages_even_when_one_is_closed_on_the_way(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = {f"{n}.md": f"{LOST} In hall {n}.\n\nOnly {who} knows how hall {n} is wired.\n" for n, who in PEOPLE}
    await factories.studied(stores, tools, viewer)
    wanted = {
        GapSort.PRIORITY: lambda each: (-each.priority, each.id),
        GapSort.NEWEST: lambda each: (-each.found_at.timestamp(), -each.id),
        GapSort.OLDEST: lambda each: (each.found_at.timestamp(), each.id),
        GapSort.KIND: lambda each: (wording(each.kind).name, -each.priority, each.id),
        GapSort.DOCUMENT: lambda each: (each.title, -each.priority, each.id),
        GapSort.PERSON: lambda each: (not each.addressee, each.addressee.casefold(), -each.priority, each.id),
    }
    for sort in GapSort:
        async with stores.open_vault(viewer) as vault:
            whole = (await vault.gaps.page(GapFilter(), 50, sort)).gaps
            first = await vault.gaps.page(GapFilter(), 2, sort)
            await vault.gaps.dismiss(first.gaps[1].id, "")
            paged, key = list(first.gaps), first.next_key
            while key:
                page = await vault.gaps.page(GapFilter(), 2, sort, key)
                paged, key = [*paged, *page.gaps], page.next_key
            await vault.gaps.reopen(first.gaps[1].id)
            with pytest.raises(Invalid):
                await vault.gaps.page(GapFilter(), 2, sort, '["x"]')
        assert len(whole) >= 5, "several pages of two"
        assert [each.id for each in paged] == [each.id for each in whole], sort
        assert list(whole) == sorted(whole, key=wanted[sort]), sort


async def test_gaps_can_be_narrowed_to_whom_they_are_asked_of(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = {f"{n}.md": f"Only {who} knows how hall {n} is wired.\n" for n, who in PEOPLE}
    await factories.studied(stores, tools, viewer)
    asked = {each.addressee for each in await shown(stores, viewer)}
    assert "Marta" in asked
    [gap] = await shown(stores, viewer, person="marta")
    async with stores.open_vault(viewer) as vault:
        assert await vault.gaps.counts(GapState.OPEN, "MARTA") == {gap.kind: 1}


async def test_who_has_left_is_asked_no_more_and_who_comes_to_be_known_is(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = {"hall.md": f"---\nauthor: Otto Brand\n---\n\n{LOST}"}
    await factories.studied(stores, tools, viewer)
    [gap] = await shown(stores, viewer)
    assert (gap.addressee, gap.addressee_reason) == ("Otto Brand", "wrote it")
    source.files["news.md"] = "Otto Brand has left the company on 3 May 2024."
    await factories.studied(stores, tools, viewer)
    [gap] = [each for each in await shown(stores, viewer) if each.title.startswith("hall")]
    assert gap.addressee == "", "nobody else is known to know"


def test_the_detectors_version_names_rules_and_table(tools: Tools) -> None:
    assert detector_version(tools.matcher).endswith(tools.matcher.version)


async def test_what_only_the_whole_vault_shows_is_found_asked_once_and_gone_when_it_is_mended(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = {
        "guide/a.md": "# Rota\n\nThe QZX is switched off.\n\nRead [how we go about it](plan.md), [this](b.md).",
        "guide/b.md": "# Lamp\n\nNobody may touch the lamp.",
        "guide/c.md": "Somebody should clean the filter of our press.",
        "guide/d.md": "Somebody should really clean the filter of our press.",
    }
    await factories.studied(stores, tools, viewer)
    found = {gap.kind: gap for gap in await shown(stores, viewer)}
    assert set(found) == {GapKind.UNDEFINED_TERM, GapKind.DANGLING_LINK, GapKind.MISSING_ACTOR}
    assert found[GapKind.UNDEFINED_TERM].question == "What does QZX mean (Rota)?"
    assert "plan.md: “Read how we go about it" in found[GapKind.DANGLING_LINK].question, "where it stands"
    assert found[GapKind.MISSING_ACTOR].n_alike == 2, "near in meaning, so asked as one"
    rows = [await n_rows(stores, viewer, table) for table in ("gaps", "gap_evidence")]
    await factories.studied(stores, tools, viewer)
    assert [await n_rows(stores, viewer, table) for table in ("gaps", "gap_evidence")] == rows
    async with stores.open_vault(viewer) as vault:
        await vault.gaps.dismiss(found[GapKind.MISSING_ACTOR].id, "")
    source.files |= {"guide/plan.md": "The plan.", "guide/b.md": "The QZX (quiet zone exchange) is a lamp."}
    await factories.studied(stores, tools, viewer)
    assert await shown(stores, viewer) == [], "its twin is dismissed with it"


async def test_what_two_people_asked_in_vain_is_asked_of_everybody(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = {"a.md": "The key of the cellar hangs in the hall."}
    other = await factories.member(stores.engine, viewer.tenant_id)
    for each in (viewer, other):
        await factories.studied(stores, tools, viewer)
        assert await shown(stores, viewer) == [], "what one person asked stays with them"
        async with stores.open_vault(each) as vault:
            conversation = await vault.conversations.add("Cellar")
            _, pending = await vault.conversations.ask(conversation.id, "Who painted the cellar?")
            await vault.unanswered.keep(pending.id, "Who painted the cellar?", 0.1)
    await factories.studied(stores, tools, viewer)
    [gap] = await shown(stores, other)
    assert (gap.kind, "Who painted the cellar?" in gap.question) == (GapKind.UNANSWERED_QUESTION, True)


async def test_the_vault_knows_which_systems_it_can_mend_and_bring_back(
    stores: Stores, tools: Tools, viewer: Viewer
) -> None:
    async with stores.open_vault(viewer) as vault:
        ids = [await vault.entities.add(EntityKind.SYSTEM, name) for name in ("Ledger-2 (old)", "Quarry")]
    async with tenant_transaction(stores.engine, viewer.tenant_id) as connection:
        await connection.execute(
            sa.text(
                "with i as (insert into integrations (tenant_id, kind, name) values (:t, 'upload', 'U') returning id),"
                " d as (insert into documents (tenant_id, integration_id, external_id, title, media_type, size_bytes,"
                " content_hash, version_id, sorted_at) select :t, id, 'a', 'Runbook', 'text/plain', 1, '', 1, now()"
                " from i returning id), v as (insert into document_versions (id, tenant_id, document_id, ordinal, text,"
                " blocks, metadata, content_hash) overriding system value"
                " select 1000000 + id, :t, id, 1, '', '[]', '{}', '' from d returning id, document_id),"
                " c as (insert into chunks (tenant_id, document_id, version_id,"
                " ordinal, start_at, end_at, heading_path, text, content_hash, model)"
                " select :t, document_id, id, 0, 0, 4, '{}', 'Ledger-2 (old) is our database.', 'x', 'words@1' from v)"
                " insert into mentions (tenant_id, document_id, version_id, alias_id, start_at, end_at)"
                " select :t, v.document_id, v.id, a.id, 0, 4 from v, entity_aliases a where a.entity_id = :entity"
            ),
            {"t": viewer.tenant_id, "entity": ids[0]},
        )
        await connection.execute(sa.text("update documents set version_id = 1000000 + id"))
    async with stores.open_vault(system_viewer(viewer.tenant_id)) as vault:
        [care] = await vault.whole.care(ids)
    assert care == Care(ids[0], has_owner=False, has_runbook=True, has_backup=False, keeps_data=True)
    async with tenant_transaction(stores.engine, viewer.tenant_id) as connection:
        await connection.execute(
            sa.text(
                "with f as (insert into detections (tenant_id, document_id, version_id, detector)"
                " select tenant_id, id, version_id, 'd' from documents returning document_id), g as (insert into gaps"
                " (tenant_id, kind, fingerprint) values (:t, 'system_without_owner', 'f') returning id)"
                " insert into gap_evidence (tenant_id, gap_id, document_id, start_at, end_at, question, person, score)"
                " select :t, g.id, f.document_id, 0, 4, 'Who owns LEDGER-2 (old)?', '', 0.9 from f, g"
            ),
            {"t": viewer.tenant_id},
        )
    async with stores.open_vault(system_viewer(viewer.tenant_id)) as vault:
        [care] = await vault.whole.care(ids)
    assert care.has_owner, "a row of a table asks for its owner already: it is not asked twice"


async def test_a_vault_is_seen_as_a_whole_again_only_when_it_or_who_may_read_it_has_changed(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    async def news() -> str:
        async with stores.open_vault(viewer) as vault:
            return await vault.whole.news()

    assert await news(), "a new vault was never seen"
    source.files = {"a.md": LOST}
    await factories.studied(stores, tools, viewer)
    assert await news() == ""
    source.principals = {"a.md": (user_principal(viewer.user_id),)}
    await factories.studied(stores, tools, viewer)
    assert await news() == "", "the sync that brought the change has seen it"
    async with tenant_transaction(stores.engine, viewer.tenant_id) as connection:
        await connection.execute(sa.text("update document_access set principal = 'email:ada@b.c'"))
    assert await news(), "somebody else may read it now"
