"""Writing chunks: what the store does, COPY in binary form between two statements, against one statement for all.

`python -m bench.writing` with servers of its own.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence

import numpy as np
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bench import corpus
from bench.crowd import SEPARATOR
from bench.house import Measured, scratch_house
from domain.chunking import Chunk, chunk
from domain.lexical import chunk_weights
from domain.parsing import ParseSettings
from infra.analysis import WordAnalyzer
from infra.database import tenant_transaction
from infra.logs import configure_logs
from infra.parsers.reading import read
from infra.store import chunk_writing as writing
from infra.store.columns import Vectors, model_ids

SIZES = ((2, 50), (20, 5), (200, 1))
"""Chunks written together, and how often a round."""
ROUNDS = 3
PIVOT = 150.0
ANALYZER = WordAnalyzer()
ONE_STATEMENT = sa.text("""
with incoming as (
    select * from unnest(
        cast(:ids as bigint[]), cast(:documents as bigint[]), cast(:versions as bigint[]), cast(:ordinals as int[]),
        cast(:starts as int[]), cast(:ends as int[]), cast(:pages as int[]),
        cast(:heading_paths as text[]), cast(:texts as text[]), cast(:hashes as text[]), cast(:n_words as int[]),
        cast(:lexemes as text[]), cast(:weights as text[]), cast(:vectors as text[]), cast(:next_vectors as text[])
    ) as each (
        id, document_id, version_id, ordinal, start_at, end_at, page, heading_path, text, content_hash, n_words,
        lexemes, weights, vector, next_vector
    )
), chunk as (
    insert into chunks (
        id, tenant_id, document_id, version_id, ordinal, start_at, end_at, page, heading_path, text, content_hash, model
    ) overriding system value
    select id, :tenant, document_id, version_id, ordinal, start_at, end_at, page,
        array(select json_array_elements_text(cast(heading_path as json))), text,
        decode(content_hash, 'hex'), :model from incoming
), entry as (
    insert into chunk_index (
        tenant_id, chunk_id, document_id, n_words, tsv, sv, embedding, model_id, embedding_next, model_next_id
    ) select :tenant, id, document_id, n_words,
        array_to_tsvector(array_prepend(cast(:tenant_lexeme as text), string_to_array(lexemes, chr(31)))),
        cast(weights as sparsevec), cast(vector as halfvec), :model_id, cast(next_vector as halfvec), :model_next_id
    from incoming
), word as (
    insert into lexemes (tenant_id, lexeme, n_chunks)
    select :tenant, lexeme, count(*) from incoming, string_to_table(lexemes, chr(31)) lexeme
    group by lexeme order by lexeme
    on conflict (tenant_id, lexeme) do update set n_chunks = lexemes.n_chunks + excluded.n_chunks
)
insert into lexical_statistics (tenant_id, n_chunks, n_words, pivot_words)
select :tenant, count(*), sum(n_words), avg(n_words) from incoming
on conflict (tenant_id) do update set
    n_chunks = lexical_statistics.n_chunks + excluded.n_chunks,
    n_words = lexical_statistics.n_words + excluded.n_words
""")
Write = Callable[[AsyncConnection, int, Sequence[writing.Placed], Vectors], Awaitable[None]]


async def by_product(
    connection: AsyncConnection, tenant_id: int, chunks: Sequence[writing.Placed], vectors: Vectors
) -> None:
    """Write as the product does."""
    await writing.add_chunks(connection, tenant_id, ANALYZER, chunks, PIVOT, vectors, is_walked=True)


async def by_statement(
    connection: AsyncConnection, tenant_id: int, chunks: Sequence[writing.Placed], vectors: Vectors
) -> None:
    """Write the same rows in one statement, everything as text."""
    counted = [writing.count_words(ANALYZER, at.chunk.title, at.chunk.heading_path, at.chunk.text) for at in chunks]
    binds = {
        **writing.chunk_binds(tenant_id, chunks, vectors.model),
        "tenant_lexeme": writing.tenant_lexeme(tenant_id),
        "n_words": [words.total() for words in counted],
        "lexemes": [SEPARATOR.join(words) for words in counted],
        "weights": [writing.sparse_text(chunk_weights(words, PIVOT)) for words in counted],
        "vectors": [writing.dense_text(each) for each in vectors.first],
        "model_id": vectors.model_id,
        "next_vectors": [None] * len(chunks),
        "model_next_id": 0,
    }
    await connection.execute(ONE_STATEMENT, binds)


async def measure(measured: Measured, write: Write, pool: Sequence[Chunk], n_chunks: int, n_times: int) -> float:
    """Return seconds a write, rolled back at the end: both sides write into the same indexes."""
    chance = np.random.default_rng(n_chunks)
    async with measured.stores.engine.connect() as connection:
        await connection.execute(
            sa.text("select set_config('kv.tenant', :t, true)"), {"t": str(measured.viewer.tenant_id)}
        )
        document = sa.text("select id, version_id from documents where n_chunks > 0 order by id limit 1")
        row = (await connection.execute(document)).one()
        model = (await model_ids(connection, ["bench"]))["bench"]
        started = time.perf_counter()
        for number in range(n_times):
            reserve = sa.text("select nextval(pg_get_serial_sequence('chunks', 'id')) from generate_series(1, :n)")
            ids = list((await connection.execute(reserve, {"n": n_chunks})).scalars())
            chunks = [
                writing.Placed(chunk_id, row.id, row.version_id, each, pool[(number * n_chunks + each) % len(pool)])
                for each, chunk_id in enumerate(ids)
            ]
            made = chance.standard_normal((n_chunks, 384)).astype(np.float32)
            await write(connection, measured.viewer.tenant_id, chunks, Vectors("bench", made, "", None, model))
        took_s = time.perf_counter() - started
        await connection.rollback()
    return took_s / n_times


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
        print("\nWriting chunks with their index, ms a write; medians of", ROUNDS)
        for n_chunks, n_times in SIZES:
            sides: dict[str, list[float]] = {"product": [], "statement": []}
            for _ in range(ROUNDS):
                sides["product"].append(await measure(measured, by_product, pool, n_chunks, n_times))
                sides["statement"].append(await measure(measured, by_statement, pool, n_chunks, n_times))
            ours, other = (1000 * statistics.median(each) for each in sides.values())
            print(f"  {n_chunks:4} chunks   COPY {ours:8.1f}   one statement {other:8.1f}   ratio {ours / other:5.2f}")


if __name__ == "__main__":
    asyncio.run(main())
