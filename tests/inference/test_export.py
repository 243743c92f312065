from pathlib import Path

import msgspec
import pytest

from domain.errors import Invalid, Unavailable
from infra.inference.export import DEFAULT_MODEL, DEFAULT_SHA256, ensure_exported, export
from infra.inference.exported import CARD_FILE, ExportedModel, read_export


def test_the_default_model_is_the_one_its_authors_published(exported: ExportedModel) -> None:
    assert exported.model.name == DEFAULT_MODEL
    assert exported.model.revision == DEFAULT_SHA256
    assert exported.model.n_dimensions == 384
    assert exported.card.max_tokens == 256


def test_a_model_is_exported_once(exported: ExportedModel) -> None:
    before = (exported.folder / CARD_FILE).stat().st_mtime_ns
    again = ensure_exported(DEFAULT_MODEL, exported.folder.parent)
    assert again == exported
    assert (again.folder / CARD_FILE).stat().st_mtime_ns == before


def test_a_model_without_safetensors_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pickled").mkdir()
    (tmp_path / "pickled" / "pytorch_model.bin").write_bytes(b"\x80\x04")
    with pytest.raises(Invalid, match="safetensors"):
        export(str(tmp_path / "pickled"), tmp_path / "exported")
    assert not (tmp_path / "exported").exists()


def test_a_model_that_does_not_export_is_reported_with_its_name_and_reason(tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    with pytest.raises(Unavailable, match=r"nothing could not be prepared: .*safetensors.* Check EMBEDDING_MODEL"):
        ensure_exported(str(tmp_path / "nothing"), tmp_path / "models")


def test_half_an_export_and_one_of_an_older_format_are_not_read(exported: ExportedModel, tmp_path: Path) -> None:
    (tmp_path / CARD_FILE).write_bytes((exported.folder / CARD_FILE).read_bytes())
    assert read_export(tmp_path) is None

    for file in exported.folder.iterdir():
        if file.name != CARD_FILE:
            (tmp_path / file.name).symlink_to(file)
    assert read_export(tmp_path) is not None

    older = msgspec.structs.replace(exported.card, format=0)
    (tmp_path / CARD_FILE).write_bytes(msgspec.json.encode(older))
    assert read_export(tmp_path) is None
