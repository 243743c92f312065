"""What `make eval` tells of conversations, on a set small enough to know by heart."""

import csv
import json
from pathlib import Path

import pytest

from domain.vault import Tools
from infra.conversation_evaluation import read_conversations
from infra.evaluation_tables import RETRIEVAL_SETS, evaluate_all
from infra.store import Stores

FAIR = "The harbour fair opens on 14 June 2025 at nine. Stalls cost 120 euros a day."
FERRY = "The ferry to the islands leaves at seven every morning from pier four."
HISTORY = [{"speaker": "user", "text": "When does the harbour fair open?"}, {"speaker": "agent", "text": "In June."}]
QUESTIONS = [
    {"_id": "q1", "text": "When does the ferry to the islands leave?", "answerability": "ANSWERABLE"},
    {"_id": "q2", "text": "What does a stall there cost?", "answerability": "ANSWERABLE", "history": HISTORY},
    {"_id": "q3", "text": "Which vaccine did Louis Pasteur invent?", "answerability": "UNANSWERABLE"},
    {"_id": "q4", "text": "And the rest?", "answerability": "PARTIAL"},
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a folder with every public set, each of two documents."""
    for name in RETRIEVAL_SETS:
        folder = tmp_path / name
        (folder / "qrels").mkdir(parents=True)
        corpus = [{"_id": "fair", "title": "Fair", "text": FAIR}, {"_id": "ferry", "title": "Ferry", "text": FERRY}]
        (folder / "corpus.jsonl").write_text("\n".join(json.dumps(each) for each in corpus))
        (folder / "queries.jsonl").write_text("\n".join(json.dumps(each) for each in QUESTIONS) + "\n")
        (folder / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\tferry\t1\nq2\tfair\t1\n")
    (tmp_path / "spans" / "corpora").mkdir(parents=True)
    (tmp_path / "spans" / "corpora" / "ferry.md").write_text(FERRY)
    reference = {"content": FERRY, "start_index": 0, "end_index": len(FERRY)}
    with (tmp_path / "spans" / "questions_df.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["question", "references", "corpus_id"])
        rows.writerow(["When does the ferry leave?", json.dumps([reference]), "ferry"])
    return tmp_path


async def test_beside_how_well_it_is_found_stands_whether_conversations_are_answered_or_refused(
    stores: Stores, tools: Tools, data: Path
) -> None:
    tables = [one.splitlines() async for one in evaluate_all(stores, tools, data)]
    told = next(lines for lines in tables if lines[0].startswith("conversations/beir_pooled, answerable or not"))
    assert told[0].split()[-6:] == ["auc", "accuracy", "answered", "refused", "verbatim", "ms"]
    assert told[1].split()[:6] == ["answers", "1.000", "1.000", "1.000", "1.000", "1.000"]
    assert [line.split()[-1] for line in told[2:]] == [".756", "1.000"]
    assert all(any("floor" in line or "to reach" in line for line in lines) for lines in tables)


def test_what_is_answerable_in_part_or_asked_unclearly_is_left_out(data: Path) -> None:
    found = read_conversations(data / "conversations/beir_pooled")
    assert [each.answerability for each in found] == ["ANSWERABLE", "ANSWERABLE", "UNANSWERABLE"]
    assert found[1].earlier == ["When does the harbour fair open?"]
