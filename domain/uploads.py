"""Files that people bring in themselves: their bytes are kept in the vault, so any worker can read them."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

MAX_FILE_BYTES = 100 * 1024 * 1024
"""Larger files are listed as failures, never read whole."""


class Upload(msgspec.Struct, frozen=True):
    """One uploaded file; `blob_id` is None when it was over the limit, and only its size is known."""

    id: int
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    blob_id: int | None
    principals: tuple[str, ...]
    uploaded_by: str
    created_at: datetime


class Stored(msgspec.Struct, frozen=True):
    """A file that lies in the object store; `key` is "" when it was over the limit, and is kept nowhere."""

    key: str
    size_bytes: int
    sha256: str


class ObjectStore(Protocol):
    """Keeps files outside Postgres, where the operator has set up a bucket for them; shared by all instances."""

    async def put(self, key: str, parts: AsyncIterator[bytes]) -> None:
        """Keep a file as it streams in. Raises: Unavailable."""

    def read(self, key: str) -> AsyncIterator[bytes]:
        """Yield a file in parts. Raises: NotFound, Unavailable."""

    async def remove(self, keys: Sequence[str]) -> None:
        """Remove files; what is not there is as good as removed. Raises: Unavailable."""


class Uploads(Protocol):
    """The uploaded files of one tenant."""

    async def add(
        self, name: str, media_type: str, content: "AsyncIterator[bytes] | Stored", principals: Sequence[str]
    ) -> Upload:
        """Store a file as it streams in, or list one that was put aside.

        Over MAX_FILE_BYTES its bytes are dropped, the upload is still listed.
        """

    async def reserve(self, n_keys: int) -> list[str]:
        """Return that many keys for the object store; a file under a key that is never added is removed in time."""

    async def object_key(self, blob_id: int) -> str:
        """Return the key of a blob in the object store, or "" when its bytes are here. Raises: NotFound."""

    async def after(self, upload_id: int, limit: int) -> list[Upload]:
        """Return uploads with a higher id, in order of id."""

    async def get_many(self, upload_ids: Sequence[int]) -> list[Upload]:
        """Return those that exist, in order of id."""

    async def count_after(self, upload_id: int) -> int:
        """Return how many uploads have a higher id."""

    def read(self, blob_id: int) -> AsyncIterator[bytes]:
        """Yield a blob's bytes in parts. Raises: NotFound."""


async def put_aside(objects: ObjectStore, keys: Sequence[str], files: Sequence[AsyncIterator[bytes]]) -> list[Stored]:
    """Stream files into the object store, one for each key, in order; no transaction is to be open meanwhile.

    Raises: Unavailable.
    """
    return [await _put(objects, key, _Measured(parts)) for key, parts in zip(keys, files, strict=True)]


async def _put(objects: ObjectStore, key: str, parts: "_Measured") -> Stored:
    await objects.put(key, parts.within_limit())
    if parts.size_bytes > MAX_FILE_BYTES:
        await objects.remove([key])
        return Stored("", parts.size_bytes, parts.digest.hexdigest())
    return Stored(key, parts.size_bytes, parts.digest.hexdigest())


class _Measured:
    """The parts of a file, measured as they pass."""

    def __init__(self, parts: AsyncIterator[bytes]) -> None:
        self._parts = parts
        self.size_bytes = 0
        self.digest = hashlib.sha256()

    async def within_limit(self) -> AsyncIterator[bytes]:
        """Yield what fits; the rest is measured only."""
        async for part in self._parts:
            self.size_bytes += len(part)
            self.digest.update(part)
            if self.size_bytes <= MAX_FILE_BYTES:
                yield part
