"""Writing chunks: the one statement of `infra.store.chunk_writing` against COPY into the index, by chunks a document.

`python -m bench.writing` with servers of its own. Postgres refuses COPY into a table with row security, which `chunks`
has, so only the rows of `chunk_index` can be copied; and COPY cannot count words, so two upserts follow it.
"""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

import numpy as np
import psycopg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bench import corpus
from bench.house import Measured, scratch_house
from domain.chunking import Chunk, chunk
from domain.embedding import Matrix
from domain.lexical import chunk_weights
from domain.parsing import ParseSettings
from infra.analysis import WordAnalyzer
from infra.database import tenant_transaction
from infra.logs import configure_logs
from infra.parsers.reading import read
from infra.store import chunk_writing as writing
from infra.store.columns import model_ids

SIZES = ((2, 50), (20, 5), (200, 1))
"""Chunks a document, and documents a round."""
ROUNDS = 3
PIVOT = 150.0
ANALYZER = WordAnalyzer()
CHUNKS = sa.text("""
insert into chunks (
    id, tenant_id, document_id, version_id, ordinal, start_at, end_at, page, heading_path, text, content_hash, model
) overriding system value
select id, :tenant, document_id, version_id, ordinal, start_at, end_at, page,
    array(select json_array_elements_text(cast(heading_path as json))), text, content_hash, :model
from unnest(
    cast(:ids as bigint[]), cast(:documents as bigint[]), cast(:versions as bigint[]), cast(:ordinals as int[]),
    cast(:starts as int[]), cast(:ends as int[]), cast(:pages as int[]),
    cast(:heading_paths as text[]), cast(:texts as text[]), cast(:hashes as bytea[])
) as each (id, document_id, version_id, ordinal, start_at, end_at, page, heading_path, text, content_hash)
""")
COPY_INDEX = "copy chunk_index (tenant_id, chunk_id, document_id, n_words, tsv, sv, embedding, model_id) from stdin"
COUNT = sa.text("""
with word as (
    insert into lexemes (tenant_id, lexeme, n_chunks)
    select :tenant, lexeme, n from unnest(cast(:words as text[]), cast(:counts as int[])) each (lexeme, n)
    order by lexeme on conflict (tenant_id, lexeme) do update set n_chunks = lexemes.n_chunks + excluded.n_chunks
)
insert into lexical_statistics (tenant_id, n_chunks, n_words, pivot_words) values (:tenant, :n, :n_words, 1)
on conflict (tenant_id) do update set
    n_chunks = lexical_statistics.n_chunks + excluded.n_chunks, n_words = lexical_statistics.n_words + excluded.n_words
""")
Write = Callable[[AsyncConnection, int, Sequence[writing.Placed], Matrix, int], Awaitable[None]]


async def by_statement(
    connection: AsyncConnection,
    tenant_id: int,
    chunks: Sequence[writing.Placed],
    vectors: Matrix,
    model: int,
) -> None:
    """Write as the product does."""
    counted = [_words(at.chunk) for at in chunks]
    binds = {
        "model": "bench",
        "vectors": [writing.dense_text(each) for each in vectors],
        "model_id": model,
        "next_vectors": [None] * len(chunks),
        "model_next_id": 0,
    }
    words = writing.word_binds(counted, PIVOT)
    await connection.execute(writing.ADD_CHUNKS, writing.chunk_binds(tenant_id, chunks) | words | binds)


async def by_copy(
    connection: AsyncConnection,
    tenant_id: int,
    chunks: Sequence[writing.Placed],
    vectors: Matrix,
    model: int,
) -> None:
    """Write the same rows, those of the index by COPY."""
    counted = [_words(at.chunk) for at in chunks]
    driver = (await connection.get_raw_connection()).driver_connection
    assert isinstance(driver, psycopg.AsyncConnection)
    await connection.execute(CHUNKS, {**writing.chunk_binds(tenant_id, chunks), "model": "bench"})
    own = writing.tenant_lexeme(tenant_id)
    async with driver.cursor() as cursor, cursor.copy(COPY_INDEX) as copy:
        for at, words, vector in zip(chunks, counted, vectors, strict=True):
            tsv = " ".join("'" + each.replace("\\", "\\\\").replace("'", "''") + "'" for each in (own, *words))
            weights = writing.sparse_text(chunk_weights(words, PIVOT))
            row = (tenant_id, at.id, at.document_id, words.total(), tsv, weights)
            await copy.write_row((*row, writing.dense_text(vector), model))
    held = Counter(lexeme for words in counted for lexeme in words)
    names = sorted(held)
    n_words = sum(words.total() for words in counted)
    counts = [held[each] for each in names]
    binds = {"tenant": tenant_id, "words": names, "counts": counts, "n": len(chunks), "n_words": n_words}
    await connection.execute(COUNT, binds)


def _words(of: Chunk) -> Counter[str]:
    return writing.count_words(ANALYZER, of.title, of.heading_path, of.text)


async def measure(measured: Measured, write: Write, pool: Sequence[Chunk], n_chunks: int, n_documents: int) -> float:
    """Return seconds a document, rolled back at the end: both sides write into the same indexes."""
    chance = np.random.default_rng(n_chunks)
    async with measured.stores.engine.connect() as connection:
        await connection.execute(
            sa.text("select set_config('kv.tenant', :t, true)"), {"t": str(measured.viewer.tenant_id)}
        )
        document = sa.text("select id, version_id from documents where n_chunks > 0 order by id limit 1")
        row = (await connection.execute(document)).one()
        model = (await model_ids(connection, ["bench"]))["bench"]
        started = time.perf_counter()
        for number in range(n_documents):
            reserve = sa.text("select nextval(pg_get_serial_sequence('chunks', 'id')) from generate_series(1, :n)")
            ids = list((await connection.execute(reserve, {"n": n_chunks})).scalars())
            chunks = [
                writing.Placed(chunk_id, row.id, row.version_id, each, pool[(number * n_chunks + each) % len(pool)])
                for each, chunk_id in enumerate(ids)
            ]
            vectors = chance.standard_normal((n_chunks, 384)).astype(np.float32)
            await write(connection, measured.viewer.tenant_id, chunks, vectors, model)
        took_s = time.perf_counter() - started
        await connection.rollback()
    return took_s / n_documents


async def main() -> None:
    """Print the table."""
    configure_logs("error", is_production=True)
    pool = [
        each
        for name, text in corpus.documents(300).items()
        for each in chunk(read(name, "text/markdown", text.encode(), ParseSettings()))
    ]
    async with scratch_house() as measured:
        measured.source.files = corpus.documents(2)
        await measured.sync()
        async with tenant_transaction(measured.stores.engine, measured.viewer.tenant_id) as connection:
            await model_ids(connection, ["bench"])
        print("\nWriting a document's chunks with their index, ms a document; medians of", ROUNDS)
        for n_chunks, n_documents in SIZES:
            sides: dict[str, list[float]] = {"statement": [], "copy": []}
            for _ in range(ROUNDS):
                sides["statement"].append(await measure(measured, by_statement, pool, n_chunks, n_documents))
                sides["copy"].append(await measure(measured, by_copy, pool, n_chunks, n_documents))
            ours, copied = (1000 * statistics.median(each) for each in sides.values())
            print(
                f"  {n_chunks:4} chunks   one statement {ours:8.1f}   COPY {copied:8.1f}   ratio {copied / ours:5.2f}"
            )


if __name__ == "__main__":
    asyncio.run(main())
