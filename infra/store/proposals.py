"""Vectors on their way out of Postgres, in the form pgvector sends them, made into arrays at once."""

from collections.abc import Sequence

import numpy as np
import sqlalchemy as sa

from domain.lexical import ChunkWeights
from domain.search import Proposed

HALFVEC_HEADER_BYTES = 4
"""Dimensions and a spare, two bytes each; then big-endian float16."""
SPARSEVEC_HEADER_BYTES = 12
"""Dimensions, entries and a spare, four bytes each; then all places (int32), then all values (float32), big-endian."""


def read_proposed(rows: Sequence[sa.Row[tuple[object, ...]]], n_dimensions: int) -> Proposed:
    """Return rows of (chunk_id, document_id, weights, vector) as arrays; a vector that is not there is all zeros."""
    nothing = bytes(HALFVEC_HEADER_BYTES + 2 * n_dimensions)
    vectors = np.frombuffer(b"".join((row.vector or nothing)[HALFVEC_HEADER_BYTES:] for row in rows), ">f2")
    sent = [row.weights[SPARSEVEC_HEADER_BYTES:] for row in rows]
    halves = [len(each) // 2 for each in sent]
    places = np.frombuffer(b"".join(each[:half] for each, half in zip(sent, halves, strict=True)), ">i4")
    values = np.frombuffer(b"".join(each[half:] for each, half in zip(sent, halves, strict=True)), ">f4")
    return Proposed(
        chunk_ids=tuple(row.chunk_id for row in rows),
        document_ids=tuple(row.document_id for row in rows),
        vectors=vectors.astype(np.float32).reshape(len(rows), n_dimensions),
        weights=ChunkWeights(
            rows=np.repeat(np.arange(len(rows)), [half // 4 for half in halves]),
            dimensions=places.astype(np.int64),
            values=values.astype(np.float64),
        ),
    )
