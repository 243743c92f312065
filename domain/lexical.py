"""BM25: how much a word says about a chunk, and how much it says at all (Robertson and Zaragoza 2009, section 3)."""

import math
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec
import numpy as np
import numpy.typing as npt

K1 = 1.6
B = 0.6
"""Chunks are cut to similar lengths, so length says less than in whole documents, where .75 is usual; what a word says
is flat around these values on all public sets (docs/decisions/0008)."""
N_DIMENSIONS = 1_000_000_000
"""Lexemes are hashed into this many dimensions; the largest a sparse vector of pgvector may have."""
MAX_SPARSE_ENTRIES = 4_000
"""Far above what a chunk holds; keeps one absurd chunk from breaking its document."""


def dimension(lexeme: str) -> int:
    """Return the lexeme's dimension, 0 to N_DIMENSIONS - 1, the same on every machine.

    Of 100,000 lexemes, about five pairs share one.
    """
    return zlib.crc32(lexeme.encode()) % N_DIMENSIONS


def frequencies(*fields: tuple[Iterable[str], int]) -> Counter[str]:
    """Return how often each lexeme occurs over the fields; each comes with the weight one occurrence has in it."""
    counted: Counter[str] = Counter()
    for lexemes, weight in fields:
        if weight == 1:
            counted.update(lexemes)  # counts without coming back to Python for each
            continue
        for lexeme in lexemes:
            counted[lexeme] += weight
    return counted


def chunk_weights(counted: Mapping[str, int], pivot_words: float) -> dict[int, float]:
    """Return the chunk's side of BM25 by dimension: tf (k1 + 1) / (tf + k1 (1 - b + b length / pivot))."""
    length = sum(counted.values())
    norm = K1 * (1 - B + B * length / pivot_words)
    held = counted.items()
    if len(held) > MAX_SPARSE_ENTRIES:
        held = dict(sorted(held, key=lambda entry: -entry[1])[:MAX_SPARSE_ENTRIES]).items()
    return {dimension(lexeme): tf * (K1 + 1) / (tf + norm) for lexeme, tf in held}


def inverse_document_frequency(n_chunks: int, n_containing: int) -> float:
    """Return ln(1 + (N - n + 0.5) / (n + 0.5)): positive for every word, near 0 for those in every chunk."""
    return math.log(1 + max(0.0, n_chunks - n_containing + 0.5) / (n_containing + 0.5))


def question_weights(counted: Mapping[str, float], n_chunks: int, n_containing: Mapping[str, int]) -> dict[int, float]:
    """Return the question's side of BM25 by dimension: how rare each of its words is in this tenant."""
    return {
        dimension(lexeme): tf * inverse_document_frequency(n_chunks, n_containing[lexeme])
        for lexeme, tf in counted.items()
        if n_containing.get(lexeme)
    }


class ChunkWeights(msgspec.Struct, frozen=True):
    """The chunks' side of BM25, as the entries of a sparse matrix: `values[k]` at `rows[k]` and `dimensions[k]`.

    Rows are in order; (k,) int64, (k,) int64, (k,) float64.
    """

    rows: npt.NDArray[np.int64]
    dimensions: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]

    def scores(self, question: Mapping[int, float], n_rows: int) -> npt.NDArray[np.float64]:
        """Return each row's BM25 for the question's side by dimension: (n_rows,) float64."""
        asked = np.array(sorted(question), np.int64)
        if not asked.size:
            return np.zeros(n_rows)
        says = np.array([question[place] for place in asked.tolist()])
        at = np.minimum(np.searchsorted(asked, self.dimensions), asked.size - 1)
        products = np.where(asked[at] == self.dimensions, says[at] * self.values, 0.0)
        scores: npt.NDArray[np.float64] = np.bincount(self.rows, products, n_rows).astype(np.float64)
        return scores

    def occurrences(self, rows: Iterable[int], lexemes: Iterable[str]) -> list[dict[str, float]]:
        """Return how often those of the lexemes that stand in each row's chunk do so.

        Weights are read back; the least of a chunk is taken for that of a word that stands there once.
        """
        places = {each: dimension(each) for each in lexemes}
        said = []
        for row in rows:
            held = self._counted(row)
            said.append({each: held[place] for each, place in places.items() if place in held})
        return said

    def _counted(self, row: int) -> dict[int, float]:
        start, end = np.searchsorted(self.rows, [row, row + 1])
        weights = self.values[start:end]
        if not weights.size:
            return {}
        norm = (K1 + 1) / weights.min() - 1
        counted = weights * norm / np.maximum(K1 + 1 - weights, 1e-6)
        return dict(zip(self.dimensions[start:end].tolist(), counted.tolist(), strict=True))
