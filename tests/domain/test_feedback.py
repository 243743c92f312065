"""What people say of answers moves documents a little, and never far."""

import msgspec

from domain.feedback import MAX_SHIFT, reranked, shift
from domain.search import Candidate
from tests.domain.test_answers import passage

NEAR = [msgspec.structs.replace(passage(number, "text"), score=1 / (20 + number)) for number in range(1, 9)]


def order(balance: dict[int, int]) -> list[int]:
    return [each.document_id for each in reranked(NEAR, balance)]


def test_without_a_word_from_anybody_the_order_stays() -> None:
    assert order({}) == [each.document_id for each in NEAR]


def test_a_document_that_people_called_right_rises_past_its_neighbours() -> None:
    assert order({4: 3}).index(4) < 3


def test_a_document_that_people_called_wrong_sinks_and_stays() -> None:
    assert order({1: -3})[0] != 1
    assert 1 in order({1: -1000})


def test_a_thousand_verdicts_move_no_more_than_the_bound() -> None:
    assert -MAX_SHIFT <= shift(-1000) <= shift(1000) <= MAX_SHIFT
    assert order({8: 1000}).index(8) > 3


def test_in_a_long_list_of_results_a_verdict_moves_by_the_spread_of_its_head_only() -> None:
    results = [Candidate(number, number, 10.0 - number) for number in range(10)]
    moved = {each.document_id: each.score for each in reranked(results, {3: -100}, spread=2.0)}
    assert moved[3] == 7.0 - 2.0 * MAX_SHIFT
    assert [moved[number] for number in (0, 1, 2, 4)] == [10.0, 9.0, 8.0, 6.0]
