"""How a sync reads while it runs and when it has ended."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.progress import Progress, Stage, TimeLeft
from domain.syncs import Sync, SyncState, Trigger
from web.progress import rate_in_words, time_left_in_words, view

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def sync(state: SyncState, progress: Progress, **changes: object) -> Sync:
    values = {"is_cancel_requested": False, "reason": "", "finished_at": None, **changes}
    return Sync(
        id=7,
        integration_id=3,
        integration_name="Files",
        state=state,
        trigger=Trigger.PERSON,
        progress=progress,
        checkpoint=Progress(),
        attempt=1,
        requested_by="Ada",
        created_at=NOW - timedelta(seconds=61),
        started_at=NOW - timedelta(seconds=60),
        **values,
    )


READING = Progress(Stage.READING, found=200, processed=100, indexed=90, skipped=8, failed=2, is_listed=True)


def test_a_running_sync_tells_percent_rate_and_time_left() -> None:
    seen = view(sync(SyncState.RUNNING, READING), NOW)
    assert (seen.headline, seen.percent, seen.badge) == ("Reading and indexing", 50, "Syncing")
    assert seen.pace == "1.7 a second · about 1 minute left"
    assert [(count.label, count.value, count.is_bad) for count in seen.counts] == [
        ("found", 200, False),
        ("processed", 100, False),
        ("indexed", 90, False),
        ("unchanged", 8, False),
        ("failed", 2, True),
        ("deleted", 0, False),
    ]


def test_a_source_that_does_not_tell_its_size_has_no_percent() -> None:
    seen = view(sync(SyncState.RUNNING, Progress(Stage.LISTING, found=312)), NOW)
    assert (seen.percent, seen.headline) == (None, "Listing what there is")


def test_a_sync_with_failures_does_not_call_itself_up_to_date() -> None:
    done = Progress(Stage.DONE, found=3, processed=3, indexed=2, failed=1, is_listed=True)
    seen = view(sync(SyncState.SUCCEEDED, done, finished_at=NOW), NOW)
    assert (seen.headline, seen.badge, seen.tone) == (
        "Done, but 1 item could not be read",
        "Done with failures",
        "warning",
    )
    assert (seen.percent, seen.pace, seen.is_live) == (100, "Took 60 seconds", False)


def test_a_sync_that_is_asked_to_stop_says_so() -> None:
    assert view(sync(SyncState.RUNNING, READING, is_cancel_requested=True), NOW).badge == "Stopping"


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (1, 4, "a few seconds left"),
        (9, 16, "10–15 seconds left"),
        (19, 21, "about 20 seconds left"),
        (55, 100, "1–2 minutes left"),
        (20, 70, "less than 1 minute left"),
        (540, 660, "9–11 minutes left"),
        (6_000, 9_000, "2 hours left"),
        (7_000, 15_000, "2–4 hours left"),
    ],
)
def test_time_left_is_a_range_a_person_can_plan_with(low: int, high: int, words: str) -> None:
    said = time_left_in_words(TimeLeft(timedelta(seconds=low), timedelta(seconds=high)))
    assert said.removeprefix("about ") == words.removeprefix("about ")


def test_slow_syncs_are_counted_by_the_minute_or_the_hour() -> None:
    assert [rate_in_words(rate) for rate in (None, 38.4, 0.5, 0.001)] == ["", "38 a second", "30 a minute", "4 an hour"]
