"""Uploaded files in a bucket: kept, read, refused when too large, and removed once nobody refers to them."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from domain import uploads
from domain.errors import NotFound, Unavailable
from domain.people import EVERYONE, Viewer
from domain.uploads import put_aside
from domain.vault import Tools
from infra.connectors.upload import UploadConnector
from infra.objects import BucketObjects
from infra.settings import BucketSettings
from infra.store import Stores
from infra.store.objects import remove_unused
from tests import factories
from tests.peers.rclone import KEY, SECRET, running_rclone

CONTENT = bytes(range(256)) * 50_000
"""12.8 MB: three parts of a multipart upload."""


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[BucketSettings, Path]]:
    folder = tmp_path_factory.mktemp("s3")
    (folder / "files").mkdir()
    with running_rclone("s3", folder) as store:
        yield BucketSettings("files", store.url, "us-east-1", KEY, SECRET), folder / "files"


@pytest.fixture
def objects(bucket: tuple[BucketSettings, Path]) -> BucketObjects:
    return BucketObjects(bucket[0])


async def parts(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 2**20):
        yield content[start : start + 2**20]


async def upload(stores: Stores, viewer: Viewer, objects: BucketObjects, name: str, content: bytes) -> int | None:
    async with stores.open_vault(viewer) as vault:
        keys = await vault.uploads.reserve(1)
    [stored] = await put_aside(objects, keys, [parts(content)])
    async with stores.open_vault(viewer) as vault:
        return (await vault.uploads.add(name, "", stored, (EVERYONE,))).blob_id


async def test_a_file_lies_in_the_bucket_and_is_read_back_by_any_instance(
    stores: Stores, viewer: Viewer, objects: BucketObjects, bucket: tuple[BucketSettings, Path]
) -> None:
    await upload(stores, viewer, objects, "bytes.bin", CONTENT)
    other_instance = BucketObjects(bucket[0])
    connector = UploadConnector(viewer, stores.open_vault, other_instance)
    [entry] = [entry async for page in connector.pages("") for entry in page.entries]
    assert await connector.fetch(entry) == CONTENT
    assert entry.size_bytes == len(CONTENT)
    [path] = [each for each in bucket[1].rglob("*") if each.is_file()]
    assert path.read_bytes() == CONTENT


async def test_a_file_over_the_limit_is_listed_and_kept_nowhere(
    stores: Stores, viewer: Viewer, objects: BucketObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MAX_FILE_BYTES", 2**20)
    assert await upload(stores, viewer, objects, "large.bin", CONTENT) is None


async def test_a_deleted_document_takes_its_file_along_and_what_was_never_committed_goes_too(
    stores: Stores, viewer: Viewer, tools: Tools, engine: AsyncEngine, objects: BucketObjects
) -> None:
    with_bucket = replace(
        tools, connect=lambda *_: UploadConnector(viewer, stores.open_vault, objects), objects=objects
    )
    await upload(stores, viewer, objects, "note.md", b"# Note\n\nKept in a bucket.")
    async with stores.open_vault(viewer) as vault:
        [lost] = await vault.uploads.reserve(1)
    await put_aside(objects, [lost], [parts(b"its process died before the commit")])
    synced = await factories.synced(stores, with_bucket, viewer)
    assert synced.progress.indexed == 1
    async with stores.open_vault(viewer) as vault:
        [upload_row] = await vault.uploads.after(0, 10)
        kept = await vault.uploads.object_key(upload_row.blob_id or 0)
        known = await vault.documents.known(synced.integration_id, [f"{upload_row.id}/note.md"])
        await vault.documents.delete([each.document_id for each in known.values()])
    assert [part async for part in objects.read(kept)], "the file goes with the next tidying, not before the commit"
    while await remove_unused(engine, objects, age_h=0):
        continue
    for key in (kept, lost):
        with pytest.raises(NotFound):
            _ = [part async for part in objects.read(key)]


async def test_a_bucket_that_is_away_is_said_to_be() -> None:
    away = BucketObjects(BucketSettings("files", "http://127.0.0.1:9", "us-east-1", KEY, SECRET))
    with pytest.raises(Unavailable, match="does not answer"):
        await away.put("key", parts(b"x"))
