"""Which chunks a question needs scored: all of a small tenant, and of a large one those with enough of its words."""

from domain.matching import FEW_CHUNKS, MAX_SCORED, telling_sets


def test_where_few_chunks_have_any_of_the_words_each_is_enough() -> None:
    assert telling_sets({"pump": 40, "seal": 7}, 1_000) == [("seal",), ("pump",)]


def test_a_rare_word_is_enough_and_common_ones_must_stand_together() -> None:
    sets = telling_sets({"seal": 300, "pump": 6_000, "water": 7_000, "report": 60_000}, 100_000)
    assert ("seal",) in sets
    assert ("pump", "water") in sets
    assert not {("pump",), ("water",), ("report",)} & set(sets)


def test_of_very_common_words_only_chunks_with_all_are_scored_and_there_always_are_some() -> None:
    assert telling_sets({"pump": 90_000, "water": 95_000}, 100_000) == [("pump", "water")]
    assert telling_sets({"pump": FEW_CHUNKS + 1}, 100_000) == [("pump",)]


def test_a_long_question_in_a_large_tenant_stays_cheap_to_read() -> None:
    words = {f"word{number}": 2_000 + number for number in range(64)}
    assert 0 < len(telling_sets(words, 1_000_000)) < 64
    assert MAX_SCORED < FEW_CHUNKS
