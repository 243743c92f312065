"""Results and excerpts: grouping, pages, marks."""

import pytest

from domain.errors import Invalid
from domain.retrieval import EXCERPT_CHARACTERS, by_document, checked_question, mark
from domain.search import Candidate, Passage
from infra.analysis import WordAnalyzer as ProductAnalyzer
from tests.domain.fakes import WordAnalyzer


def passage(text: str) -> Passage:
    return Passage(1, 1, 1, "Title", (), text, 0, len(text), None, "Files", "text/plain", "", "", None)


def leg(*ids: int) -> list[Candidate]:
    return [Candidate(chunk_id, chunk_id // 10, 1.0 / place) for place, chunk_id in enumerate(ids, start=1)]


def test_a_document_stands_where_its_best_chunk_does_and_shows_at_most_three() -> None:
    groups = by_document(leg(11, 21, 12, 13, 14, 22))
    assert [[each.chunk_id for each in group] for group in groups] == [[11, 12, 13], [21, 22]]


@pytest.mark.parametrize("question", ["", "   ", "\x00\x07", "\u200b\n"])
def test_an_empty_question_is_refused_with_a_word_of_help(question: str) -> None:
    with pytest.raises(Invalid, match="few words"):
        checked_question(question)


def test_a_question_of_ten_thousand_characters_is_cut() -> None:
    assert len(checked_question("word " * 2000)) <= 1000


def test_the_excerpt_shows_where_the_most_words_match_and_marks_them() -> None:
    text = "Nothing here. " * 60 + "The cooling pump leaks at the seal." + " Nothing there." * 60
    shown = mark(passage(text), {"pump", "leak", "seal"}, WordAnalyzer())
    assert [text[start:end] for start, end in shown.marks] == ["pump", "leaks", "seal"]
    assert shown.end - shown.start <= EXCERPT_CHARACTERS


def test_an_identifier_that_matches_whole_and_in_parts_is_marked_once() -> None:
    shown = mark(passage("See KV-1042 today."), {"kv-1042", "kv", "1042"}, ProductAnalyzer())
    assert shown.marks == ((4, 11),)


def test_a_short_passage_is_shown_whole() -> None:
    shown = mark(passage("A pump."), {"pump"}, WordAnalyzer())
    assert (shown.start, shown.end, shown.marks) == (0, 7, ((2, 6),))
