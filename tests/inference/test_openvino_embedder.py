import subprocess
import sys
import warnings

import numpy as np
import pytest

from domain.embedding import Matrix
from infra.inference.export import DEFAULT_MODEL, model_folder
from infra.inference.exported import ExportedModel
from infra.inference.openvino_embedder import OpenVinoEmbedder, Precision, best_precision
from tests.inference.embedder_contract import keeps_the_promises_of_an_embedder

TEXTS = [
    "The harbour office moved its backups to Tuesday.",
    "",
    "Who approves a purchase over 10,000 euros? " * 120,
    "😀 Ünïcödé 🎉 名前",
    "ok",
    "Decision: we keep Postgres.\nReason: one database is enough.\tOwner: Ines",
    *(f"Order {number} was shipped " + "with care " * number for number in range(60)),
]


@pytest.fixture(scope="module")
def reference() -> Matrix:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415 -- seven seconds, and warnings

        vectors = SentenceTransformer(str(model_folder(DEFAULT_MODEL)), device="cpu").encode(TEXTS)
    return np.asarray(vectors, dtype=np.float32)


@pytest.mark.parametrize(("precision", "at_least"), [("f32", 0.99999), ("bf16", 0.999)])
async def test_vectors_agree_with_the_published_model(
    exported: ExportedModel, reference: Matrix, precision: Precision, at_least: float
) -> None:
    async with OpenVinoEmbedder(exported, precision=precision) as embedder:
        vectors = await embedder.embed(TEXTS)
    assert (vectors * reference).sum(axis=1).min() >= at_least


async def test_an_embedder_keeps_its_promises(embedder: OpenVinoEmbedder) -> None:
    await keeps_the_promises_of_an_embedder(embedder)


async def test_a_model_may_be_warmed_before_the_first_question(
    exported: ExportedModel,
) -> None:
    async with OpenVinoEmbedder(exported, n_threads=1) as embedder:
        await embedder.warm()
        assert (await embedder.embed(["ready"])).shape == (1, 384)


@pytest.mark.parametrize(("capabilities", "precision"), [(["FP32", "BF16", "INT8"], "bf16"), (["FP32", "INT8"], "f32")])
def test_a_processor_without_bf16_computes_in_full_precision(capabilities: list[str], precision: str) -> None:
    class Processor:
        def get_property(self, device: str, name: str) -> list[str]:
            assert (device, name) == ("CPU", "OPTIMIZATION_CAPABILITIES")
            return capabilities

    assert best_precision(Processor()) == precision


SCRIPT = """
import asyncio, sys
from pathlib import Path
from infra.inference.exported import read_export
from infra.inference.openvino_embedder import OpenVinoEmbedder
vectors = asyncio.run(OpenVinoEmbedder(read_export(Path(sys.argv[1]))).embed(["A question."]))
print(vectors.shape, sorted({"torch", "transformers", "sentence_transformers"} & set(sys.modules)))
"""


def test_embedding_needs_no_torch_in_memory(exported: ExportedModel) -> None:
    command = [sys.executable, "-c", SCRIPT, str(exported.folder)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.strip() == "(1, 384) []"
