"""Fusion of scores, and diversity."""

import numpy as np

from domain.fusion import DENSE_WEIGHT, blended, diversified, standardised


def test_a_legs_scores_are_told_in_deviations_from_their_mean() -> None:
    assert standardised(np.array([3.0, 1.0, 2.0])).round(3).tolist() == [1.225, -1.225, 0.0]


def test_a_leg_that_says_the_same_of_all_says_nothing() -> None:
    assert standardised(np.array([2.0, 2.0])).tolist() == [0.0, 0.0]
    assert standardised(np.zeros(0)).size == 0


def test_a_clear_lead_in_one_leg_counts_more_than_a_narrow_one_in_the_other() -> None:
    lexical, dense = np.array([9.0, 1.0, 1.0, 1.0]), np.array([0.50, 0.51, 0.50, 0.50])
    blend = blended(lexical, dense)
    assert blend.argmax() == 0
    assert blend[1] > blend[2], f"the other leg counts too, with {DENSE_WEIGHT}"


def test_what_has_been_said_is_put_off_and_the_best_stays_first() -> None:
    vectors = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
    assert diversified([3.0, 2.9, 2.8, 2.0], vectors) == [0, 2, 1, 3]


def test_documents_that_merely_speak_of_the_same_keep_their_order() -> None:
    vectors = np.array([[1, 0], [0.8, 0.6], [0.6, 0.8]], np.float32)
    assert diversified([3.0, 2.9, 2.8], vectors) == [0, 1, 2]


def test_one_that_is_far_better_is_shown_even_if_it_repeats() -> None:
    vectors = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    assert diversified([9.0, 8.0, 1.0], vectors) == [0, 1, 2]
