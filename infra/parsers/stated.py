"""Author and date as a document states them in its first lines, for formats that keep no record of either."""

import re
from datetime import UTC, datetime

HEAD_CHARACTERS = 800
HEAD_LINES = 8
MONTHS = "january february march april may june july august september october november december".split()  # noqa: SIM905
MONTH = "|".join(f"{month[:3]}(?:{month[3:]})?" for month in MONTHS)
DATE = re.compile(
    rf"\b(?P<year>(?:19|20)\d\d)-(?P<month>\d\d)-(?P<day>\d\d)\b"
    rf"|\b(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?\s+(?P<name>{MONTH})\.?,?\s+(?P<year2>(?:19|20)\d\d)\b"
    rf"|\b(?P<name3>{MONTH})\.?\s+(?P<day3>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year3>(?:19|20)\d\d)\b",
    re.IGNORECASE,
)
LABELLED_DATE = re.compile(
    r"\b(?:date|dated|updated|last (?:edited|updated|changed|reviewed)|version of|version \d+|held|created|written)\b",
    re.IGNORECASE,
)
AUTHOR = re.compile(
    r"^\W*(?:author|owner|written by|by)s?\s*:\s*(?P<name>[^.,;:(|\n]{2,60})", re.IGNORECASE | re.MULTILINE
)


def stated_date(text: str) -> datetime | None:
    """Return the date that stands behind a word such as `Date:` or `Updated` in the first lines, at midnight UTC."""
    for line in _head(text):
        label = LABELLED_DATE.search(line)
        found = DATE.search(line, label.end()) if label else None
        if found and (moment := _moment(found)):
            return moment
    return None


def named_date(name: str) -> datetime | None:
    """Return the date a file's name begins with (2026-03-17-minutes.md), at midnight UTC."""
    found = DATE.match(name.rpartition("/")[2])
    return _moment(found) if found else None


def stated_author(text: str) -> str:
    """Return the name behind `Author:` or `Owner:` in the first lines, or ""."""
    found = AUTHOR.search("\n".join(_head(text)))
    return found["name"].strip() if found else ""


def _head(text: str) -> list[str]:
    return [line for line in text[:HEAD_CHARACTERS].splitlines() if line.strip()][:HEAD_LINES]


def _moment(found: re.Match[str]) -> datetime | None:
    part = {name.rstrip("23"): value for name, value in found.groupdict().items() if value}
    month = int(part["month"]) if "month" in part else _month(part["name"])
    try:
        return datetime(int(part["year"]), month, int(part["day"]), tzinfo=UTC)
    except ValueError:
        return None


def _month(name: str) -> int:
    return next(number for number, month in enumerate(MONTHS, 1) if month.startswith(name[:3].lower()))
