"""Files that people uploaded, read back from the vault; archives and mails come with what they hold."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import islice

import msgspec

from domain.errors import NotFound, Unavailable
from domain.integrations import Connector, Entry, Gone, IntegrationKind, Item, Page, Unreadable
from domain.kinds import Kind
from domain.people import Viewer
from domain.uploads import MAX_FILE_BYTES, ObjectStore, Upload
from domain.vault import OpenVault
from infra.connectors.archives import HEAD_BYTES, Archive, entries, holds_attachments, is_container
from infra.connectors.kinds import Access, ConnectorKind

PAGE_SIZE = 50
"""Uploads in a page; an archive is listed in pages of its own, of as many members."""
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Opened:
    """An upload whose bytes are at hand."""

    upload: Upload
    content: bytes
    archive: Archive | None


class UploadConnector:
    """Reads a tenant's uploads in the order they came; the cursor is the id of the last one that was listed whole.

    External ids are the upload's id and name; what is packed in it follows behind "!", what is attached behind "#".
    """

    is_snapshot = False

    def __init__(self, viewer: Viewer, open_vault: OpenVault, objects: ObjectStore | None = None) -> None:
        self._viewer = viewer
        self._open_vault = open_vault
        self._objects = objects
        self._opened: Opened | None = None

    async def pages(self, cursor: str) -> AsyncIterator[Page]:
        """Yield what was uploaded since; an upload over the limit is listed as unreadable."""
        last_id, n_listed = int(cursor or 0), 0
        while True:
            async with self._open_vault(self._viewer) as vault:
                uploads = await vault.uploads.after(last_id, PAGE_SIZE)
                n_left = await vault.uploads.count_after(last_id)
            if not uploads:
                return
            for upload in uploads:
                async for part in self._listed(upload):
                    n_listed += len(part)
                    yield Page(part, cursor=str(last_id), total=n_listed + n_left - 1)
                last_id, n_left = upload.id, n_left - 1
            yield Page((), cursor=str(last_id), total=n_listed + n_left)

    async def again(self, external_ids: Sequence[str]) -> AsyncIterator[Page]:
        """Yield these items once more; those whose upload is gone come as Gone."""
        wanted = set(external_ids)
        async with self._open_vault(self._viewer) as vault:
            uploads = await vault.uploads.get_many(sorted({_upload_id(each) for each in wanted}))
        for upload in uploads:
            async for part in self._listed(upload):
                found = tuple(entry for entry in part if entry.external_id in wanted)
                wanted -= {entry.external_id for entry in found}
                yield Page(found, cursor="")
        yield Page(tuple(Gone(external_id) for external_id in sorted(wanted)), cursor="")

    async def fetch(self, item: Item) -> bytes:
        """Return an item's content. Raises: NotFound, Invalid."""
        opened = await self._open(_upload_id(item.external_id))
        member_id = item.external_id.removeprefix(_external_id(opened.upload))
        if not member_id:
            return opened.content
        if opened.archive is None:
            raise NotFound("This is not in the uploaded file any more.")
        return await asyncio.to_thread(opened.archive.read, member_id)

    async def _listed(self, upload: Upload) -> AsyncIterator[tuple[Entry, ...]]:
        external_id = _external_id(upload)
        if upload.blob_id is None:
            yield (Unreadable(external_id, upload.name, _too_large(upload.size_bytes)),)
            return
        head = await self._head(upload.blob_id)
        is_packed = is_container(upload.name, head)
        if not is_packed:
            yield (_item(upload, external_id),)
        if is_packed or holds_attachments(upload.name):
            content = await self._content(upload.blob_id)
            listed = entries(upload.name, content, external_id, lambda _: upload.principals, upload.blob_id)
            listed = (_uploaded_by(entry, upload) for entry in listed)
            while part := await asyncio.to_thread(lambda: tuple(islice(listed, PAGE_SIZE))):
                yield part

    async def _open(self, upload_id: int) -> "Opened":
        """Return an upload with its bytes; the last one stays open, since members come in order."""
        if self._opened is None or self._opened.upload.id != upload_id:
            async with self._open_vault(self._viewer) as vault:
                uploads = await vault.uploads.get_many([upload_id])
            if not uploads or uploads[0].blob_id is None:
                raise NotFound("The file's content is no longer kept. Upload it again.")
            content = await self._content(uploads[0].blob_id)
            name = uploads[0].name
            is_archive = is_container(name, content[:HEAD_BYTES]) or holds_attachments(name)
            archive = await asyncio.to_thread(Archive, name, content) if is_archive else None
            self._opened = Opened(uploads[0], content, archive)
        return self._opened

    async def _content(self, blob_id: int) -> bytes:
        return b"".join([part async for part in self._parts(blob_id)])

    async def _head(self, blob_id: int) -> bytes:
        async with aclosing(self._parts(blob_id)) as parts:
            async for part in parts:
                return part[:HEAD_BYTES]
        return b""

    async def _parts(self, blob_id: int) -> AsyncGenerator[bytes, None]:
        """Yield a file from wherever it is kept; no transaction is open while the object store is asked."""
        async with self._open_vault(self._viewer) as vault:
            key = await vault.uploads.object_key(blob_id)
            if not key:
                async for part in vault.uploads.read(blob_id):
                    yield part
                return
        if self._objects is None:
            raise Unavailable("This file lies in a bucket that is not set up here any more. Set S3_BUCKET again.")
        async for part in self._objects.read(key):
            yield part


def _item(upload: Upload, external_id: str) -> Item:
    return Item(
        external_id=external_id,
        name=upload.name,
        revision=upload.sha256,
        size_bytes=upload.size_bytes,
        media_type=upload.media_type,
        author=upload.uploaded_by,
        modified_at=upload.created_at,
        principals=upload.principals,
        blob_id=upload.blob_id,
    )


def _uploaded_by(entry: Entry, upload: Upload) -> Entry:
    """What knows neither its author nor its date has those of the upload."""
    if not isinstance(entry, Item):
        return entry
    return msgspec.structs.replace(
        entry, author=entry.author or upload.uploaded_by, modified_at=entry.modified_at or upload.created_at
    )


def _external_id(upload: Upload) -> str:
    return f"{upload.id}/{upload.name}"


def _upload_id(external_id: str) -> int:
    return int(external_id.partition("/")[0])


def _too_large(size_bytes: int) -> str:
    size, limit = size_bytes / MEBIBYTE, MAX_FILE_BYTES // MEBIBYTE
    return f"The file is {size:,.0f} MB large; up to {limit} MB can be read. Split it and upload the parts."


def _connect(access: Access) -> Connector:
    return UploadConnector(access.viewer, access.open_vault, access.reach.objects)


KIND = ConnectorKind(Kind(IntegrationKind.UPLOAD, "Uploaded files", "upload", n_readers=8), _connect)
