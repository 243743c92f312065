"""How values read on a page: times, sizes, numbers, kinds of files, marked spans."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from jinja2 import Environment
from markupsafe import Markup, escape

from domain.documents import MAX_COUNTED

MINUTE, HOUR, DAY, WEEK = 60, 3_600, 86_400, 604_800
KIBI = 1024
MEDIA_TYPES = {
    "application/pdf": "PDF",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "Word",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "PowerPoint",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "Excel",
    "application/vnd.ms-excel": "Excel",
    "text/csv": "CSV table",
    "text/html": "Web page",
    "text/markdown": "Markdown",
    "text/plain": "Text",
    "message/rfc822": "E-mail",
    "application/mbox": "Mailbox",
    "application/json": "JSON",
    "application/zip": "Archive",
    "application/vnd.knowledgevault.transcript+json": "Chat",
}


def install(environment: Environment, now: Callable[[], datetime]) -> None:
    """Give an environment every filter of this module."""
    environment.filters.update(
        when=lambda moment: when(moment, now()),
        date=date,
        last_day=last_day,
        size=size,
        number=number,
        plural=plural,
        counted=counted,
        figure=figure,
        duration=duration,
        media_type=media_type,
        highlight=highlight,
        initials=initials,
        browser=browser,
    )


def when(moment: datetime | None, now: datetime) -> Markup:
    """Return a `<time>` that reads as a distance ("3 minutes ago"), with the exact time as its title."""
    if moment is None:
        return Markup('<span class="muted">never</span>')
    moment = moment.astimezone(UTC)
    return Markup('<time datetime="{}" title="{}" data-local-time>{}</time>').format(
        moment.isoformat(timespec="seconds"), f"{moment:%d %B %Y, %H:%M} UTC", distance(moment, now)
    )


def distance(moment: datetime, now: datetime) -> str:
    """Return how far a moment lies from now, in words; a date once it is further than a week."""
    seconds = (now - moment).total_seconds()
    span = abs(seconds)
    if span < MINUTE:
        return "just now" if seconds >= 0 else "in a moment"
    if span >= WEEK:
        return f"{moment:%-d %b %Y}"
    for unit, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if span >= unit:
            words = plural(int(span // unit), name)
            return f"{words} ago" if seconds >= 0 else f"in {words}"
    raise AssertionError("a span of a minute or more has a unit")


def date(moment: datetime | None) -> Markup:
    """Return a `<time>` that reads as a day ("3 May 2026")."""
    if moment is None:
        return Markup('<span class="muted">unknown</span>')
    return Markup('<time datetime="{}">{}</time>').format(moment.isoformat(timespec="seconds"), f"{moment:%-d %b %Y}")


def last_day(moment: datetime) -> str:
    """Return the last whole day before a moment ("3 May 2026"): an `as of` ends with its day."""
    return f"{moment - timedelta(seconds=1):%-d %b %Y}"


def size(size_bytes: int | None) -> str:
    """Return bytes as people write them: "3.4 MB"."""
    if size_bytes is None:
        return "unknown size"
    amount = float(size_bytes)
    for unit in ("bytes", "KB", "MB", "GB"):
        if amount < KIBI or unit == "GB":
            return f"{amount:.0f} {unit}" if unit == "bytes" or amount >= 10 else f"{amount:.1f} {unit}"
        amount /= KIBI
    raise AssertionError("the loop ends at gigabytes")


def number(value: float) -> str:
    """Return a number with its thousands apart."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def plural(count: int, singular: str, plural_form: str = "") -> str:
    """Return a count with its noun: "1 document", "2 documents"."""
    return f"{count:,} {singular if count == 1 else plural_form or singular + 's'}"


def counted(count: int, singular: str) -> str:
    """Return a count of documents with its noun; "more than 1,000 documents" for one that ended there."""
    return f"more than {plural(MAX_COUNTED, singular)}" if count > MAX_COUNTED else plural(count, singular)


def figure(count: int) -> str:
    """Return a count of documents as a large number on its own: "1,000+" for one that ended there."""
    return f"{MAX_COUNTED:,}+" if count > MAX_COUNTED else f"{count:,}"


def duration(span: timedelta | float) -> str:
    """Return a stretch of time in one or two units: "40 s", "3 min", "2 h 5 min"."""
    seconds = round(span.total_seconds() if isinstance(span, timedelta) else span)
    if seconds < MINUTE:
        return f"{seconds} s"
    if seconds < HOUR:
        return f"{round(seconds / MINUTE)} min"
    hours, minutes = divmod(round(seconds / MINUTE), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def media_type(value: str) -> str:
    """Return a media type in words: "PDF", "E-mail"; unknown ones by their last part."""
    bare = value.partition(";")[0].strip().lower()
    return MEDIA_TYPES.get(bare) or bare.rpartition("/")[2].upper() or "File"


def highlight(text: str, spans: Sequence[tuple[int, int]]) -> Markup:
    """Return the text, escaped, with its spans in `<mark>`; spans are in order and do not overlap."""
    parts, at = [], 0
    for start, end in spans:
        parts += [escape(text[at:start]), Markup("<mark>{}</mark>").format(text[start:end])]
        at = end
    return Markup("").join([*parts, escape(text[at:])])


def initials(name: str) -> str:
    """Return at most two letters that stand for a person."""
    words = [word for word in name.replace(".", " ").split() if word[0].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper() or "?"


def browser(user_agent: str) -> str:
    """Return a user agent in words: "Firefox on Linux"; most specific names first, since browsers name each other."""
    names = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrom", "Chrome"), ("Safari", "Safari"))
    systems = (
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    )
    name = next((word for sign, word in names if sign in user_agent), "")
    system = next((word for sign, word in systems if sign in user_agent), "")
    return " on ".join(part for part in (name, system) if part) or user_agent[:60] or "Unknown browser"
