"""Vectors that stand for meaning: the port of the model that makes them."""

import hashlib
import unicodedata
from collections.abc import Sequence
from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]
"""float32; (n, d) for many texts, (d,) for one."""


class EmbeddingModel(msgspec.Struct, frozen=True):
    """Which model made a vector; vectors of different models are never compared."""

    name: str
    revision: str
    n_dimensions: int

    @property
    def label(self) -> str:
        """Name and revision, as vectors are labelled."""
        return f"{self.name}@{self.revision}"


class Embedder(Protocol):
    """Turns text into vectors."""

    @property
    def model(self) -> EmbeddingModel:
        """The model behind this embedder."""

    async def embed(self, texts: Sequence[str]) -> Matrix:
        """Return one row per text, in order: (n, d) float32, unit norm.

        Texts over the model's limit are cut, not refused.
        Raises: Unavailable when the model cannot be reached after three tries.
        """


def normalised(text: str) -> str:
    """Return the text as caches key it: NFC, white space folded."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def text_hash(text: str) -> bytes:
    """SHA-256 of the normalised text."""
    return hashlib.sha256(normalised(text).encode()).digest()
