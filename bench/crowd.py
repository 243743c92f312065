"""A table of any size: one large tenant among many, of real words and of vectors mixed by topic, built in bulk."""

import random
from collections import Counter
from collections.abc import Iterator

import msgspec
import numpy as np
import psycopg
from pgvector import HalfVector
from pgvector.psycopg import register_vector
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.corpus import sentences
from domain.embedding import Matrix
from domain.lexical import chunk_weights
from domain.vault import Tools
from infra.store.chunk_writing import sparse_text, tenant_lexeme
from infra.store.columns import N_PARTS

SEPARATOR = chr(31)
"""Parts the lexemes of a chunk on their way into one statement."""
CHUNKS_PER_DOCUMENT = 5
SENTENCES_PER_CHUNK = 8
TOPIC_SENTENCES = 40
"""A chunk is about something: its sentences are some of those nearest to one of them."""
PRIVATE_SHARE = 0.5
"""Documents of a tenant that the measured member may not read."""
BATCH = 20_000
INDEXES = {
    "chunk_index_walk": "hnsw (embedding halfvec_ip_ops) with (m = 16, ef_construction = 200)",
    "chunk_index_tsv": "gin (tsv) with (fastupdate = off)",
}
"""As revisions 0025 and 0030 make them, in N_PARTS parts."""
WHICH = {"chunk_index_walk": " and is_walked"}
STAGE = "create unlogged table staged (n bigint primary key, lexemes text, n_words int, sv text, vector halfvec(384))"
PLANT = (
    "insert into integrations (tenant_id, kind, name) values (%(tenant)s, 'folder', 'Crowd')",
    "insert into documents (tenant_id, integration_id, external_id, title, media_type, size_bytes, content_hash,"
    " sorted_at) select %(tenant)s, i.id, n::text, 'Note ' || n, 'text/plain', 1, '', now() - n * interval '1 minute'"
    " from integrations i, generate_series(0, %(count)s / %(per)s) n"
    " where i.tenant_id = %(tenant)s and i.name = 'Crowd'",
    "insert into document_versions (tenant_id, document_id, ordinal, text, blocks, metadata, content_hash)"
    " select tenant_id, id, 1, 'Text of this note.', '[]', '{}', '' from documents where tenant_id = %(tenant)s",
    "insert into document_access select tenant_id, id, case when external_id::bigint %% 100 < %(private)s"
    " then 'user:0' else 'tenant' end from documents where tenant_id = %(tenant)s",
    "insert into chunks (tenant_id, document_id, version_id, ordinal, start_at, end_at, heading_path, text,"
    " content_hash, model) select %(tenant)s, v.document_id, v.id, s.n, 0, 18, '{}', 'Text of this note.', '', ''"
    " from staged s join documents d on d.tenant_id = %(tenant)s and d.external_id = (s.n / %(per)s)::text"
    " join document_versions v on (v.tenant_id, v.document_id) = (d.tenant_id, d.id)",
    "insert into chunk_index (tenant_id, chunk_id, document_id, n_words, tsv, sv, embedding)"
    " select %(tenant)s, c.id, c.document_id, s.n_words,"
    " array_to_tsvector(array_prepend(%(lexeme)s, string_to_array(s.lexemes, chr(31)))), s.sv::sparsevec, s.vector"
    " from staged s join chunks c on c.tenant_id = %(tenant)s and c.ordinal = s.n",
    "insert into lexemes (tenant_id, lexeme, n_chunks) select %(tenant)s, lexeme, count(*)"
    " from staged, string_to_table(lexemes, chr(31)) lexeme group by lexeme",
    "insert into lexical_statistics (tenant_id, n_chunks, n_words, pivot_words)"
    " select %(tenant)s, count(*), sum(n_words), avg(n_words) from staged",
)


class Pool(msgspec.Struct, frozen=True):
    """Sentences with what the index needs of them."""

    words: list[Counter[str]]
    vectors: Matrix
    topics: list[list[int]]
    """For each sentence, those that a chunk about the same may hold."""


async def make_pool(tools: Tools) -> Pool:
    """Take the demo's sentences apart, and embed them."""
    texts = sentences()
    words = [Counter(word.lexeme for word in tools.analyzer.words(text)) for text in texts]
    vectors = await tools.embedder.embed(texts)
    nearest = np.argsort(-(vectors @ vectors.T), axis=1, kind="stable")[:, :TOPIC_SENTENCES]
    return Pool(words, vectors, nearest.tolist())


def rows(
    pool: Pool, count: int, seed: int
) -> Iterator[tuple[int, str, int, str, "np.ndarray[tuple[int], np.dtype[np.float16]]"]]:
    """Yield chunks of mixed sentences."""
    chance, noise = random.Random(seed), np.random.default_rng(seed)
    for number in range(count):
        picked = chance.sample(chance.choice(pool.topics), SENTENCES_PER_CHUNK)
        counted: Counter[str] = Counter()
        for each in picked:
            counted.update(pool.words[each])
        vector = pool.vectors[picked].mean(axis=0) + noise.normal(0, 0.01, pool.vectors.shape[1])
        unit = (vector / np.linalg.norm(vector)).astype(np.float16)
        sparse = sparse_text(chunk_weights(counted, 90))
        yield number, SEPARATOR.join(counted), counted.total(), sparse, unit


def build(engine: AsyncEngine, tenants: dict[int, int], pool: Pool) -> None:
    """Fill the index with so many chunks for each tenant; indexes are made afterwards, in parallel."""
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        register_vector(connection)
        parts = [(name, part) for name in INDEXES for part in range(N_PARTS)]
        for name, part in parts:
            connection.execute(f"drop index {name}_{part}")
        for seed, (tenant_id, count) in enumerate(tenants.items()):
            _plant(connection, tenant_id, rows(pool, count, seed), count)
        connection.execute("set maintenance_work_mem = '1GB'")
        connection.execute("set max_parallel_maintenance_workers = 2")
        for name, part in parts:
            which = f"tenant_id % {N_PARTS} = {part}{WHICH.get(name, '')}"
            connection.execute(f"create index {name}_{part} on chunk_index using {INDEXES[name]} where {which}")
        connection.execute("vacuum analyze chunk_index")
        connection.execute("vacuum analyze documents")
        connection.execute("vacuum analyze document_access")
        connection.execute("vacuum analyze chunks")


def _plant(
    connection: "psycopg.Connection[tuple[object, ...]]", tenant_id: int, made: Iterator[tuple[object, ...]], count: int
) -> None:
    connection.execute("drop table if exists staged")
    connection.execute(STAGE)
    copying = "copy staged (n, lexemes, n_words, sv, vector) from stdin with (format binary)"
    with connection.cursor() as cursor, cursor.copy(copying) as copy:
        copy.set_types(["int8", "text", "int4", "text", "halfvec"])
        for row in made:
            copy.write_row(_adapted(row))
    binds = {"tenant": tenant_id, "count": count, "per": CHUNKS_PER_DOCUMENT, "private": int(100 * PRIVATE_SHARE)}
    with connection.transaction():
        connection.execute("select set_config('kv.tenant', %s, true)", [str(tenant_id)])
        for statement in PLANT:
            connection.execute(statement, {**binds, "lexeme": tenant_lexeme(tenant_id)})
            connection.execute("analyze documents, document_versions")  # else the joins are planned for an empty table
    connection.execute("drop table staged")


def _adapted(row: tuple[object, ...]) -> tuple[object, ...]:
    return (*row[:-1], HalfVector(row[-1]))
