"""The normaliser at the terminal."""

import json
from pathlib import Path

import pytest

from domain.errors import Invalid
from infra.naming import match_lines, resolve_lines


def test_records_come_back_in_order_each_with_its_cluster(tmp_path: Path) -> None:
    file = tmp_path / "people.jsonl"
    file.write_text(
        '{"id": 7, "name": "Lena Okafor", "email": "lena@okafor.example"}\n'
        '{"id": "b", "name": "Tom Reed"}\n\n{"id": "c", "name": "L. Okafor", "email": "LENA@okafor.example", "x": 1}\n'
    )
    assert [json.loads(line) for line in resolve_lines(file)] == [
        {"id": 7, "cluster": 7},
        {"id": "b", "cluster": "b"},
        {"id": "c", "cluster": 7},
    ]


def test_pairs_come_back_with_verdict_and_score(tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text('name1,name2\n"Byron, Ada",Ada Byron\nAda Byron,Tom Reed\n')
    lines = [json.loads(line) for line in match_lines(file)]
    assert [(line["name1"], line["name2"], line["same"]) for line in lines] == [
        ("Byron, Ada", "Ada Byron", True),
        ("Ada Byron", "Tom Reed", False),
    ]
    assert lines[0]["score"] > lines[1]["score"]


@pytest.mark.parametrize("content", ["no json", '{"name": "x"}', '{"id": 1}\n{"id": 1}'])
def test_a_broken_line_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "people.jsonl"
    file.write_text(content)
    with pytest.raises(Invalid, match="Line"):
        list(resolve_lines(file))


def test_a_missing_file_and_missing_columns_are_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cannot be read"):
        list(match_lines(tmp_path / "nothing.csv"))
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(Invalid, match="name1 and name2"):
        list(match_lines(tmp_path / "x.csv"))
