"""Passages: how many are worth reading, and neighbours read as one."""

import msgspec

from domain.passages import joined, runs, stretch, worth_reading
from domain.search import Candidate, Passage, Stretch

TEXT = "Pumps leak. Seals wear.\n\nTraining\n\nLunch is at noon."


def passage(chunk_id: int, start: int, end: int, score: float, path: tuple[str, ...] = ("Field", "Pumps")) -> Passage:
    place = Passage(chunk_id, 1, 1, "Notes", path, TEXT[start:end], start, end, None, "Files", "", "", "", None)
    return msgspec.structs.replace(place, score=score)


def test_few_are_read_where_one_is_far_ahead_and_more_where_scores_are_close() -> None:
    far = [Candidate(1, 1, 6.0), Candidate(2, 2, 1.0), Candidate(3, 3, 0.9)]
    close = [Candidate(number, number, 2.0 - number / 100) for number in range(30)]
    assert [each.chunk_id for each in worth_reading(far)] == [1]
    assert len(worth_reading(close)) == 12
    assert worth_reading([]) == []


def test_neighbours_under_one_heading_are_one_passage() -> None:
    found = runs([passage(2, 12, 23, 2.0), passage(1, 0, 12, 1.0)])
    assert [[each.chunk_id for each in run] for run in found] == [[1, 2]]
    assert stretch(found[0]) == Stretch(1, 0, 23)
    one = joined(found[0], TEXT[0:23])
    assert (one.text, one.heading_path, one.score, one.chunk_id) == (TEXT[0:23], ("Field", "Pumps"), 2.0, 2)


def test_another_heading_begins_another_passage() -> None:
    found = runs([passage(1, 0, 12, 1.0), passage(2, 12, 23, 2.0, ("Field", "Seals"))])
    assert [[each.chunk_id for each in run] for run in found] == [[2], [1]]


def test_what_stands_apart_stays_apart_best_first() -> None:
    other = msgspec.structs.replace(passage(3, 0, 12, 9.0), version_id=2)
    found = runs([passage(1, 0, 12, 1.0), other])
    assert [run[0].version_id for run in found] == [2, 1]
