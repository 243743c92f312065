"""The removal of an integration: what goes is said before, is out of search at once, and its rows follow."""

import pytest
import sqlalchemy as sa

from domain.conversations import Answer, Citation, Sentence
from domain.credentials import Grant
from domain.errors import Conflict, NotFound
from domain.people import Viewer, system_viewer
from domain.search import SearchFilter
from domain.syncs import Trigger
from domain.vault import Tools
from infra.database import tenant_transaction
from infra.queue import PURGE_TASK
from infra.store import Stores
from infra.worker import run_purge
from tests import factories
from tests.factories import Source


async def rows_left(stores: Stores, viewer: Viewer) -> dict[str, int]:
    tables = ("documents", "document_versions", "chunks", "document_access", "credentials", "integrations")
    async with tenant_transaction(stores.engine, viewer.tenant_id) as connection:
        counts = {
            name: (await connection.execute(sa.text(f"select count(*) from {name}"))).scalar_one() for name in tables
        }
        counts["words"] = (
            await connection.execute(sa.text("select coalesce(sum(abs(n_chunks)), 0) from lexemes"))
        ).scalar_one()
        counts["index"] = (
            await connection.execute(
                sa.text("select count(*) from chunk_index where tenant_id = :t"), {"t": viewer.tenant_id}
            )
        ).scalar_one()
    return counts


async def found(stores: Stores, tools: Tools, viewer: Viewer, word: str) -> int:
    vector = (await tools.embedder.embed([word]))[0]
    async with stores.open_vault(viewer) as vault:
        lexical = await vault.passages.lexical(word, SearchFilter(), 20)
        dense = await vault.passages.dense(vector, SearchFilter(), 20)
        loaded = await vault.passages.load([each.chunk_id for each in (*lexical, *dense)])
        return len(loaded) + await vault.documents.count()


async def cite(stores: Stores, viewer: Viewer, document_id: int) -> None:
    async with stores.open_vault(viewer) as vault:
        conversation = await vault.conversations.add("Pumps")
        _, pending = await vault.conversations.ask(conversation.id, "What of the pump?")
        proof = Citation(document_id, 1, 0, 4, "pump", "Pump")
        answer = Answer((Sentence("It runs.", (proof, proof)),), is_abstained=False, confidence=1.0)
        await vault.conversations.complete(pending.id, answer)


async def test_the_preview_counts_documents_passages_and_the_answers_that_cite_them(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = {f"{number}.md": f"# Pump {number}\n\nThe pump runs." for number in range(3)}
    sync = await factories.synced(stores, tools, viewer)
    other = await factories.member(stores.engine, viewer.tenant_id)
    async with stores.open_vault(viewer) as vault:
        known = await vault.documents.known(sync.integration_id, ["0.md"])
    await cite(stores, other, known["0.md"].document_id)
    await cite(stores, other, known["0.md"].document_id + 10_000)
    async with stores.open_vault(viewer) as vault:
        preview = await vault.removals.preview(sync.integration_id)
    assert (preview.n_documents, preview.n_passages, preview.n_answers, preview.has_credentials) == (3, 3, 1, False)
    stranger = await factories.member(stores.engine)
    async with stores.open_vault(stranger) as vault:
        with pytest.raises(NotFound):
            await vault.removals.preview(sync.integration_id)


async def test_a_removed_integration_is_out_of_search_at_once_and_its_rows_go_batch_by_batch(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = {f"{number}.md": f"# Pump {number}\n\nThe pump runs." for number in range(5)}
    sync = await factories.synced(stores, tools, viewer)
    async with stores.open_vault(viewer) as vault:
        await vault.credentials.save(sync.integration_id, Grant("a0", "r0"))
        running = await vault.syncs.claim((await vault.syncs.request(sync.integration_id, Trigger.IMPORT)).id)
    assert await found(stores, tools, viewer, "pump") > 5
    async with stores.open_vault(viewer) as vault:
        await vault.removals.begin(sync.integration_id)
    for watcher in (viewer, system_viewer(viewer.tenant_id)):
        assert await found(stores, tools, watcher, "pump") == 0
    left = await rows_left(stores, viewer)
    assert (left["documents"], left["credentials"]) == (5, 0), "heavy rows wait, the key to the source does not"
    async with stores.open_vault(viewer) as vault:
        assert await vault.integrations.all() == []
        with pytest.raises(NotFound):
            await vault.removals.begin(sync.integration_id)
        with pytest.raises(Conflict):
            await vault.syncs.hold(running.id, running.attempt)
    await factories.integration(stores, viewer)  # the name is free again
    async with stores.engine.connect() as connection:
        jobs = await connection.execute(
            sa.text("select args->>'integration_id' from procrastinate_jobs where task_name = :task"),
            {"task": PURGE_TASK},
        )
        assert str(sync.integration_id) in set(jobs.scalars())
    async with stores.open_vault(system_viewer(viewer.tenant_id)) as vault:
        assert await vault.removals.purge(sync.integration_id, 2)
    assert (await rows_left(stores, viewer))["documents"] == 3
    await run_purge(stores.open_vault, system_viewer(viewer.tenant_id), sync.integration_id)
    left = await rows_left(stores, viewer)
    assert left.pop("integrations") == 1
    assert set(left.values()) == {0}
    await run_purge(stores.open_vault, system_viewer(viewer.tenant_id), sync.integration_id)  # once more does no harm


async def test_an_integration_that_stands_is_not_purged(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = {"a.md": "# A\n\nText."}
    sync = await factories.synced(stores, tools, viewer)
    await run_purge(stores.open_vault, system_viewer(viewer.tenant_id), sync.integration_id)
    assert (await rows_left(stores, viewer))["documents"] == 1
