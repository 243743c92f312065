"""Measures of a ranking, against values worked out by hand."""

import math

import pytest

from domain.measures import area_under_curve, ndcg, recall


def test_a_perfect_ranking_scores_one() -> None:
    assert ndcg(["a", "b", "c"], {"a": 3, "b": 1}, 10) == 1.0


def test_a_relevant_document_in_second_place_is_discounted() -> None:
    assert ndcg(["x", "a"], {"a": 1}, 10) == pytest.approx(1 / math.log2(3))


def test_what_lies_below_the_depth_does_not_count() -> None:
    assert ndcg(["x", "y", "a"], {"a": 1}, 2) == 0.0
    assert recall(["x", "y", "a"], {"a": 1, "b": 0}, 2) == 0.0


def test_recall_is_the_share_of_relevant_documents_found() -> None:
    assert recall(["a", "x", "b"], {"a": 1, "b": 2, "c": 1, "x": 0}, 10) == pytest.approx(2 / 3)


def test_the_area_under_the_curve_counts_ties_half_and_needs_both_kinds() -> None:
    assert area_under_curve([0.9, 0.5], [0.5, 0.1]) == 0.875
    assert area_under_curve([0.9], []) is None
