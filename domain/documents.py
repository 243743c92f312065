"""Documents, their versions and their structure: the text is kept once, and everything else points into it by span."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from domain.chunking import Chunk
from domain.embedding import Matrix
from domain.parsing import Block, ParsedDocument


class Document(msgspec.Struct, frozen=True):
    """A document of the library, as lists show it."""

    id: int
    integration_id: int
    integration_name: str
    external_id: str
    title: str
    media_type: str
    author: str
    url: str
    size_bytes: int
    n_chunks: int
    version_id: int
    version_ordinal: int
    created_at: datetime | None
    modified_at: datetime | None
    """When it was written and last changed at its source."""
    indexed_at: datetime


class DocumentVersion(msgspec.Struct, frozen=True):
    """One state of a document's content; citations point at versions, so a proof stays true after an edit."""

    id: int
    document_id: int
    ordinal: int
    text: str
    blocks: tuple[Block, ...]
    metadata: dict[str, str]
    is_current: bool
    created_at: datetime


class VersionSummary(msgspec.Struct, frozen=True):
    """A version without its text, for the list of versions."""

    id: int
    ordinal: int
    size_bytes: int
    created_at: datetime


class Known(msgspec.Struct, frozen=True):
    """What a sync needs to know of a document it meets again."""

    document_id: int
    revision: str
    content_hash: str
    principals: frozenset[str]
    indexed_sync_id: int | None
    """The sync that wrote its present version."""


class Kept(msgspec.Struct, frozen=True):
    """A document that a sync met unchanged; its revision at the source, and who may read it, may be new."""

    document_id: int
    revision: str
    principals: tuple[str, ...] | None = None
    """None: as before."""


class Incoming(msgspec.Struct, frozen=True):
    """A document as a sync brings it: where it comes from, what it says, who may read it."""

    integration_id: int
    sync_id: int
    external_id: str
    revision: str
    content_hash: str
    size_bytes: int
    url: str
    principals: tuple[str, ...]
    parsed: ParsedDocument
    blob_id: int | None = None


class Arrival(msgspec.Struct, frozen=True):
    """A document with its chunks and their vectors, (len(chunks), d) float32, unit norm."""

    incoming: Incoming
    chunks: Sequence[Chunk]
    vectors: Matrix
    next_vectors: Matrix | None = None
    """By the next model, where there is one."""


class LibraryFilter(msgspec.Struct, frozen=True):
    """What the library page is narrowed to; empty fields do not narrow."""

    text: str = ""
    integration_id: int | None = None
    media_type: str = ""
    author: str = ""
    since: datetime | None = None
    until: datetime | None = None


class LibrarySort(StrEnum):
    """How the library is ordered; ties are broken by id."""

    NEWEST = "newest"
    OLDEST = "oldest"
    TITLE = "title"


MAX_COUNTED = 1_000
"""Documents are counted up to one more than this, which stands for any larger number: people want no more exact one."""


class LibraryPage(msgspec.Struct, frozen=True):
    """One keyset page; `next_key` is empty on the last, `total` is at most MAX_COUNTED + 1."""

    documents: tuple[Document, ...]
    next_key: str
    total: int


class Facets(msgspec.Struct, frozen=True):
    """The values the library can be narrowed to, by name; of many authors the first few hundred."""

    integrations: tuple[tuple[int, str], ...]
    media_types: tuple[str, ...]
    authors: tuple[str, ...]


class Documents(Protocol):
    """The library of one tenant, as one viewer may see it. Nothing here shows a document the viewer may not read."""

    async def page(self, narrowed: LibraryFilter, sort: LibrarySort, key: str, size: int) -> LibraryPage:
        """Return the page after `key`. Raises: Invalid for a key that was not given out here."""

    async def newest(self, size: int) -> tuple[Document, ...]:
        """Return the newest documents, without counting how many there are besides."""

    async def facets(self) -> Facets:
        """Return what the library holds, by integration, type and author."""

    async def count(self) -> int:
        """Return how many documents the viewer may see, at most MAX_COUNTED + 1."""

    async def get(self, document_id: int) -> Document:
        """Return one document. Raises: NotFound."""

    async def get_many(self, document_ids: Sequence[int]) -> list[Document]:
        """Return those among these that the viewer may see, in order of id."""

    async def version(self, document_id: int, version_id: int | None = None) -> DocumentVersion:
        """Return a version, the current one by default. Raises: NotFound."""

    async def versions(self, document_id: int) -> list[VersionSummary]:
        """Return the versions of a document, newest first."""

    async def principals(self, document_id: int) -> tuple[str, ...]:
        """Return who may read a document."""

    async def delete(self, document_ids: Sequence[int]) -> int:
        """Delete the documents the viewer may see among these, out of search in this transaction; return how many."""

    async def known(self, integration_id: int, external_ids: Sequence[str]) -> dict[str, Known]:
        """Return what is held of these items, by external id; unknown ones are absent."""

    async def keep(self, sync_id: int, kept: Sequence[Kept]) -> None:
        """Mark unchanged documents as seen by this sync, and bring their revision and access up to date."""

    async def put(self, arrivals: Sequence[Arrival]) -> list[int]:
        """Insert documents of one integration, or make new versions of them; return their ids, in the same order.

        No external id comes twice. Chunks, search index and access are replaced in this transaction, so readers see
        the old documents or the new ones, never a mixture.
        """

    async def remove(self, integration_id: int, external_ids: Sequence[str]) -> int:
        """Delete what has vanished at its source; return how many documents that were."""

    async def listed(self, integration_id: int, prefix: str) -> list[str]:
        """Return the external ids of an integration that begin with a prefix, in order."""

    async def vectors_by_hash(self, hashes: Sequence[bytes], model: str) -> Mapping[bytes, Matrix]:
        """Return stored vectors of one model, by its label, (d,) float32 each, for chunk texts embedded before."""

    async def settle(self) -> bool:
        """Bring stored word weights up to date with the tenant's mean chunk length, a batch a call, until False."""

    async def neighbours(self, document_id: int, limit: int) -> list[Document]:
        """Return the documents most similar in meaning, nearest first."""
