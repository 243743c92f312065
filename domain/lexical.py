"""BM25: how much a word says about a chunk, and how much it says at all (Robertson and Zaragoza 2009, section 3)."""

import math
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping

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
        for lexeme in lexemes:
            counted[lexeme] += weight
    return counted


def chunk_weights(counted: Mapping[str, int], pivot_words: float) -> dict[int, float]:
    """Return the chunk's side of BM25 by dimension: tf (k1 + 1) / (tf + k1 (1 - b + b length / pivot))."""
    length = sum(counted.values())
    norm = K1 * (1 - B + B * length / pivot_words)
    heaviest = sorted(counted.items(), key=lambda entry: -entry[1])[:MAX_SPARSE_ENTRIES]
    return {dimension(lexeme): tf * (K1 + 1) / (tf + norm) for lexeme, tf in heaviest}


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
