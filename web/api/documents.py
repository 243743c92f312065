"""Documents: listed, read with their text, deleted."""

from typing import Annotated

import msgspec
from litestar import delete, get
from litestar.params import FromQuery, QueryParameter

from domain.documents import MAX_COUNTED, Document, LibraryFilter, LibrarySort
from domain.parsing import Block
from domain.vault import Vault
from web.api.requests import (
    AuthorFilter,
    Id,
    IntegrationFilter,
    Key,
    Limit,
    SinceFilter,
    TypeFilter,
    UntilFilter,
    narrowed,
    problems,
)
from web.narrowing import one_line
from web.numbers import MAX_NUMBER


class DocumentPage(msgspec.Struct, frozen=True):
    """One page of the library; `total` counts all that match, up to 1,000; then `is_total_exact` is false."""

    items: tuple[Document, ...]
    next_key: str
    total: int
    is_total_exact: bool = True


class DocumentText(msgspec.Struct, frozen=True):
    """A document with the text and structure of one of its versions; spans count characters of `text`."""

    document: Document
    version_id: int
    version_ordinal: int
    is_current: bool
    text: str
    blocks: tuple[Block, ...]
    metadata: dict[str, str]


@get(
    "/documents",
    tags=["Documents"],
    operation_id="listDocuments",
    summary="List documents",
    responses=problems(),
)
async def index(
    vault: Vault,
    text: Annotated[str, QueryParameter(max_length=200, description="Words the title holds.")] = "",
    integration: IntegrationFilter = None,
    media_type: TypeFilter = "",
    author: AuthorFilter = "",
    since: SinceFilter = None,
    until: UntilFilter = None,
    sort: FromQuery[LibrarySort] = LibrarySort.NEWEST,
    key: Key = "",
    limit: Limit = 20,
) -> DocumentPage:
    """Return the documents you may read, narrowed and ordered as you say."""
    within = narrowed(integration, media_type, author, since, until)
    library = msgspec.convert(within, LibraryFilter, from_attributes=True)
    library = msgspec.structs.replace(library, text=one_line(text))
    found = await vault.documents.page(library, sort, one_line(key, 300), limit)
    return DocumentPage(
        found.documents, found.next_key, min(found.total, MAX_COUNTED), is_total_exact=found.total <= MAX_COUNTED
    )


@get(
    "/documents/{document_id:int}",
    tags=["Documents"],
    operation_id="getDocument",
    summary="Read a document",
    responses=problems(404),
)
async def show(
    vault: Vault,
    document_id: Id,
    version: Annotated[
        int | None, QueryParameter(ge=1, le=MAX_NUMBER, description="The id of a version; the current one by default.")
    ] = None,
) -> DocumentText:
    """Return a document with its text; what a citation points at is `text[start:end]` of its version."""
    document = await vault.documents.get(document_id)
    read = await vault.documents.version(document_id, version)
    return DocumentText(document, read.id, read.ordinal, read.is_current, read.text, read.blocks, read.metadata)


@delete(
    "/documents/{document_id:int}",
    tags=["Documents"],
    operation_id="deleteDocument",
    summary="Delete a document",
    responses=problems(404),
)
async def remove(vault: Vault, document_id: Id) -> None:
    """Delete a document you may read; it is gone from search at once."""
    document = await vault.documents.get(document_id)
    await vault.documents.delete([document_id])
    await vault.audit.record("document.deleted", document.title)


routes = [index, show, remove]
