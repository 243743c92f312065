"""Who is likely to know, what hangs on one person, and which systems nobody keeps."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.people import Viewer, user_principal
from domain.vault import Tools
from infra.database import tenant_transaction
from infra.store import Stores
from tests import factories

FILES = {
    "kafka.md": "# Kafka at Harbour\n\nOwner: Lena Okafor\n\nKafka depends on ZooKeeper.\n",
    "runbook.md": "# Kafka runbook\n\nReviewed by: Tom Reed\n\nAnswered by: Iris Holm\n\nWe restart Kafka slowly.\n",
    "zoo.md": "# Notes\n\nZooKeeper was slow. ZooKeeper uses disks.\n",
    "postgres.md": "# Storage\n\nOwner: Helena Brandt\n\nPostgreSQL replaces MySQL.\n",
}


async def test_members_come_first_among_those_likely_to_know_each_with_the_reason(
    stores: Stores, tools: Tools, viewer: Viewer, source: factories.Source, engine: AsyncEngine
) -> None:
    source.files = dict(FILES)
    await factories.studied(stores, tools, viewer)
    async with tenant_transaction(engine, viewer.tenant_id) as connection:
        await connection.execute(
            sa.text("insert into member_addresses values (:tenant, :user, 'tom@harbour.example', 'invitation')"),
            {"tenant": viewer.tenant_id, "user": viewer.user_id},
        )
    source.files["mail.eml"] = "From: Tom Reed <tom@harbour.example>\nSubject: Kafka\n\nKafka is up.\n"
    await factories.studied(stores, tools, viewer)
    async with stores.open_vault(viewer) as vault:
        found = await vault.graph.likely_to_know("Why does Kafka stop?", (), 9)
        storage = (await vault.entities.page("document", "storage", "", 9)).entities[0]
        [proof] = await vault.entities.timeline(storage.id, 9)
        by_document = await vault.graph.likely_to_know("What is this?", [proof.document_id], 9)
        assert await vault.graph.likely_to_know("Lunch?", (), 9) == []
    assert (found[0].name, found[0].user_id) == ("Tom Reed", viewer.user_id)
    assert [(each.name, each.user_id) for each in found[1:]] == [("Lena Okafor", None), ("Iris Holm", None)]
    assert "owns Kafka at Harbour" in found[1].reason or "owns Kafka" in found[1].reason
    assert [(each.name, each.reason) for each in by_document] == [("Helena Brandt", "owns Storage, created Storage")]


async def test_what_hangs_on_one_person_and_what_nobody_keeps_have_their_evidence_and_keep_their_secrets(
    stores: Stores, tools: Tools, viewer: Viewer, source: factories.Source, engine: AsyncEngine
) -> None:
    other = await factories.member(engine, viewer.tenant_id)
    source.files = dict(FILES)
    source.principals = {"postgres.md": (user_principal(viewer.user_id),)}
    await factories.studied(stores, tools, viewer)
    async with stores.open_vault(viewer) as vault:
        alone = await vault.graph.dependences(20)
        unkept = await vault.graph.unkept(20)
        titles = {each.id: each.title for each in await vault.documents.get_many(alone[0].document_ids)}
    async with stores.open_vault(other) as vault:
        others = {each.entity for each in await vault.graph.dependences(20)}
    assert {(each.entity, each.person) for each in alone} >= {("PostgreSQL", "Helena Brandt")}
    assert "PostgreSQL" not in others
    assert titles
    kept = {each.name: (each.has_no_owner, each.has_no_runbook) for each in unkept}
    assert kept["ZooKeeper"] == (True, True)
    assert kept.get("Kafka", (True, False)) == (True, False)
