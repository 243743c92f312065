"""Uploaded files in an S3-compatible bucket, where the operator has set one up; any instance reads them."""

from collections.abc import AsyncIterator, Sequence

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from domain.errors import NotFound, Unavailable
from infra.settings import BucketSettings

PART_BYTES = 5 * 1024 * 1024
"""The least S3 takes as a part of a larger file."""
AWAY = "The store for uploaded files does not answer. Nothing was lost; try again in a few minutes."
GONE = "The file's content is no longer kept."


class BucketObjects:
    """Keeps files in one bucket, under keys that begin with the tenant's number."""

    def __init__(self, settings: BucketSettings) -> None:
        self._store = S3Store(
            settings.bucket,
            endpoint=settings.endpoint or None,
            region=settings.region,
            access_key_id=settings.access_key_id,
            secret_access_key=settings.secret_access_key,
            virtual_hosted_style_request=not settings.endpoint,
            client_options={"allow_http": settings.endpoint.startswith("http://")},
            retry_config={"max_retries": 3},
        )

    async def put(self, key: str, parts: AsyncIterator[bytes]) -> None:
        """See `domain.uploads.ObjectStore`."""
        try:
            await obstore.put_async(self._store, key, parts, chunk_size=PART_BYTES)
        except BaseError as error:
            raise Unavailable(AWAY) from error

    async def read(self, key: str) -> AsyncIterator[bytes]:
        """See `domain.uploads.ObjectStore`."""
        try:
            found = await obstore.get_async(self._store, key)
            async for part in found.stream(min_chunk_size=PART_BYTES):
                yield bytes(part)
        except FileNotFoundError as error:
            raise NotFound(GONE) from error
        except BaseError as error:
            raise Unavailable(AWAY) from error

    async def remove(self, keys: Sequence[str]) -> None:
        """See `domain.uploads.ObjectStore`."""
        for key in keys:
            try:
                await obstore.delete_async(self._store, key)
            except FileNotFoundError:
                continue
            except BaseError as error:
                raise Unavailable(AWAY) from error
