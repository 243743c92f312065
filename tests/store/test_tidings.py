"""What documents tell each other: who left, what was replaced; at the price of what is new."""

import pytest_asyncio
import sqlalchemy as sa

from domain.examining import examine
from domain.found_gaps import GapFilter
from domain.gap_kinds import GapKind
from domain.people import EVERYONE, Viewer, system_viewer, user_principal
from domain.vault import Tools
from infra.analysis import WordAnalyzer
from infra.database import tenant_transaction
from infra.store import Stores
from infra.store.columns import N_PARTS
from infra.store.tidings import CALL_AGAIN, KNOWN, TOLD, TidingStore
from tests import factories
from tests.factories import Source

GUIDE = "# Guide\n\nThe queue is set up by ADR-7.\n\nAsk Ruben Vance for the key."
FILES = {
    "guide.md": GUIDE,
    "old.md": "# ADR-7 One queue\n\nThere is one queue.",
    "lunch.md": "# Lunch\n\nLunch is at noon.",
}
NEWS = {
    "new.md": "# ADR-9 Two queues\n\nThis supersedes ADR-7.",
    "party.md": "# Party\n\nRuben Vance has left the company. Cake at four.",
}
CROWD = (
    "with i as (insert into integrations (tenant_id, kind, name) values (:tenant, 'upload', 'Crowd') returning id)"
    " insert into documents (tenant_id, integration_id, external_id, title, media_type, size_bytes, content_hash,"
    " version_ordinal, sorted_at) select :tenant, i.id, 'crowd-' || n, 'Crowd ' || n, 'text/plain', 1, '', 1, now()"
    " from i, generate_series(1, 3000) n",
    "insert into document_versions (tenant_id, document_id, ordinal, text, blocks, metadata, content_hash)"
    " select tenant_id, id, 1, repeat('words and words ', 40), '[]', '{}', '' from documents",
    "update documents d set version_id = v.id from document_versions v where v.document_id = d.id",
    "insert into document_access select tenant_id, id, 'tenant' from documents",
    "insert into detections (tenant_id, document_id, version_id, detector)"
    " select tenant_id, id, version_id, '1' from documents",
    "insert into tidings (tenant_id, document_id, kind, subject, successor)"
    " select tenant_id, document_id, 'replaced', 'ADR-' || document_id, 'ADR-9' from detections limit 30",
    "insert into chunks (tenant_id, document_id, version_id, ordinal, start_at, end_at, heading_path, text,"
    " content_hash, model) select tenant_id, document_id, id, 0, 0, 0, '{}', '', '', '' from document_versions",
    "insert into chunk_index select tenant_id, id, document_id, 3,"
    " array_to_tsvector(array[' ' || tenant_id, 'common', 'word' || (id % 500)]),"
    " cast('{1:1}/1000000000' as sparsevec), cast('[1' || repeat(',0', 383) || ']' as halfvec(384)) from chunks",
)
TABLES = ("documents", "document_versions", "document_access", "detections", "tidings", "chunks", "chunk_index")


@pytest_asyncio.fixture
async def crowded(stores: Stores, viewer: Viewer) -> Viewer:
    async with tenant_transaction(stores.engine, viewer.tenant_id) as connection:
        for statement in CROWD:
            binds = {"tenant": viewer.tenant_id} if ":tenant" in statement else {}
            await connection.execute(sa.text(statement), binds)
    async with stores.engine.connect() as connection:
        autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
        for table in TABLES:
            await autocommit.execute(sa.text(f"analyze {table}"))
    return viewer


async def asked_of_guide(stores: Stores, viewer: Viewer) -> set[GapKind]:
    async with stores.open_vault(viewer) as vault:
        found = (await vault.gaps.page(GapFilter(), 50)).gaps
        return {gap.kind for gap in found if gap.title == "Guide"} - {GapKind.KNOWLEDGE_IN_A_HEAD}


async def test_what_cites_a_record_or_a_person_is_asked_about_when_a_later_document_replaces_it_or_says_they_left(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = dict(FILES)
    await factories.studied(stores, tools, viewer)
    assert await asked_of_guide(stores, viewer) == set()
    source.files = FILES | NEWS
    await factories.studied(stores, tools, viewer)
    assert await asked_of_guide(stores, viewer) == {GapKind.SUPERSEDED_BUT_CITED, GapKind.STALE_REFERENCE}
    source.files["new.md"] = "# ADR-9 Two queues\n\nThis goes beside ADR-7."
    source.principals = {"party.md": (user_principal(viewer.user_id),)}
    await factories.studied(stores, tools, viewer)
    assert await asked_of_guide(stores, viewer) == set(), "taken back, and told to one person alone"


async def test_only_what_speaks_of_the_news_is_read_again_and_what_is_deleted_tells_nothing_any_more(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = FILES | NEWS
    await factories.studied(stores, tools, viewer)
    assert await asked_of_guide(stores, viewer) == {GapKind.SUPERSEDED_BUT_CITED, GapKind.STALE_REFERENCE}
    async with tenant_transaction(stores.engine, viewer.tenant_id) as connection:
        rows = await connection.execute(sa.text("select id, external_id from documents order by id"))
        ids = {str(row.external_id): int(row.id) for row in rows}
    async with stores.open_vault(viewer) as vault:
        await vault.documents.delete([ids["new.md"], ids["party.md"]])
    again = [each async for each in examine(stores.open_vault, system_viewer(viewer.tenant_id), tools)]
    assert again == sorted([ids["guide.md"], ids["old.md"]]), "the lunch has nothing to do with it"
    assert await asked_of_guide(stores, viewer) == set()


async def test_knowing_what_documents_tell_reads_no_text_and_no_table_as_a_whole(
    stores: Stores, tools: Tools, crowded: Viewer
) -> None:
    tenant = crowded.tenant_id
    async with tenant_transaction(stores.engine, tenant) as connection:
        assert not (await connection.execute(sa.text("select usesuper from pg_user where usename = user"))).scalar()
        query = TidingStore(connection, crowded, WordAnalyzer()).query(["ADR-7", "Ruben Vance"])
        for statement, binds in (
            (TOLD, {"everyone": EVERYONE}),
            (KNOWN, {}),
            (CALL_AGAIN, {"tenant": tenant, "part": tenant % N_PARTS, "query": query}),
        ):
            rows = await connection.execute(sa.text(f"explain {statement}"), binds)
            plan = "\n".join(rows.scalars())
            for table in ("document_versions", "chunks", "chunk_index", "documents"):
                assert f"Seq Scan on {table} " not in plan, plan
        assert "chunk_index_tsv" in plan, plan
