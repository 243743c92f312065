"""Uploaded files, in Postgres in parts of at most a mebibyte, or under a key in an object store.

Either way any instance can read what another took in.
"""

import hashlib
from collections.abc import AsyncIterator, Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import NotFound
from domain.people import Viewer
from domain.uploads import MAX_FILE_BYTES, Stored, Upload

COLUMNS = "id, name, media_type, size_bytes, sha256, blob_id, principals, uploaded_by, created_at"


class _Kept(msgspec.Struct, frozen=True):
    """A file as it was kept, or only measured."""

    blob_id: int | None
    size_bytes: int
    sha256: str


class UploadStore:
    """The uploaded files of one tenant."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer) -> None:
        self._connection = connection
        self._viewer = viewer

    async def add(
        self, name: str, media_type: str, content: AsyncIterator[bytes] | Stored, principals: Sequence[str]
    ) -> Upload:
        kept = await (self._adopt(content) if isinstance(content, Stored) else self._take_in(content))
        rows = await self._connection.execute(
            sa.text(
                "insert into uploads"
                " (tenant_id, name, media_type, size_bytes, sha256, blob_id, principals, uploaded_by)"
                f" values (:tenant, :name, :media_type, :size, :sha256, :blob, :principals, :by) returning {COLUMNS}"
            ),
            {
                "tenant": self._viewer.tenant_id,
                "name": name.replace("\0", "")[:1000],
                "media_type": media_type[:200],
                "size": kept.size_bytes,
                "sha256": kept.sha256,
                "blob": kept.blob_id,
                "principals": list(principals),
                "by": self._viewer.name,
            },
        )
        return _upload(rows.one())

    async def reserve(self, n_keys: int) -> list[str]:
        rows = await self._connection.execute(
            sa.text(
                "insert into unused_objects (key)"
                " select format('%s/%s', cast(:tenant as bigint), gen_random_uuid()) from generate_series(1, :n)"
                " returning key"
            ),
            {"tenant": self._viewer.tenant_id, "n": n_keys},
        )
        return list(rows.scalars())

    async def object_key(self, blob_id: int) -> str:
        rows = await self._connection.execute(sa.text("select object_key from blobs where id = :id"), {"id": blob_id})
        key: str | None = rows.scalar_one_or_none()
        if key is None:
            raise NotFound("The file's content is no longer kept.")
        return key

    async def _adopt(self, stored: Stored) -> "_Kept":
        """List a file of the object store; from now on its key is in use."""
        if not stored.key:
            return _Kept(None, stored.size_bytes, stored.sha256)
        await self._connection.execute(sa.text("delete from unused_objects where key = :key"), {"key": stored.key})
        rows = await self._connection.execute(
            sa.text(
                "insert into blobs (tenant_id, size_bytes, sha256, object_key)"
                " values (:tenant, :size, :sha256, :key) returning id"
            ),
            {
                "tenant": self._viewer.tenant_id,
                "size": stored.size_bytes,
                "sha256": stored.sha256,
                "key": stored.key,
            },
        )
        return _Kept(int(rows.scalar_one()), stored.size_bytes, stored.sha256)

    async def _take_in(self, parts: AsyncIterator[bytes]) -> "_Kept":
        blob_id: int | None = await self._add_blob()
        digest, size_bytes = hashlib.sha256(), 0
        async for ordinal, part in _numbered(parts):
            size_bytes += len(part)
            digest.update(part)
            if size_bytes <= MAX_FILE_BYTES:
                await self._add_part(blob_id, ordinal, part)
        if size_bytes > MAX_FILE_BYTES:
            await self._connection.execute(sa.text("delete from blobs where id = :id"), {"id": blob_id})
            blob_id = None
        else:
            await self._connection.execute(
                sa.text("update blobs set size_bytes = :size, sha256 = :sha256 where id = :id"),
                {"id": blob_id, "size": size_bytes, "sha256": digest.hexdigest()},
            )
        return _Kept(blob_id, size_bytes, digest.hexdigest())

    async def after(self, upload_id: int, limit: int) -> list[Upload]:
        rows = await self._connection.execute(
            sa.text(f"select {COLUMNS} from uploads where id > :id order by id limit :limit"),
            {"id": upload_id, "limit": limit},
        )
        return [_upload(row) for row in rows]

    async def get_many(self, upload_ids: Sequence[int]) -> list[Upload]:
        rows = await self._connection.execute(
            sa.text(f"select {COLUMNS} from uploads where id = any(:ids) order by id"), {"ids": list(upload_ids)}
        )
        return [_upload(row) for row in rows]

    async def count_after(self, upload_id: int) -> int:
        rows = await self._connection.execute(sa.text("select count(*) from uploads where id > :id"), {"id": upload_id})
        return int(rows.scalar_one())

    async def read(self, blob_id: int) -> AsyncIterator[bytes]:
        ordinal = 0
        while True:
            rows = await self._connection.execute(
                sa.text("select bytes from blob_parts where blob_id = :id and ordinal = :ordinal"),
                {"id": blob_id, "ordinal": ordinal},
            )
            part = rows.scalar_one_or_none()
            if part is None:
                break
            yield part
            ordinal += 1
        if ordinal == 0 and not await self._is_blob(blob_id):
            raise NotFound("The file's content is no longer kept.")

    async def _is_blob(self, blob_id: int) -> bool:
        rows = await self._connection.execute(sa.text("select 1 from blobs where id = :id"), {"id": blob_id})
        return rows.one_or_none() is not None

    async def _add_blob(self) -> int:
        rows = await self._connection.execute(
            sa.text("insert into blobs (tenant_id, size_bytes, sha256) values (:tenant, 0, '') returning id"),
            {"tenant": self._viewer.tenant_id},
        )
        return int(rows.scalar_one())

    async def _add_part(self, blob_id: int | None, ordinal: int, part: bytes) -> None:
        await self._connection.execute(
            sa.text(
                "insert into blob_parts (tenant_id, blob_id, ordinal, bytes) values (:tenant, :blob, :ordinal, :part)"
            ),
            {"tenant": self._viewer.tenant_id, "blob": blob_id, "ordinal": ordinal, "part": part},
        )


async def remove_unused_blobs(connection: AsyncConnection, blob_ids: Sequence[int]) -> None:
    """Remove the content of uploads of which no document is left: who deletes a document deletes its file."""
    binds = {"ids": list(blob_ids)}
    await connection.execute(
        sa.text(
            "delete from uploads u where u.blob_id = any(:ids)"
            " and not exists (select from documents d where d.blob_id = u.blob_id)"
        ),
        binds,
    )
    await connection.execute(
        sa.text(
            "delete from blobs b where b.id = any(:ids) and not exists (select from uploads u where u.blob_id = b.id)"
        ),
        binds,
    )


async def _numbered(parts: AsyncIterator[bytes]) -> AsyncIterator[tuple[int, bytes]]:
    ordinal = 0
    async for part in parts:
        if part:
            yield ordinal, part
            ordinal += 1


def _upload(row: sa.Row[tuple[object, ...]]) -> Upload:
    return msgspec.convert(dict(row._mapping), Upload)
