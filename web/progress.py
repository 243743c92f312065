"""How a sync reads on a page: its state, counts, rate and time left, in words."""

from datetime import datetime, timedelta

import msgspec

from domain.progress import Progress, Stage, TimeLeft, expected, percent, rate_per_s, time_left
from domain.syncs import Sync, SyncState
from web.filters import number, plural

MINUTE_S, HOUR_S = 60, 3_600
STAGES = {
    Stage.WAITING: "Getting ready",
    Stage.LISTING: "Listing what there is",
    Stage.READING: "Reading and indexing",
    Stage.CLEANING: "Tidying up",
    Stage.DONE: "Finishing",
}

ENDS = {
    SyncState.FAILED: "Stopped by a problem",
    SyncState.CANCELLED: "Cancelled; what was brought in so far stays",
    SyncState.HELD: "Waiting for your word: many documents are gone at the source",
}


class Count(msgspec.Struct, frozen=True):
    """One number of the progress region."""

    value: int
    label: str
    is_bad: bool = False


class SyncView(msgspec.Struct, frozen=True):
    """A sync as its region shows it."""

    sync: Sync
    headline: str
    badge: str
    tone: str
    """Which colour: "accent" while it runs, then "good", "warning", "bad", or "" for neither."""
    percent: int | None
    counts: tuple[Count, ...]
    pace: str
    """Rate and time left, or how long it took."""
    in_all: str = ""
    """How many items there will be, as far as that is known while it runs."""

    @property
    def is_live(self) -> bool:
        """Whether more is to come."""
        return not self.sync.is_final


def view(sync: Sync, now: datetime, n_ahead: int = 0) -> SyncView:
    """Return how a sync reads at this moment; `n_ahead` others wait before it."""
    badge, tone = _badge(sync)
    return SyncView(
        sync,
        _headline(sync, n_ahead),
        badge,
        tone,
        _percent(sync),
        _counts(sync.progress),
        _pace(sync, now),
        _in_all(sync),
    )


def rate_in_words(per_s: float | None) -> str:
    """Return a rate in the unit that gives a readable number; "" when there is none."""
    if per_s is None:
        return ""
    for factor, unit in ((1, "second"), (MINUTE_S, "minute")):
        if per_s * factor >= 1:
            return f"{_short(per_s * factor)} a {unit}"
    return f"{number(max(1, round(per_s * HOUR_S)))} an hour"


def time_left_in_words(left: TimeLeft | None) -> str:
    """Return a range a person can plan with: "10–15 seconds left", "1–2 minutes left", "about an hour left"."""
    if left is None:
        return ""
    return f"{time_range_in_words(left.at_least.total_seconds(), left.at_most.total_seconds())} left"


def time_range_in_words(low: float, high: float) -> str:
    """Return a range of seconds in the unit that gives readable numbers: "10–15 seconds", "1–2 minutes"."""
    if high < 5:
        return "a few seconds"
    if high < MINUTE_S:
        return _range(5 * round(low / 5), 5 * round(high / 5), "second")
    if high < 1.5 * HOUR_S:
        return _range(round(low / MINUTE_S), round(high / MINUTE_S), "minute")
    return _range(round(low / HOUR_S), round(high / HOUR_S), "hour")


def elapsed(sync: Sync, now: datetime) -> timedelta:
    """Return how long a sync has run, or ran."""
    if sync.started_at is None:
        return timedelta(0)
    return max(timedelta(0), (sync.finished_at or now) - sync.started_at)


def duration_in_words(span: timedelta) -> str:
    """Return how long something took: "under a second", "12 seconds", "3 minutes", "2 hours"."""
    seconds = span.total_seconds()
    if seconds < 1:
        return "under a second"
    if seconds < 2 * MINUTE_S:
        return plural(round(seconds), "second")
    if seconds < 2 * HOUR_S:
        return plural(round(seconds / MINUTE_S), "minute")
    return plural(round(seconds / HOUR_S), "hour")


def _short(value: float) -> str:
    return number(round(value)) if value >= 10 else f"{value:.1f}".removesuffix(".0")


def _range(low: int, high: int, unit: str) -> str:
    if low >= high:
        return f"about {plural(max(1, high), unit)}"
    return f"{low}–{high} {unit}s" if low else f"less than {plural(high, unit)}"


def _headline(sync: Sync, n_ahead: int) -> str:
    failed = sync.progress.failed
    match sync.state:
        case SyncState.QUEUED:
            return (
                f"Waiting for a free worker, {number(n_ahead)} ahead of it" if n_ahead else "Waiting for a free worker"
            )
        case SyncState.RUNNING if sync.is_cancel_requested:
            return "Stopping after the present document"
        case SyncState.RUNNING:
            return STAGES[sync.progress.stage]
        case SyncState.SUCCEEDED:
            return f"Done, but {plural(failed, 'item')} could not be read" if failed else "Done"
        case SyncState.FAILED | SyncState.CANCELLED | SyncState.HELD:
            return ENDS[sync.state]


def _badge(sync: Sync) -> tuple[str, str]:
    match sync.state:
        case SyncState.QUEUED:
            return "Waiting", "accent"
        case SyncState.RUNNING:
            return ("Stopping", "warning") if sync.is_cancel_requested else ("Syncing", "accent")
        case SyncState.SUCCEEDED:
            return ("Up to date", "good") if not sync.progress.failed else ("Done with failures", "warning")
        case SyncState.FAILED:
            return "Failed", "bad"
        case SyncState.CANCELLED:
            return "Cancelled", ""
        case SyncState.HELD:
            return "Asks you", "warning"


def _percent(sync: Sync) -> int | None:
    if sync.state is SyncState.SUCCEEDED:
        return 100
    known = percent(sync.progress)
    return known if known is not None or not sync.is_final else 0


def _in_all(sync: Sync) -> str:
    total = expected(sync.progress)
    if sync.is_final or total is None:
        return ""
    return f"{plural(total, 'item')} in all" if sync.progress.is_listed else f"about {plural(total, 'item')} in all"


def _counts(progress: Progress) -> tuple[Count, ...]:
    return (
        Count(progress.found, "found"),
        Count(progress.processed, "processed"),
        Count(progress.indexed, "indexed"),
        Count(progress.skipped, "unchanged"),
        Count(progress.failed, "failed", is_bad=progress.failed > 0),
        Count(progress.deleted, "deleted"),
        *([Count(progress.filtered, "left out")] if progress.filtered else []),
    )


def _pace(sync: Sync, now: datetime) -> str:
    span = elapsed(sync, now)
    if sync.is_final:
        return f"Took {duration_in_words(span)}" if sync.started_at else ""
    rate = rate_in_words(rate_per_s(sync.progress, span))
    return " · ".join(part for part in (rate, time_left_in_words(time_left(sync.progress, span))) if part)
