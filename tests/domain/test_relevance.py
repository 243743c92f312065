"""Relevance feedback: the words and the direction that the best chunks have in common."""

import numpy as np
import pytest

from domain.relevance import N_WORDS, WORDS_SHARE, moved_vector, telling_words, widened_words


def test_rare_words_of_the_best_chunks_tell_most() -> None:
    telling = telling_words(
        [{"pump": 1, "seal": 1, "the": 1}, {"seal": 1, "the": 1}], [1.0, 1.0], {"pump": 3, "seal": 3, "the": 0.1}
    )
    assert list(telling) == ["seal", "pump", "the"]
    assert sum(telling.values()) == pytest.approx(1)


def test_a_better_chunk_is_believed_more() -> None:
    rarity = {"pump": 1.0, "cake": 1.0}
    telling = telling_words([{"pump": 1}, {"cake": 1}], [3.0, 0.0], rarity)
    assert telling["pump"] > 10 * telling["cake"]


def test_only_a_few_words_join_a_question_and_its_own_keep_most_weight() -> None:
    said = [{f"word{number}": 1.0 for number in range(50)}]
    telling = telling_words(said, [1.0], {f"word{number}": 1.0 for number in range(50)})
    widened = widened_words({"pump": 2, "seal": 1}, telling)
    assert len(widened) == N_WORDS + 2
    assert widened["pump"] + widened["seal"] == pytest.approx(1 - WORDS_SHARE)
    assert sum(widened.values()) == pytest.approx(1)


def test_a_question_without_words_gets_none() -> None:
    assert widened_words({}, {"pump": 1.0}) == {}


def test_the_vector_moves_towards_the_best_chunks_and_stays_of_unit_length() -> None:
    question, chunks = np.array([1, 0], np.float32), np.array([[0, 1], [0, 1]], np.float32)
    moved = moved_vector(question, chunks)
    assert moved == pytest.approx([0.7071, 0.7071], abs=1e-3)
    assert moved_vector(question, np.zeros((0, 2), np.float32)) is question
