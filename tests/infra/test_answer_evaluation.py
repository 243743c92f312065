import json
from pathlib import Path

import msgspec
import pytest

from domain.conversations import Answer, Sentence
from domain.errors import Invalid
from domain.vault import Tools
from infra.answer_evaluation import (
    AnswerLine,
    LinePassage,
    Measures,
    SelectedSentence,
    evaluate_answers,
    judged,
    measures,
    outcome,
    passages_of,
    read_lines,
)

FAIR = LinePassage(
    "fair",
    "Harbour fair",
    "Stalls cost 120 euros a day. The harbour fair opens on 14 June 2025 at nine. Dogs must stay on their leads.",
)
OPENING = "The harbour fair opens on 14 June 2025 at nine."
ANSWERABLE = AnswerLine("When does the harbour fair open?", (FAIR,), True, (OPENING,))
UNANSWERABLE = AnswerLine("Which vaccine did Louis Pasteur invent?", (FAIR,), False)


async def measured(tools: Tools, *lines: AnswerLine) -> Measures:
    return await evaluate_answers(lines, tools)


async def test_a_perfect_answer_and_a_refusal_score_in_full(tools: Tools) -> None:
    found = await measured(tools, ANSWERABLE, UNANSWERABLE)
    assert found.abstention.auc == found.abstention.accuracy == found.abstention.balanced_accuracy == 1.0
    assert found.citations.precision == found.citations.recall == found.citations.f1 == found.citations.hit == 1.0
    assert found.verbatim == 1.0
    assert found.sentences_per_answer == 1.0


async def test_a_selected_sentence_that_is_not_cited_costs_recall(tools: Tools) -> None:
    line = msgspec.structs.replace(ANSWERABLE, selected_sentences=(OPENING, "Dogs must stay on their leads."))
    found = (await measured(tools, line)).citations
    assert (found.precision, found.recall) == (1.0, 0.5)


async def test_a_cited_sentence_that_is_not_selected_costs_precision(tools: Tools) -> None:
    line = msgspec.structs.replace(ANSWERABLE, selected_sentences=("Dogs must stay on their leads.",))
    found = (await measured(tools, line)).citations
    assert (found.precision, found.recall, found.f1, found.hit) == (0.0, 0.0, 0.0, 0.0)


async def test_a_selected_sentence_may_name_its_passage_and_differ_in_white_space(tools: Tools) -> None:
    selected = SelectedSentence("fair", "the harbour fair opens\n on 14 June 2025 at nine.")
    line = msgspec.structs.replace(ANSWERABLE, selected_sentences=(selected,))
    assert (await measured(tools, line)).citations.f1 == 1.0
    elsewhere = msgspec.structs.replace(line, selected_sentences=(SelectedSentence("other", OPENING),))
    assert (await measured(tools, elsewhere)).citations.reachable == 0.0


async def test_a_quote_that_is_not_in_its_passage_letter_by_letter_is_noticed(tools: Tools) -> None:
    honest = await outcome(ANSWERABLE, tools)
    (sentence,) = honest.answer.sentences
    (citation,) = sentence.citations
    assert honest.n_verbatim == 1
    lie = msgspec.structs.replace(citation, quote=citation.quote.replace("14", "15"))
    told = Answer((Sentence(lie.quote, (lie,)),), False, 0.9)
    assert measures([judged(ANSWERABLE, passages_of(ANSWERABLE), told, 1.0)]).verbatim == 0.0


async def test_without_unanswerable_questions_there_is_no_area_to_tell(tools: Tools) -> None:
    found = (await measured(tools, ANSWERABLE)).abstention
    assert (found.auc, found.balanced_accuracy, found.answered_of_answerable) == (None, None, 1.0)


async def test_a_question_without_passages_is_refused(tools: Tools) -> None:
    found = await measured(tools, AnswerLine("When does it open?", (), False))
    assert found.abstention.refused_of_unanswerable == 1.0
    assert found.verbatim is None


def test_lines_are_read_as_they_are_written(tmp_path: Path) -> None:
    file = tmp_path / "lines.jsonl"
    passage = {"id": 7, "title": "Fair", "text": "Open."}
    file.write_text(json.dumps({"question": "When?", "passages": [passage], "answerable": True}) + "\n\n")
    (line,) = read_lines(file)
    assert line.passages[0].id == 7
    assert line.selected_sentences == ()


@pytest.mark.parametrize(("content", "said"), [("", "empty"), ("{", "Line 1"), ('{"question": "When?"}', "passages")])
def test_a_file_out_of_form_is_refused_by_its_line(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "lines.jsonl"
    file.write_text(content)
    with pytest.raises(Invalid, match=said):
        read_lines(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no file"):
        read_lines(tmp_path / "absent.jsonl")
