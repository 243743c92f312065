"""Progress: what a person reads from the counts."""

from datetime import timedelta

import pytest

from domain.progress import Progress, Stage, expected, percent, rate_per_s, time_left


def test_nobody_knows_the_percentage_before_the_source_tells_its_total() -> None:
    assert percent(Progress(stage=Stage.READING, found=5, processed=2)) is None


def test_the_percentage_follows_what_is_processed_and_reaches_a_hundred_only_at_the_end() -> None:
    assert percent(Progress(stage=Stage.READING, total=200, found=100, processed=50)) == 25
    assert percent(Progress(stage=Stage.CLEANING, found=200, processed=200, is_listed=True)) == 99
    assert percent(Progress(stage=Stage.DONE)) == 100


def test_a_source_that_announced_too_little_is_corrected_by_what_it_lists() -> None:
    assert expected(Progress(total=10, found=12)) == 12
    assert expected(Progress(total=10, found=7, is_listed=True)) == 7


def test_the_rate_waits_for_the_first_second() -> None:
    assert rate_per_s(Progress(processed=5), timedelta(seconds=0.5)) is None
    assert rate_per_s(Progress(processed=5), timedelta(seconds=2)) == 2.5


@pytest.mark.parametrize(("processed", "spread"), [(2, 0.5), (25, 0.2), (2500, 0.1)])
def test_the_time_left_is_a_range_that_narrows_with_experience(processed: int, spread: float) -> None:
    left = time_left(Progress(total=processed * 2, processed=processed), timedelta(seconds=processed))
    assert left is not None
    assert left.at_least.total_seconds() == pytest.approx(processed * (1 - spread))
    assert left.at_most.total_seconds() == pytest.approx(processed * (1 + spread))


def test_nothing_is_said_about_the_time_left_when_nothing_is_known() -> None:
    assert time_left(Progress(processed=3), timedelta(seconds=9)) is None
