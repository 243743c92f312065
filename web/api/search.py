"""Search, for scripts."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import get
from litestar.params import QueryParameter

from domain.retrieval import Hit, Marked, search
from domain.vault import Tools, Vault
from web.api.requests import (
    AuthorFilter,
    IntegrationFilter,
    Key,
    SinceFilter,
    TypeFilter,
    UntilFilter,
    narrowed,
    problems,
)
from web.narrowing import one_line


class FoundPassage(msgspec.Struct, frozen=True):
    """A passage that matches: `text` is `start` to `end` of its version; `marks` are spans in `text`."""

    version_id: int
    start: int
    end: int
    text: str
    heading_path: tuple[str, ...]
    page: int | None
    marks: tuple[tuple[int, int], ...]


class FoundDocument(msgspec.Struct, frozen=True):
    """A document that matches, with its best passages; scores compare within one search only."""

    document_id: int
    title: str
    integration_name: str
    media_type: str
    author: str
    url: str
    modified_at: datetime | None
    score: float
    passages: tuple[FoundPassage, ...]


class SearchPage(msgspec.Struct, frozen=True):
    """One page of results, best first."""

    items: tuple[FoundDocument, ...]
    next_key: str
    n_documents: int


@get("/search", tags=["Search"], operation_id="search", summary="Search", responses=problems(503))
async def index(
    vault: Vault,
    tools: Tools,
    q: Annotated[
        str, QueryParameter(description="Words or a question; what is over 1,000 characters is left out.")
    ] = "",
    integration: IntegrationFilter = None,
    media_type: TypeFilter = "",
    author: AuthorFilter = "",
    since: SinceFilter = None,
    until: UntilFilter = None,
    key: Key = "",
    limit: Annotated[int, QueryParameter(ge=1, le=50, description="How many documents a page has.")] = 10,
) -> SearchPage:
    """Return the documents whose words or meaning match, each with its best passages."""
    within = narrowed(integration, media_type, author, since, until)
    results = await search(vault, tools, q, within, one_line(key), limit)
    return SearchPage(tuple(_found(hit) for hit in results.hits), results.next_key, results.n_documents)


def _found(hit: Hit) -> FoundDocument:
    return FoundDocument(
        document_id=hit.document_id,
        title=hit.title,
        integration_name=hit.integration_name,
        media_type=hit.media_type,
        author=hit.author,
        url=hit.url,
        modified_at=hit.modified_at,
        score=hit.score,
        passages=tuple(_passage(marked) for marked in hit.passages),
    )


def _passage(marked: Marked) -> FoundPassage:
    passage = marked.passage
    return FoundPassage(
        version_id=passage.version_id,
        start=passage.start,
        end=passage.end,
        text=passage.text,
        heading_path=passage.heading_path,
        page=passage.page,
        marks=marked.marks,
    )


routes = [index]
