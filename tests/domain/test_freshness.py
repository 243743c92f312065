"""Freshness where a question asks for it."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.freshness import asks_for_freshness, freshness

NOW = datetime(2030, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize("question", ["latest travel policy", "What is the current price?", "newest firmware"])
def test_a_question_for_the_latest_is_recognised(question: str) -> None:
    assert asks_for_freshness(question)


@pytest.mark.parametrize("question", ["travel policy", "electrical currents in ducts", "who translated it"])
def test_other_questions_are_not(question: str) -> None:
    assert not asks_for_freshness(question)


def test_the_newest_gains_most_and_age_halves_it() -> None:
    gains = freshness([NOW, NOW - timedelta(days=90), NOW - timedelta(days=900)])
    assert gains == pytest.approx([1.0, 0.5, 0.001], abs=1e-3)
    assert freshness([]).size == 0
