"""A library of any size: counts that end, and facets that name only what the viewer may read."""

import sqlalchemy as sa

from domain.documents import MAX_COUNTED, LibraryFilter, LibrarySort
from domain.people import EVERYONE, Viewer
from domain.vault import Tools
from infra.database import tenant_transaction
from infra.store import Stores
from tests import factories
from tests.factories import Source
from web.filters import counted, figure

PLANT = (
    "insert into integrations (tenant_id, kind, name) values (:tenant, 'folder', 'Crowd')",
    "insert into documents (tenant_id, integration_id, external_id, title, media_type, author, size_bytes,"
    " content_hash, version_id, version_ordinal, sorted_at)"
    " select :tenant, i.id, n::text, 'Note', 'text/plain', 'Author ' || n % 3, 1, '', n, 1, now()"
    " from integrations i, generate_series(1, 1200) n where i.tenant_id = :tenant",
    "insert into document_access select tenant_id, id, case author when 'Author 2' then 'user:0' else :everyone end"
    " from documents where tenant_id = :tenant",
)


async def test_more_documents_than_people_count_are_more_than_a_thousand(stores: Stores, viewer: Viewer) -> None:
    async with tenant_transaction(stores.engine, viewer.tenant_id) as connection:
        for statement in PLANT[:2]:
            await connection.execute(sa.text(statement), {"tenant": viewer.tenant_id})
        await connection.execute(
            sa.text("insert into document_access select tenant_id, id, 'tenant' from documents where tenant_id = :t"),
            {"t": viewer.tenant_id},
        )
    async with stores.open_vault(viewer) as vault:
        page = await vault.documents.page(LibraryFilter(), LibrarySort.NEWEST, "", 10)
        few = await vault.documents.page(LibraryFilter(author="Author 1"), LibrarySort.NEWEST, "", 10)
        [integration] = await vault.integrations.all()
        assert await vault.documents.count() == page.total == integration.n_documents == MAX_COUNTED + 1
    assert few.total == 400
    assert (counted(page.total, "document"), figure(page.total)) == ("more than 1,000 documents", "1,000+")
    assert (counted(1, "document"), figure(few.total)) == ("1 document", "400")


async def test_facets_name_each_value_once_by_name_and_none_that_only_others_may_read(
    stores: Stores, viewer: Viewer
) -> None:
    async with tenant_transaction(stores.engine, viewer.tenant_id) as connection:
        for statement in PLANT:
            await connection.execute(sa.text(statement), {"tenant": viewer.tenant_id, "everyone": EVERYONE})
    async with stores.open_vault(viewer) as vault:
        facets = await vault.documents.facets()
        [integration] = await vault.integrations.all()
    assert facets.integrations == ((integration.id, "Crowd"),)
    assert facets.media_types == ("text/plain",)
    assert facets.authors == ("Author 0", "Author 1")


async def test_a_document_without_an_author_names_none(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = {"a.md": "# A\n\nText."}
    await factories.synced(stores, tools, viewer)
    async with stores.open_vault(await factories.member(stores.engine, viewer.tenant_id)) as vault:
        facets = await vault.documents.facets()
    assert (facets.authors, facets.media_types) == ((), ("text/markdown",))
