"""How retrieval is measured."""

from pathlib import Path

import pytest

from domain.errors import Invalid
from domain.search import Passage
from infra.evaluation import Question, Turn, read_set
from infra.evaluation_tables import Floor, table
from infra.span_evaluation import Reference, SpanQuestion, overlap, places_of, read_spans, squeezed


def passage(document_id: int, start: int, end: int) -> Passage:
    return Passage(1, document_id, 1, "", (), "x" * (end - start), start, end, None, "", "", "", "", None)


def test_characters_count_once_for_recall_precision_and_their_union() -> None:
    recall, precision, iou, n_found = overlap([passage(1, 0, 100), passage(2, 0, 100)], 1, [(50, 150)])
    assert (recall, precision, n_found) == (0.5, 0.25, 200)
    assert iou == pytest.approx(50 / 250)


def test_a_reference_is_found_again_where_the_parser_has_folded_white_space() -> None:
    source = "One.\n\n\n\nTwo   three."
    question = SpanQuestion("?", "a", (Reference("Two   three.", 8, 20),))
    assert places_of(question, squeezed(source), squeezed("One.\n\nTwo three.")) == [(6, 16)]


def test_a_question_of_a_conversation_is_made_to_stand_alone() -> None:
    asked = Question(
        "1", "How long are they kept?", (Turn("Where are the backups?", "user"), Turn("In Oslo.", "agent"))
    )
    assert "backups" in asked.asked
    assert Question("2", "Where are the backups?").asked == "Where are the backups?"


def test_figures_stand_above_the_floors_they_are_compared_with() -> None:
    lines = table(
        "a set", ("ndcg@10", "ms"), [("reranked", [0.84, 12.5])], [Floor("floor: BM25", (".628",))]
    ).splitlines()
    assert [line.split() for line in lines] == [
        ["a", "set", "ndcg@10", "ms"],
        ["reranked", "0.840", "12.5"],
        ["floor:", "BM25", ".628"],
    ]


def test_a_folder_that_is_no_set_is_refused_by_the_name_of_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"corpus\.jsonl is missing"):
        read_set(tmp_path)
    with pytest.raises(Invalid, match="questions_df"):
        read_spans(tmp_path)
