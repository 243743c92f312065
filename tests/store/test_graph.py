"""The graph in Postgres: what documents bring, that it goes with them, what people decide, who may see what."""

import asyncio

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.entities import Entity, EntityKind, GraphFilter, RelationKind
from domain.errors import Conflict, NotFound
from domain.people import Viewer, user_principal
from domain.vault import Tools
from infra.database import tenant_transaction
from infra.store import Stores
from tests import factories

MAIL = (
    "From: Lena Okafor <lena.okafor@harbour.example>\nTo: Tom Reed <tom@harbour.example>\n"
    "Subject: Ledger moves\nDate: Mon, 2 Mar 2026 09:00:00 +0000\n\n"
    "Tom Reed maintains PostgreSQL. Ask Lena about Kafka.\n"
)
NOTE = "# Ledger\n\nOwner: Lena Okafor\n\nKafka depends on PostgreSQL. The New York Office uses Kafka.\n"
GRAPH = ("entities", "entity_aliases", "entity_keys", "mentions", "relations", "relation_proofs", "entity_merges")


async def rows_left(engine: AsyncEngine, viewer: Viewer) -> dict[str, int]:
    async with tenant_transaction(engine, viewer.tenant_id) as connection:
        counts = {
            table: int((await connection.execute(sa.text(f"select count(*) from {table}"))).scalar_one())
            for table in GRAPH
        }
    return {table: n for table, n in counts.items() if n}


async def find(stores: Stores, viewer: Viewer, name: str, kind: str = "") -> list[Entity]:
    async with stores.open_vault(viewer) as vault:
        return list((await vault.entities.page(kind, name, "", 50)).entities)


async def one(stores: Stores, viewer: Viewer, name: str, kind: str = "") -> Entity:
    [entity] = await find(stores, viewer, name, kind)
    return entity


async def test_documents_bring_people_and_systems_and_one_relation_has_a_proof_for_each_document(
    stores: Stores, tools: Tools, viewer: Viewer, source: factories.Source
) -> None:
    source.files = {"a.eml": MAIL, "b.md": NOTE, "c.md": "# More\n\nWe know: Kafka depends on PostgreSQL.\n"}
    await factories.studied(stores, tools, viewer)
    lena = await one(stores, viewer, "lena", "person")
    kafka = await one(stores, viewer, "kafka")
    postgres = await one(stores, viewer, "postgresql")
    async with stores.open_vault(viewer) as vault:
        aliases = {alias.key for alias in await vault.entities.aliases(lena.id)}
        relations = await vault.entities.relations(kafka.id, 50)
        proofs = await vault.entities.proofs(kafka.id, RelationKind.DEPENDS_ON, postgres.id, 10)
        merges = await vault.entities.merges(lena.id)
    assert aliases == {"a:lena.okafor@harbour.example", "n:lena okafor"}
    assert (lena.name, lena.n_documents) == ("Lena Okafor", 2)
    assert any("share the name" in merge.reason and not merge.made_by for merge in merges)
    [depends] = [each for each in relations if each.kind is RelationKind.DEPENDS_ON]
    assert (depends.other.name, depends.is_outgoing, depends.n_proofs) == ("PostgreSQL", True, 2)
    assert all("Kafka depends on PostgreSQL" in proof.quote for proof in proofs)
    assert await find(stores, viewer, "ask") == []
    assert await find(stores, viewer, "new york", "person") == []


async def test_a_document_mentions_what_it_names_and_the_mentions_are_the_proofs(
    stores: Stores, tools: Tools, viewer: Viewer, source: factories.Source
) -> None:
    source.files = {"b.md": "# Ledger\n\nKafka depends on PostgreSQL. Kafka is slow.\n"}
    await factories.studied(stores, tools, viewer)
    ledger, kafka = await one(stores, viewer, "ledger", "document"), await one(stores, viewer, "kafka")
    async with stores.open_vault(viewer) as vault:
        outgoing = await vault.entities.relations(ledger.id, 50)
        incoming = await vault.entities.relations(kafka.id, 50)
        proofs = await vault.entities.proofs(ledger.id, RelationKind.MENTIONS, kafka.id, 9)
        part = await vault.graph.neighbourhood([ledger.id, kafka.id], GraphFilter(), 9)
    mentions = RelationKind.MENTIONS
    assert {(each.kind, each.other.name, each.n_proofs) for each in outgoing} == {
        (mentions, "Kafka", 2),
        (mentions, "PostgreSQL", 1),
    }
    assert [(each.other.name, each.is_outgoing) for each in incoming if each.kind is mentions] == [("Ledger", False)]
    assert len(proofs) == 2
    assert "Kafka depends on PostgreSQL" in proofs[0].quote
    assert (ledger.id, mentions, kafka.id) in {(edge.subject_id, edge.kind, edge.object_id) for edge in part.edges}


async def test_deleting_every_document_leaves_nothing_but_what_a_person_made(
    stores: Stores, tools: Tools, viewer: Viewer, source: factories.Source, engine: AsyncEngine
) -> None:
    source.files = {"a.eml": MAIL, "b.md": NOTE}
    await factories.studied(stores, tools, viewer)
    assert set(await rows_left(engine, viewer)) == set(GRAPH)
    async with stores.open_vault(viewer) as vault:
        await vault.entities.add(EntityKind.SYSTEM, "Turnstile")
        await vault.entities.add(EntityKind.SYSTEM, "Kafka")
    source.files = {}
    await factories.studied(stores, tools, viewer)
    assert await rows_left(engine, viewer) == {"entities": 2, "entity_aliases": 2}
    assert {entity.name for entity in await find(stores, viewer, "")} == {"Turnstile", "Kafka"}


async def test_removing_an_integration_takes_its_part_of_the_graph_along(
    stores: Stores, tools: Tools, viewer: Viewer, source: factories.Source, engine: AsyncEngine
) -> None:
    source.files = {"a.eml": MAIL}
    await factories.studied(stores, tools, viewer)
    async with tenant_transaction(engine, viewer.tenant_id) as connection:
        await connection.execute(sa.text("delete from integrations"))
    assert await rows_left(engine, viewer) == {}


async def test_a_new_version_undoes_what_the_old_one_brought_and_keeps_what_both_name(
    stores: Stores, tools: Tools, viewer: Viewer, source: factories.Source
) -> None:
    source.files = {"b.md": NOTE}
    await factories.studied(stores, tools, viewer)
    lena = await one(stores, viewer, "lena")
    source.files = {"b.md": "# Ledger\n\nOwner: Lena Okafor\n\nRedis replaces Kafka.\n"}
    await factories.studied(stores, tools, viewer)
    assert (await one(stores, viewer, "lena")).id == lena.id
    assert await find(stores, viewer, "postgresql") == []
    kafka = await one(stores, viewer, "kafka")
    async with stores.open_vault(viewer) as vault:
        relation, mentioned = await vault.entities.relations(kafka.id, 50)
    assert mentioned.kind is RelationKind.MENTIONS
    assert (relation.kind, relation.is_outgoing, relation.other.name) == (RelationKind.REPLACES, False, "Redis")


async def test_a_merge_is_explained_kept_and_taken_back_and_the_next_document_respects_it(
    stores: Stores, tools: Tools, viewer: Viewer, source: factories.Source
) -> None:
    source.files = {"a.md": "# A\n\nOwner: Lena Okafor\n", "b.md": "# B\n\nOwner: Helena Brandt\n"}
    await factories.studied(stores, tools, viewer)
    lena, helena = await one(stores, viewer, "lena okafor"), await one(stores, viewer, "helena")
    async with stores.open_vault(viewer) as vault:
        await vault.entities.merge(lena.id, helena.id, "She married.")
    async with stores.open_vault(viewer) as vault:
        assert {alias.name for alias in await vault.entities.aliases(lena.id)} == {"Lena Okafor", "Helena Brandt"}
        [merge] = await vault.entities.merges(lena.id)
        assert (merge.reason, merge.made_by, merge.undone_at) == ("She married.", viewer.name, None)
        with pytest.raises(NotFound):
            await vault.entities.get(helena.id)
    source.files["c.md"] = "# C\n\nOwner: Helena Brandt\n"
    await factories.studied(stores, tools, viewer)
    async with stores.open_vault(viewer) as vault:
        assert (await vault.entities.get(lena.id)).n_documents == 3
        apart = await vault.entities.undo(lena.id, merge.id)
    async with stores.open_vault(viewer) as vault:
        assert (await vault.entities.get(apart)).name == "Helena Brandt"
        [undone] = await vault.entities.merges(lena.id)
        assert undone.undone_by == viewer.name
        with pytest.raises(Conflict):
            await vault.entities.split(apart, (await vault.entities.aliases(apart))[0].id)


async def test_who_may_not_read_a_document_learns_nothing_from_the_graph(
    stores: Stores, tools: Tools, viewer: Viewer, source: factories.Source, engine: AsyncEngine
) -> None:
    other = await factories.member(engine, viewer.tenant_id)
    source.files = {"a.eml": MAIL, "b.md": "# Plan\n\nKafka replaces PostgreSQL.\n"}
    source.principals = {"a.eml": (user_principal(viewer.user_id),)}
    await factories.studied(stores, tools, viewer)
    lena = await one(stores, viewer, "lena")
    assert {entity.name for entity in await find(stores, other, "")} == {"Kafka", "PostgreSQL"}
    postgres = await one(stores, other, "postgresql")
    async with stores.open_vault(other) as vault:
        with pytest.raises(NotFound):
            await vault.entities.get(lena.id)
        assert [each.other.name for each in await vault.entities.relations(postgres.id, 9)] == ["Kafka", "Plan"]
        assert await vault.entities.aliases(lena.id) == []
        assert await vault.entities.timeline(lena.id, 9) == []
        assert await vault.graph.named("Lena Okafor", 9) == []
        around = await vault.graph.neighbourhood([postgres.id, lena.id], GraphFilter(), 50)
        assert {entity.name for entity in around.entities} == {"Kafka", "PostgreSQL"}
        assert await vault.graph.deeds([postgres.id], 50) == []
    async with stores.open_vault(await factories.member(engine)) as vault:
        assert (await vault.entities.page("", "", "", 9)).entities == ()


async def test_a_question_widens_to_other_names_and_to_documents_of_what_is_related(
    stores: Stores, tools: Tools, viewer: Viewer, source: factories.Source
) -> None:
    source.files = {
        "a.eml": MAIL,
        "b.md": NOTE,
        "c.md": "# Clusters\n\nPostgreSQL is maintained by Tom Reed.\n",
        "d.md": "# Lunch\n\nSoup.\n",
    }
    await factories.studied(stores, tools, viewer)
    async with stores.open_vault(viewer) as vault:
        expansion = await vault.graph.expand("Who should I ask about Kafka, perhaps Lena Okafor?", 10)
        titles = {document.title for document in await vault.documents.get_many(expansion.document_ids)}
        nothing = await vault.graph.expand("What is for lunch?", 10)
    assert {"Ledger", "Clusters", "Ledger moves"} <= titles
    assert "Lunch" not in titles
    assert nothing.document_ids == ()


async def test_a_name_the_vault_learns_later_is_found_in_what_it_holds_already(
    stores: Stores, tools: Tools, viewer: Viewer, source: factories.Source, engine: AsyncEngine
) -> None:
    source.files = {"a.md": "# Notes\n\nThe quaymaster was slow. Not quaymaster-like, not quaymasters.\n"}
    await factories.studied(stores, tools, viewer)
    assert await find(stores, viewer, "quaymaster") == []
    source.files["b.csv"] = "service,owner\nquaymaster,Lena Okafor\nturnstile,Tom Reed\n"
    await factories.studied(stores, tools, viewer)
    quaymaster = await one(stores, viewer, "quaymaster")
    async with stores.open_vault(viewer) as vault:
        [note] = [proof for proof in await vault.entities.timeline(quaymaster.id, 9) if proof.title == "Notes"]
        text = (await vault.documents.version(note.document_id)).text
        named = await vault.graph.in_document(note.document_id)
    assert text[note.start : note.end] == "quaymaster"
    assert len(named) == 1
    source.files = {}
    await factories.studied(stores, tools, viewer)
    assert await rows_left(engine, viewer) == {}


async def test_workers_that_store_at_once_bring_each_entity_once(
    stores: Stores, tools: Tools, viewer: Viewer, source: factories.Source, engine: AsyncEngine
) -> None:
    for name in ("one", "two", "three"):
        source.files |= {
            f"{name}-{n}.md": f"# {name} {n}\n\nOwner: Lena Okafor\n\nKafka uses Redis.\n" for n in range(6)
        }
    await asyncio.gather(*(factories.studied(stores, tools, viewer, folder) for folder in ("A", "B", "C")))
    async with tenant_transaction(engine, viewer.tenant_id) as connection:
        rows = await connection.execute(sa.text("select name, n_mentions from entity_aliases where kind <> 'document'"))
        counted = {row.name: row.n_mentions for row in rows}
        [proofs] = (await connection.execute(sa.text("select n_proofs from relations where kind = 'uses'"))).scalars()
    assert set(counted) == {"Lena Okafor", "Kafka", "Redis"}
    assert proofs == 54
    source.files = {}
    for folder in ("A", "B", "C"):
        integration = await factories.integration(stores, viewer, folder)
        async with stores.open_vault(viewer) as vault:
            await vault.deletions.allow(integration.id, None)
    await asyncio.gather(*(factories.studied(stores, tools, viewer, folder) for folder in ("A", "B", "C")))
    assert await rows_left(engine, viewer) == {}


async def test_a_document_stored_before_names_were_looked_for_is_read_at_the_end_of_the_next_sync(
    stores: Stores, tools: Tools, viewer: Viewer, source: factories.Source, engine: AsyncEngine
) -> None:
    source.files = {"note.md": "# Note\n\nOwner: Lena Okafor\n\nKafka uses Redis.\n"}
    await factories.studied(stores, tools, viewer)
    async with tenant_transaction(engine, viewer.tenant_id) as connection:
        for table in ("name_readings", "mentions", "relation_proofs", "relations", "entity_merges", "entity_keys"):
            await connection.execute(sa.text(f"delete from {table}"))
        await connection.execute(sa.text("delete from entity_aliases"))
        await connection.execute(sa.text("delete from entities"))
    again = await factories.studied(stores, tools, viewer)
    assert again.progress.skipped == 1
    async with tenant_transaction(engine, viewer.tenant_id) as connection:
        rows = await connection.execute(
            sa.text("select name from entity_aliases where kind <> 'document' order by name")
        )
        assert list(rows.scalars()) == ["Kafka", "Lena Okafor", "Redis"]
