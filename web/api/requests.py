"""What the calls of the API share: parameters with their limits, pages of lists, problems with what was sent."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from litestar import Request, Response
from litestar.exceptions import ValidationException
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import PathParameter, QueryParameter

from domain.search import SearchFilter
from web.errors import problem
from web.narrowing import make_filter
from web.numbers import MAX_NUMBER

T = TypeVar("T")
NAMES = {"media_type": "type"}
"""Parameters that are called otherwise in our code, since Python has taken their names."""

Id = Annotated[int, PathParameter(ge=1, le=MAX_NUMBER)]
Key = Annotated[
    str, QueryParameter(max_length=300, description="`next_key` of the page before; empty for the first page.")
]
Limit = Annotated[int, QueryParameter(ge=1, le=100, description="How many items a page has.")]
IntegrationFilter = Annotated[
    int | None,
    QueryParameter(ge=1, le=MAX_NUMBER, description="Only documents of this integration."),
]
TypeFilter = Annotated[str, QueryParameter(name="type", max_length=200, description="Only this media type.")]
AuthorFilter = Annotated[str, QueryParameter(max_length=200, description="Only this author.")]
SinceFilter = Annotated[date | None, QueryParameter(description="Changed on this day or later (UTC).")]
UntilFilter = Annotated[date | None, QueryParameter(description="Changed on this day or earlier (UTC).")]


class Items(msgspec.Struct, Generic[T], frozen=True):
    """One page of a list; `next_key` is empty on the last."""

    items: tuple[T, ...]
    next_key: str = ""


class Problem(msgspec.Struct, frozen=True):
    """What went wrong (RFC 9457), and what to do; `errors` has a message per field where one is to blame."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    errors: dict[str, str] = {}


PROBLEMS: Mapping[int, ResponseSpec] = {
    status: ResponseSpec(Problem, generate_examples=False, description=words, media_type="application/problem+json")
    for status, words in (
        (401, "Nobody is signed in"),
        (403, "Not allowed, or the CSRF header is missing"),
        (404, "It does not exist, or is not shared with you"),
        (409, "It clashes with how things stand"),
        (422, "A value cannot be used"),
        (429, "Too many requests; `Retry-After` says in how many seconds to go on"),
        (503, "A part that is needed does not answer; try again"),
    )
}


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """Return the descriptions of these problems, and of those that any call can meet."""
    return {status: PROBLEMS[status] for status in (*statuses, 401, 403, 422, 429)}


def narrowed(
    integration: int | None, media_type: str, author: str, since: date | None, until: date | None
) -> SearchFilter:
    """Return the filter that these parameters stand for."""
    return make_filter(integration, media_type, author, since, until)


def answer_invalid_values(request: Request[Any, Any, Any], error: ValidationException) -> Response[Any]:
    """Answer values outside of their limits, or of another type, with a message for each."""
    found = error.extra if isinstance(error.extra, list) else []
    named = {str(one.get("key", "body")): str(one.get("message", "")) for one in found if isinstance(one, dict)}
    fields = {NAMES.get(name, name): message for name, message in named.items()}
    detail = "Some values cannot be used. Mend them, then send the request again."
    return problem(request, 422, detail, fields or {"body": error.detail})


def page_of(items: Sequence[T], next_key: str = "") -> Items[T]:
    """Return a page of a list."""
    return Items(tuple(items), next_key)
