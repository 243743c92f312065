"""COPY in binary form: numbers, words and vectors go to Postgres as they will lie there, with nothing to be parsed."""

import struct
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import psycopg
from pgvector import SparseVector
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.embedding import Matrix

HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
TRAILER = struct.pack(">h", -1)
NULL = struct.pack(">i", -1)


async def copy_rows(connection: AsyncConnection, statement: str, rows: Iterable[Sequence[bytes | None]]) -> None:
    """Send rows, whose fields are in Postgres' binary form, in this transaction; `statement` is our own."""
    driver = (await connection.get_raw_connection()).driver_connection
    assert isinstance(driver, psycopg.AsyncConnection)  # noqa: S101  # for the type checker: the engine is psycopg's
    async with driver.cursor() as cursor, cursor.copy(statement) as copy:
        await copy.write(HEADER)
        for row in rows:
            await copy.write(b"".join((struct.pack(">h", len(row)), *map(_field, row))))
        await copy.write(TRAILER)


def _field(value: bytes | None) -> bytes:
    return NULL if value is None else struct.pack(">i", len(value)) + value


def as_int(value: int) -> bytes:
    """Return an `int`."""
    return struct.pack(">i", value)


def as_bigint(value: int) -> bytes:
    """Return a `bigint`."""
    return struct.pack(">q", value)


def as_boolean(value: bool) -> bytes:
    """Return a `boolean`."""
    return b"\1" if value else b"\0"


def as_tsvector(lexemes: Sequence[str]) -> bytes:
    """Return a `tsvector` of different lexemes, in any order, without positions."""
    entries = (lexeme.encode() + b"\0\0\0" for lexeme in lexemes)
    return struct.pack(">i", len(lexemes)) + b"".join(entries)


def as_sparsevec(weights: Mapping[int, float], n_dimensions: int) -> bytes:
    """Return a `sparsevec`; its dimensions count from 0 here."""
    return SparseVector(dict(weights), n_dimensions).to_binary()


def as_halfvec(vector: Matrix) -> bytes:
    """Return a `halfvec`, rounded to half precision."""
    return struct.pack(">hh", len(vector), 0) + vector.astype(np.dtype(np.float16).newbyteorder(">")).tobytes()
