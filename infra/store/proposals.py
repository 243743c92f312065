"""Vectors on their way out of Postgres, in the form pgvector sends them, made into arrays at once."""

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from domain.lexical import ChunkWeights
from domain.search import Proposed

HALFVEC_HEADER_BYTES = 4
"""Dimensions and a spare, two bytes each; then big-endian float16."""
SPARSEVEC_HEADER_BYTES = 12
"""Dimensions, entries and a spare, four bytes each; then all places (int32), then all values (float32), big-endian."""

Entries = npt.NDArray[np.generic]


def read_proposed(row: sa.Row[tuple[object, ...]], n_dimensions: int) -> Proposed:
    """Return one row of (chunk_ids, document_ids, weights, vectors) as arrays; all null where nothing is proposed."""
    if row.chunk_ids is None:
        return _nothing(n_dimensions)
    n = len(row.chunk_ids)
    vectors = np.frombuffer(row.vectors, np.uint8).reshape(n, HALFVEC_HEADER_BYTES + 2 * n_dimensions)
    halves = vectors[:, HALFVEC_HEADER_BYTES:].copy().view(">f2")
    places, values = _entries(row.weights)
    return Proposed(
        chunk_ids=tuple(row.chunk_ids),
        document_ids=tuple(row.document_ids),
        vectors=halves.astype(np.float32),
        weights=ChunkWeights(
            rows=np.repeat(np.arange(n), [len(each) for each in places]),
            dimensions=np.concatenate(places).astype(np.int64),
            values=np.concatenate(values).astype(np.float64),
        ),
    )


def _nothing(n_dimensions: int) -> Proposed:
    no_weights = ChunkWeights(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    return Proposed((), (), np.zeros((0, n_dimensions), np.float32), no_weights)


def no_vector(n_dimensions: int) -> bytes:
    """Return what stands for a vector that is not there: all zeros."""
    return bytes(HALFVEC_HEADER_BYTES + 2 * n_dimensions)


def _entries(sent: bytes) -> tuple[list[Entries], list[Entries]]:
    """Return places and values of sparse vectors that were sent one after the other."""
    places, values, at = [], [], 0
    while at < len(sent):
        n_entries = int.from_bytes(sent[at + 4 : at + 8], "big")
        start = at + SPARSEVEC_HEADER_BYTES
        places.append(np.frombuffer(sent, ">i4", n_entries, start))
        values.append(np.frombuffer(sent, ">f4", n_entries, start + 4 * n_entries))
        at = start + 8 * n_entries
    return places, values
