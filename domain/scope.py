"""What of an integration is to be read: folders, kinds of files, dates. A source's own parts are its connector's."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime

import msgspec

from domain.errors import Invalid
from domain.integrations import Item

NO_TYPE = "(none)"
"""Stands for files without an ending in their name."""
FOLDERS, TYPES, SINCE, UNTIL = "scope_folders", "file_types", "since", "until"
"""The settings in which a scope is kept; lists have one entry a line, and an empty one leaves nothing out."""


class Scope(msgspec.Struct, frozen=True):
    """What is read; empty fields leave nothing out."""

    folders: tuple[str, ...] = ()
    """Paths from the root, each with what lies below it."""
    file_types: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return self == Scope()


def scope_of(settings: Mapping[str, str]) -> Scope:
    """Return the scope that stands in an integration's settings; what cannot be read there leaves nothing out."""
    return Scope(
        tuple(filter(None, settings.get(FOLDERS, "").split("\n"))),
        tuple(filter(None, settings.get(TYPES, "").split("\n"))),
        _day(settings.get(SINCE, "")),
        _day(settings.get(UNTIL, "")),
    )


def settings_of(scope: Scope) -> dict[str, str]:
    """Return the settings that hold a scope."""
    return {
        FOLDERS: "\n".join(scope.folders),
        TYPES: "\n".join(scope.file_types),
        SINCE: scope.since.isoformat() if scope.since else "",
        UNTIL: scope.until.isoformat() if scope.until else "",
    }


def entered_scope(folders: Iterable[str], file_types: Iterable[str], since: str, until: str) -> Scope:
    """Return what a person chose. Raises: Invalid for days that are none, or in the wrong order."""
    first, last = _entered_day("since", since), _entered_day("until", until)
    if first and last and last < first:
        raise Invalid("The last day lies before the first. Change one of them.", {"until": "Choose a later day."})
    return Scope(tuple(sorted(set(folders))), tuple(sorted(set(file_types))), first, last)


def file_type(name: str) -> str:
    """Return the ending of a file's name in lower case, without its dot."""
    stem, dot, ending = name.rpartition(".")
    is_ending = bool(dot and stem) and ending.isalnum() and len(ending) <= 8
    return ending.lower() if is_ending else NO_TYPE


def type_in_words(kind: str) -> str:
    """Return a type of files as it stands in a sentence."""
    return "files without an ending" if kind == NO_TYPE else f"files of the type {kind}"


def left_out(item: Item, scope: Scope) -> str:
    """Return why an item is not read, for people; "" when it is."""
    if reason := left_out_path(item.external_id, scope, item.name):
        return reason
    changed_at = item.modified_at or item.created_at
    if changed_at is None:
        return ""
    day = changed_at.astimezone(UTC).date() if isinstance(changed_at, datetime) else changed_at
    if scope.since and day < scope.since:
        return f"It was last changed on {day:%-d %B %Y}, before the first day that is chosen."
    if scope.until and day > scope.until:
        return f"It was last changed on {day:%-d %B %Y}, after the last day that is chosen."
    return ""


def is_within_days(moment: datetime | None, scope: Scope) -> bool:
    """Whether something of this moment lies within the chosen days; what has no date does."""
    day = moment.astimezone(UTC).date() if moment else None
    return day is None or ((not scope.since or day >= scope.since) and (not scope.until or day <= scope.until))


def left_out_path(path: str, scope: Scope, name: str = "") -> str:
    """Return why nothing at this path is read, whenever it was changed; "" when it may be."""
    if scope.folders and not any(path.startswith(f"{folder}/") for folder in scope.folders):
        return "It lies in a folder that is not chosen."
    kind = file_type(name or path.rpartition("/")[2])
    if scope.file_types and kind not in scope.file_types:
        return f"{type_in_words(kind).capitalize()} are not chosen."
    return ""


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _entered_day(field: str, text: str) -> date | None:
    if text and _day(text) is None:
        raise Invalid("Please look at the marked field.", {field: "Enter a day as year-month-day: 2026-03-31."})
    return _day(text)
