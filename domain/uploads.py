"""Files that people bring in themselves: their bytes are kept in the vault, so any worker can read them."""

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


class Uploads(Protocol):
    """The uploaded files of one tenant."""

    async def add(self, name: str, media_type: str, parts: AsyncIterator[bytes], principals: Sequence[str]) -> Upload:
        """Store a file as it streams in. Over MAX_FILE_BYTES its bytes are dropped, the upload is still listed."""

    async def after(self, upload_id: int, limit: int) -> list[Upload]:
        """Return uploads with a higher id, in order of id."""

    async def get_many(self, upload_ids: Sequence[int]) -> list[Upload]:
        """Return those that exist, in order of id."""

    async def count_after(self, upload_id: int) -> int:
        """Return how many uploads have a higher id."""

    def read(self, blob_id: int) -> AsyncIterator[bytes]:
        """Yield a blob's bytes in parts. Raises: NotFound."""
