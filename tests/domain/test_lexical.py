"""BM25 as arrays: the scores of many chunks at once, and word counts read back from weights."""

from collections import Counter

import numpy as np
import pytest

from domain.lexical import ChunkWeights, chunk_weights, dimension

CHUNKS = (Counter(pump=3, seal=1, the=2), Counter(cake=1), Counter(seal=2, cake=1))


def weights() -> ChunkWeights:
    made = [sorted(chunk_weights(counted, 4.0).items()) for counted in CHUNKS]
    return ChunkWeights(
        np.repeat(np.arange(len(made)), [len(each) for each in made]),
        np.array([place for each in made for place, _ in each]),
        np.array([value for each in made for _, value in each]),
    )


def test_a_chunk_scores_what_its_words_say_times_how_rare_they_are() -> None:
    question = {dimension("seal"): 2.0, dimension("cake"): 0.5, dimension("unknown"): 9.0}
    made = [chunk_weights(counted, 4.0) for counted in CHUNKS]
    expected = [sum(question[place] * each.get(place, 0.0) for place in question) for each in made]
    assert weights().scores(question, len(CHUNKS)) == pytest.approx(expected)


def test_a_question_without_known_words_scores_nothing() -> None:
    assert weights().scores({}, len(CHUNKS)).tolist() == [0, 0, 0]


def test_how_often_words_stand_in_a_chunk_is_read_back_from_their_weights() -> None:
    [said] = weights().occurrences([0], ["pump", "seal", "the", "cake"])
    assert said == pytest.approx({"pump": 3, "seal": 1, "the": 2})
    assert ChunkWeights(np.zeros(0, int), np.zeros(0, int), np.zeros(0)).occurrences([0], ["pump"]) == [{}]
