from pathlib import Path

import pytest

from infra.inference.processors import allowed_processors


def test_a_container_with_a_quota_computes_on_no_more_than_it_may(tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    assert allowed_processors(tmp_path) == 1


@pytest.mark.parametrize("written", ["max 100000\n", "", "nonsense"])
def test_without_a_quota_the_processors_of_the_process_count(tmp_path: Path, written: str) -> None:
    unlimited = allowed_processors(tmp_path / "absent")
    (tmp_path / "cpu.max").write_text(written)
    assert allowed_processors(tmp_path) == unlimited >= 1


def test_an_older_container_runtime_is_understood(tmp_path: Path) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("100000\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert allowed_processors(tmp_path) == 1
