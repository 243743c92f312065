"""Filters in words: `from Ada last month in Slack` is read into what a search can be narrowed to, part by part."""

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import msgspec

from domain.documents import Facets

MIN_NAME_CHARACTERS = 3
MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
PERIOD = re.compile(
    r"\b(?:(?:from|in|during|within|over|since|of)\s+)?(?:the\s+)?"
    r"(?P<when>today|yesterday|(?:this|last|past)\s+(?:week|month|quarter|year)"
    r"|(?:last|past)\s+(?P<n>\d{1,3})\s+(?P<unit>days?|weeks?|months?|years?))\b",
    re.IGNORECASE,
)
MONTH = re.compile(rf"\bfrom\s+(?P<month>{'|'.join(MONTHS)})(?:\s+(?P<year>(?:19|20)\d\d))?\b", re.IGNORECASE)
"""Only `from`: a plan `in March` need not have been changed then."""
YEAR = re.compile(r"\bfrom\s+(?P<year>(?:19|20)\d\d)\b(?!-)", re.IGNORECASE)
BOUND = re.compile(
    r"\b(?P<side>since|after|before|until)\s+(?P<day>(?:19|20)\d\d(?:-\d\d(?:-\d\d)?)?)\b(?!-)", re.IGNORECASE
)
KINDS = (
    ("message/rfc822", r"e-?mails?|mails?"),
    ("application/pdf", r"pdfs?"),
    ("application/vnd.knowledgevault.transcript+json", r"chats?|chat messages?"),
    ("text/csv", r"csvs?|csv files?"),
    ("text/markdown", r"markdown(?: files?)?"),
)


class Spoken(msgspec.Struct, frozen=True):
    """One filter that stands in a question at `question[start:end]`; `value` as the address of a search has it."""

    name: str
    value: str
    start: int
    end: int


def read_spoken(question: str, facets: Facets, today: date) -> list[Spoken]:
    """Return the filters a question speaks, in its order; only people, sources and kinds that the library has.

    Nothing inside quotation marks is a filter, and of two that claim the same words the first listed here wins:
    people, sources, kinds, times. At most one filter of each name.
    """
    quoted = [match.span() for match in re.finditer(r"\"[^\"]*\"|“[^”]*”", question)]
    taken: list[Spoken] = []
    for one in (
        *_people(question, facets),
        *_sources(question, facets),
        *_kinds(question, facets),
        *_times(question, today),
    ):
        is_free = all(one.end <= start or end <= one.start for start, end in quoted) and all(
            one.name != other.name and (one.end <= other.start or other.end <= one.start or _is_pair(one, other))
            for other in taken
        )
        if is_free:
            taken.append(one)
    return sorted(taken, key=lambda each: (each.start, each.name))


def without(question: str, spoken: Sequence[Spoken]) -> str:
    """Return the question without the words of these filters."""
    kept = [
        character
        for place, character in enumerate(question)
        if not any(each.start <= place < each.end for each in spoken)
    ]
    return " ".join("".join(kept).split())


def _is_pair(one: Spoken, other: Spoken) -> bool:
    """`last month` is one stretch of words and both ends of a time."""
    return (one.start, one.end) == (other.start, other.end) and {one.name, other.name} == {"since", "until"}


def _people(question: str, facets: Facets) -> Iterator[Spoken]:
    names = facets.authors
    firsts = [name.split()[0] for name in names if name.split()]
    known = {name.lower(): name for name in names}
    known |= {
        first.lower(): name
        for first, name in zip(firsts, [n for n in names if n.split()], strict=True)
        if firsts.count(first) == 1 and first.lower() not in known
    }
    yield from _named(question, r"(?:from|by|written by|sent by)", known, "author")


def _sources(question: str, facets: Facets) -> Iterator[Spoken]:
    known = {name.lower(): str(integration_id) for integration_id, name in facets.integrations}
    words = [
        (word.lower(), str(integration_id))
        for integration_id, name in facets.integrations
        for word in set(re.findall(r"[^\W_]+", name))
        if len(word) > MIN_NAME_CHARACTERS
    ]
    counted = [word for word, _ in words]
    known |= {word: value for word, value in words if counted.count(word) == 1 and word not in known}
    yield from _named(question, r"(?:in|on|from)(?:\s+(?:the|our))?", known, "integration")


def _named(question: str, before: str, known: dict[str, str], name: str) -> Iterator[Spoken]:
    for written in sorted(known, key=len, reverse=True):
        if len(written) < MIN_NAME_CHARACTERS:
            continue
        match = re.search(rf"\b{before}\s+{re.escape(written)}(?!\w)", question, re.IGNORECASE)
        if match:
            yield Spoken(name, known[written], *match.span())


def _kinds(question: str, facets: Facets) -> Iterator[Spoken]:
    for media_type, words in KINDS:
        match = re.search(rf"\bin (?:the |our )?(?:{words})(?!\w)", question, re.IGNORECASE)
        if match and media_type in facets.media_types:
            yield Spoken("type", media_type, *match.span())


def _times(question: str, today: date) -> Iterator[Spoken]:
    if match := PERIOD.search(question):
        yield from _between(match, *_period(match, today))
    elif match := MONTH.search(question):
        number = MONTHS.index(match["month"].lower()) + 1
        year = int(match["year"] or (today.year if number <= today.month else today.year - 1))
        yield from _between(match, date(year, number, 1), _month_end(date(year, number, 1)))
    elif match := YEAR.search(question):
        yield from _between(match, date(int(match["year"]), 1, 1), date(int(match["year"]), 12, 31))
    for match in BOUND.finditer(question):
        if (day := _day(match["day"])) is not None:
            yield from _bound(match, day)


def _between(match: re.Match[str], since: date, until: date | None) -> Iterator[Spoken]:
    yield Spoken("since", since.isoformat(), *match.span())
    if until is not None:
        yield Spoken("until", until.isoformat(), *match.span())


def _bound(match: re.Match[str], first: date) -> Iterator[Spoken]:
    """`since` and `until` include what they name, `after` and `before` do not."""
    written = match["day"]
    last = {4: date(first.year, 12, 31), 7: _month_end(first)}.get(len(written), first)
    match match["side"].lower():
        case "since":
            yield Spoken("since", first.isoformat(), *match.span())
        case "after":
            yield Spoken("since", (last + timedelta(days=1)).isoformat(), *match.span())
        case "before":
            yield Spoken("until", (first - timedelta(days=1)).isoformat(), *match.span())
        case _:
            yield Spoken("until", last.isoformat(), *match.span())


def _period(match: re.Match[str], today: date) -> tuple[date, date | None]:
    """The first and last day of a stretch before today; None for one that is not over."""
    if match["n"]:
        return today - timedelta(days=int(match["n"]) * _days(match["unit"])), None
    which, _, unit = " ".join(match["when"].lower().split()).partition(" ")
    if not unit:
        day = today - timedelta(days=which == "yesterday")
        return day, day
    start = _start(unit, today)
    if which == "this":
        return start, None
    last = start - timedelta(days=1)
    return _start(unit, last), last


def _days(unit: str) -> int:
    match unit.lower().rstrip("s"):
        case "day":
            return 1
        case "week":
            return 7
        case "month":
            return 30
        case _:
            return 365


def _start(unit: str, day: date) -> date:
    match unit:
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "quarter":
            return date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)
        case _:
            return date(day.year, 1, 1)


def _month_end(day: date) -> date:
    following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return following - timedelta(days=1)


def _day(written: str) -> date | None:
    parts = [*map(int, written.split("-")), 1, 1][:3]
    try:
        return date(*parts)
    except ValueError:
        return None
