"""How far a sync is, as a person sees it: counts, percent, rate and the time that is left."""

from datetime import timedelta
from enum import StrEnum

import msgspec


class Stage(StrEnum):
    """What a sync is busy with."""

    WAITING = "waiting"
    LISTING = "listing"
    READING = "reading"
    CLEANING = "cleaning"
    DONE = "done"


class Progress(msgspec.Struct, frozen=True):
    """Counts of items. processed = indexed + skipped + failed + filtered; deleted items are counted apart."""

    stage: Stage = Stage.WAITING
    found: int = 0
    total: int | None = None
    """What the source announced, where it did."""
    processed: int = 0
    indexed: int = 0
    skipped: int = 0
    failed: int = 0
    filtered: int = 0
    """Listed by the source, but not among what was chosen."""
    deleted: int = 0
    n_chunks: int = 0
    n_embedded: int = 0
    """Chunks whose vector had to be computed; the others were reused."""
    current: str = ""
    is_listed: bool = False
    """Whether the source has been listed to its end, so that `found` is final."""


class TimeLeft(msgspec.Struct, frozen=True):
    """A range, since nobody knows better."""

    at_least: timedelta
    at_most: timedelta


COUNTED = ("found", "processed", "indexed", "skipped", "failed", "filtered", "deleted", "n_chunks", "n_embedded")


def plus(progress: Progress, *others: Progress) -> Progress:
    """Return progress with the counts of others added to its own; what is no count stays."""
    if not others:
        return progress
    summed = {name: sum(getattr(each, name) for each in (progress, *others)) for name in COUNTED}
    return msgspec.structs.replace(progress, **summed)


def expected(progress: Progress) -> int | None:
    """Return how many items there will be in all, or None while nobody knows."""
    if progress.is_listed:
        return progress.found
    if progress.total is None:
        return None
    return max(progress.total, progress.found)


def percent(progress: Progress) -> int | None:
    """Return 0 to 100, or None while the total is unknown; 100 only when the sync is done."""
    if progress.stage is Stage.DONE:
        return 100
    total = expected(progress)
    if not total:
        return None
    return min(99, progress.processed * 100 // total)


def rate_per_s(progress: Progress, elapsed: timedelta) -> float | None:
    """Return items per second since the start, or None before the first second is over."""
    if elapsed < timedelta(seconds=1) or not progress.processed:
        return None
    return progress.processed / elapsed.total_seconds()


def time_left(progress: Progress, elapsed: timedelta) -> TimeLeft | None:
    """Return a range around remaining / rate, wider while few items are done; None while nothing can be said.

    The half-width is 1/sqrt(processed) of the estimate, at least a tenth, at most a half.
    """
    rate, total = rate_per_s(progress, elapsed), expected(progress)
    if rate is None or total is None or progress.stage is Stage.DONE:
        return None
    seconds = max(0, total - progress.processed) / rate
    spread = min(0.5, max(0.1, progress.processed**-0.5))
    return TimeLeft(timedelta(seconds=seconds * (1 - spread)), timedelta(seconds=seconds * (1 + spread)))
