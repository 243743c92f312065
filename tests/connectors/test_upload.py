"""Uploaded files as a source: archives come with what they hold, and nothing is kept that was deleted."""

import dataclasses
import io
import zipfile
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from domain.documents import LibraryFilter, LibrarySort
from domain.integrations import IntegrationKind
from domain.people import EVERYONE, Viewer, system_viewer
from domain.syncs import Sync, Trigger
from domain.uploads import MAX_FILE_BYTES
from domain.vault import Tools
from infra.connectors.upload import UploadConnector
from infra.database import tenant_transaction
from infra.store import Stores
from infra.worker import run_sync
from tests import factories

MAIL = b"""From: Ann Lee <ann@acme.example>
Subject: Costs
Date: Thu, 12 Mar 2026 08:31:00 +0000
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

The costs are attached.
--b
Content-Type: text/csv; name=costs.csv
Content-Disposition: attachment; filename=costs.csv

what,euros
paint,40
--b--
"""


async def parts(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 1024):
        yield content[start : start + 1024]


async def upload(stores: Stores, viewer: Viewer, name: str, content: bytes, *principals: str) -> None:
    async with stores.open_vault(viewer) as vault:
        await vault.uploads.add(name, "", parts(content), principals or (EVERYONE,))


async def synced(stores: Stores, tools: Tools, viewer: Viewer) -> Sync:
    async with stores.open_vault(viewer) as vault:
        integration = await vault.integrations.find(IntegrationKind.UPLOAD, "Uploads")
        integration = integration or await vault.integrations.add(IntegrationKind.UPLOAD, "Uploads", {}, None)
        sync = await vault.syncs.request(integration.id, Trigger.IMPORT)
    tools = dataclasses.replace(tools, connect=lambda _, system, open_vault: UploadConnector(system, open_vault))
    finished = await run_sync(stores.open_vault, tools, system_viewer(viewer.tenant_id), sync.id)
    assert finished is not None
    return finished


async def titles(stores: Stores, viewer: Viewer) -> set[str]:
    async with stores.open_vault(viewer) as vault:
        page = await vault.documents.page(LibraryFilter(), LibrarySort.TITLE, "", 100)
    return {document.title for document in page.documents}


def zipped(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return packed.getvalue()


async def test_each_file_of_a_zip_becomes_a_document(stores: Stores, tools: Tools, viewer: Viewer) -> None:
    packed = zipped(**{"a.md": b"# Alpha\n\nText.", "sub__b.md": b"# Beta\n\nText.", "c.bin": b"\x00\x01\x02\x03"})
    await upload(stores, viewer, "papers.zip", packed)
    sync = await synced(stores, tools, viewer)
    assert await titles(stores, viewer) == {"Alpha", "Beta"}
    assert (sync.progress.indexed, sync.progress.failed) == (2, 1)


async def test_a_mail_comes_with_its_attachment(stores: Stores, tools: Tools, viewer: Viewer) -> None:
    await upload(stores, viewer, "costs.eml", MAIL)
    await synced(stores, tools, viewer)
    assert await titles(stores, viewer) == {"Costs", "costs"}


async def test_a_second_sync_reads_only_what_came_since(stores: Stores, tools: Tools, viewer: Viewer) -> None:
    await upload(stores, viewer, "a.md", b"# Alpha\n\nText.")
    await synced(stores, tools, viewer)
    await upload(stores, viewer, "b.md", b"# Beta\n\nText.")
    sync = await synced(stores, tools, viewer)
    assert (sync.progress.found, sync.progress.indexed) == (1, 1)
    assert await titles(stores, viewer) == {"Alpha", "Beta"}


async def test_a_file_over_the_limit_is_listed_with_its_size_and_not_kept(
    stores: Stores, tools: Tools, viewer: Viewer
) -> None:
    async def large() -> AsyncIterator[bytes]:
        for _ in range(2 * MAX_FILE_BYTES // 2**20):
            yield bytes(2**20)

    async with stores.open_vault(viewer) as vault:
        kept = await vault.uploads.add("film.mov", "", large(), (EVERYONE,))
    sync = await synced(stores, tools, viewer)
    async with stores.open_vault(viewer) as vault:
        failures = await vault.syncs.failures(sync.integration_id, 0, 5)
    assert kept.blob_id is None
    assert [failure.name for failure in failures] == ["film.mov"]
    assert "200 MB" in failures[0].reason


@pytest.mark.parametrize("name", ["a!b#c.md", "🦊" * 75 + ".md", "weird.zip!x.md"])
async def test_no_name_confuses_the_source(stores: Stores, tools: Tools, viewer: Viewer, name: str) -> None:
    await upload(stores, viewer, name, b"# Gamma\n\nText.")
    sync = await synced(stores, tools, viewer)
    assert (sync.progress.indexed, sync.progress.failed) == (1, 0)


async def test_what_one_uploads_for_oneself_nobody_else_sees(stores: Stores, tools: Tools, viewer: Viewer) -> None:
    await upload(stores, viewer, "diary.md", b"# Diary\n\nText.", f"user:{viewer.user_id}")
    await synced(stores, tools, viewer)
    colleague = await factories.member(stores.engine, viewer.tenant_id)
    assert await titles(stores, viewer) == {"Diary"}
    assert await titles(stores, colleague) == set()


async def test_who_deletes_a_document_deletes_its_file(stores: Stores, tools: Tools, viewer: Viewer) -> None:
    await upload(stores, viewer, "papers.zip", zipped(**{"a.md": b"# Alpha\n\nText.", "b.md": b"# Beta\n\nText."}))
    sync = await synced(stores, tools, viewer)
    kept = []
    for external_id in ("a.md", "b.md"):
        async with stores.open_vault(viewer) as vault:
            known = await vault.documents.known(sync.integration_id, [f"{await _first(stores, viewer)}!{external_id}"])
            await vault.documents.delete([each.document_id for each in known.values()])
        async with tenant_transaction(stores.engine, viewer.tenant_id) as connection:
            kept.append((await connection.execute(sa.text("select count(*) from blobs"))).scalar_one())
    assert kept == [1, 0]


async def _first(stores: Stores, viewer: Viewer) -> str:
    async with tenant_transaction(stores.engine, viewer.tenant_id) as connection:
        rows = await connection.execute(sa.text("select split_part(external_id, '!', 1) from documents limit 1"))
        return str(rows.scalar_one())
