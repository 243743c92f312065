"""What the address of the library page asks for: a filter, an order, a page; and the addresses its links lead to."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from domain.documents import Facets, LibraryFilter, LibrarySort
from web.filters import media_type
from web.narrowing import day_end, day_start, path_with
from web.numbers import whole_number

PATH = "/documents"
FIELDS = ("text", "integration", "type", "author", "since", "until", "sort")
SORTS = {LibrarySort.NEWEST: "Newest first", LibrarySort.OLDEST: "Oldest first", LibrarySort.TITLE: "By title"}
MAX_TEXT = 200


class LibraryQuery(msgspec.Struct, frozen=True):
    """The library page's address, read; `entered` is as it stands there, for the form."""

    narrowed: LibraryFilter
    sort: LibrarySort
    key: str
    entered: dict[str, str]

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is filtered away."""
        return self.narrowed != LibraryFilter()

    @property
    def is_narrowed_closely(self) -> bool:
        """Whether anything but words of the title is filtered by, so that those fields should be in sight."""
        return msgspec.structs.replace(self.narrowed, text="") != LibraryFilter()

    def path(self, **changes: str) -> str:
        """Return the address with some fields changed, from its first page on unless `key` is given."""
        wanted = {**self.entered, **changes}
        return path_with(PATH, {**wanted, "sort": "" if wanted["sort"] == LibrarySort.NEWEST else wanted["sort"]})


class Choice(msgspec.Struct, frozen=True):
    """One value that the library can be narrowed to."""

    value: str
    words: str


class Choices(msgspec.Struct, frozen=True):
    """What the fields of the filter offer."""

    integrations: tuple[Choice, ...]
    types: tuple[Choice, ...]
    authors: tuple[Choice, ...]

    @property
    def is_empty(self) -> bool:
        """Whether the library holds nothing at all."""
        return not self.integrations


def read_query(parameters: Mapping[str, Any]) -> LibraryQuery:
    """Return what an address asks for; what cannot be understood in it does not narrow."""
    entered = {name: str(parameters.get(name, "")).replace("\0", "").strip()[:MAX_TEXT] for name in FIELDS}
    narrowed = LibraryFilter(
        text=entered["text"],
        integration_id=whole_number(entered["integration"]),
        media_type=entered["type"],
        author=entered["author"],
        since=day_start(day(entered["since"])),
        until=day_end(day(entered["until"])),
    )
    sort = LibrarySort(entered["sort"]) if entered["sort"] in set(LibrarySort) else LibrarySort.NEWEST
    return LibraryQuery(narrowed, sort, str(parameters.get("key", "")).replace("\0", ""), entered)


def choices(facets: Facets) -> Choices:
    """Return the facets as the fields of the form offer them."""
    return Choices(
        tuple(Choice(str(number), name) for number, name in facets.integrations),
        tuple(Choice(value, media_type(value)) for value in facets.media_types),
        tuple(Choice(author, author) for author in facets.authors),
    )


def day(text: str) -> date | None:
    """Return a day written as 2026-05-31; None for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
