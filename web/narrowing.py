"""Filters as they stand in an address: read into what the domain searches by, and written back into links."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

from domain.errors import Invalid
from domain.search import SearchFilter
from web.numbers import whole_number

FILTER_NAMES = ("integration", "type", "author", "since", "until")
MAX_WORDS = 200
NO_SUCH_DAY = "Write a day as 2026-05-31, or leave the field empty."


def read_filter(given: Mapping[str, str]) -> SearchFilter:
    """Return the filter that these values of an address stand for. Raises: Invalid, with a message per field."""
    errors: dict[str, str] = {}
    days: dict[str, date | None] = {"since": None, "until": None}
    for name in days:
        try:
            days[name] = date.fromisoformat(given[name]) if given.get(name) else None
        except ValueError:
            errors[name] = NO_SUCH_DAY
    integration_id = whole_number(given.get("integration", ""))
    if given.get("integration") and integration_id is None:
        errors["integration"] = "Choose a source from the list."
    if errors:
        raise Invalid("One of the filters cannot be used. Mend or remove it.", errors)
    return make_filter(
        integration_id,
        given.get("type", ""),
        given.get("author", ""),
        days["since"],
        days["until"],
    )


def make_filter(
    integration_id: int | None, media_type: str, author: str, since: date | None, until: date | None
) -> SearchFilter:
    """Return a filter over whole days, in UTC; `until` is the last day that counts."""
    return SearchFilter(
        integration_id=integration_id,
        media_type=one_line(media_type),
        author=one_line(author),
        since=day_start(since),
        until=day_end(until),
    )


def one_line(text: str, limit: int = MAX_WORDS) -> str:
    """Return the text without control characters and outer white space, cut at `limit`."""
    return "".join(character for character in text if character.isprintable()).strip()[:limit]


def day_start(day: date | None) -> datetime | None:
    """Return the first moment of a day."""
    return datetime.combine(day, time.min, UTC) if day else None


def day_end(day: date | None) -> datetime | None:
    """Return the first moment after a day; None for the last day there is, after which nothing can lie."""
    if day is None or day == date.max:
        return None
    return datetime.combine(day + timedelta(days=1), time.min, UTC)


def path_with(path: str, values: Mapping[str, str]) -> str:
    """Return the path with those values that are not empty."""
    query = urlencode({name: value for name, value in values.items() if value})
    return f"{path}?{query}" if query else path


def passage_path(document_id: int, version_id: int, start: int, end: int) -> str:
    """Return where a document shows a stretch of one of its versions, marked."""
    return f"/documents/{document_id}?version={version_id}&start={start}&end={end}#passage"
