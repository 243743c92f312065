"""Write the chunks of documents with their search index, copied in binary form, and the tenant's word counts."""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.chunking import Chunk
from domain.embedding import Matrix
from domain.lexical import N_DIMENSIONS, chunk_weights, frequencies
from infra.analysis import WordAnalyzer
from infra.store.columns import Vectors
from infra.store.copying import as_bigint, as_boolean, as_halfvec, as_int, as_sparsevec, as_tsvector, copy_rows
from infra.store.lexicon import hold_words

TITLE_WEIGHT = 2
HEADING_WEIGHT = 2
"""One word of a title or heading counts as so many in the text."""
ADD_CHUNKS = sa.text("""
insert into chunks (
    id, tenant_id, document_id, version_id, ordinal, start_at, end_at, page, heading_path, text, content_hash, model
) overriding system value
select id, :tenant, document_id, version_id, ordinal, start_at, end_at, page,
    array(select json_array_elements_text(cast(heading_path as json))), text, decode(content_hash, 'hex'), :model
from unnest(
    cast(:ids as bigint[]), cast(:documents as bigint[]), cast(:versions as bigint[]), cast(:ordinals as int[]),
    cast(:starts as int[]), cast(:ends as int[]), cast(:pages as int[]),
    cast(:heading_paths as text[]), cast(:texts as text[]), cast(:hashes as text[])
) as each (id, document_id, version_id, ordinal, start_at, end_at, page, heading_path, text, content_hash)
""")
COPY_INDEX = """
copy chunk_index (
    tenant_id, chunk_id, document_id, n_words, tsv, sv, embedding, model_id, embedding_next, model_next_id, is_walked
) from stdin (format binary)
"""
"""The index of chunks has no row security of its own, which `copy` would refuse."""
COUNT_WORDS = sa.text("""
with word as (
    insert into lexemes (tenant_id, lexeme, n_chunks)
    select :tenant, lexeme, n from unnest(cast(:lexemes as text[]), cast(:counts as int[])) each (lexeme, n)
    on conflict (tenant_id, lexeme) do update set n_chunks = lexemes.n_chunks + excluded.n_chunks
)
insert into lexical_statistics (tenant_id, n_chunks, n_words, pivot_words)
values (:tenant, :n_chunks, :n_words, cast(:n_words as real) / :n_chunks)
on conflict (tenant_id) do update set
    n_chunks = lexical_statistics.n_chunks + excluded.n_chunks,
    n_words = lexical_statistics.n_words + excluded.n_words
returning n_chunks
""")
"""The pivot is the mean length of the first chunks, until the end of a sync finds that it has drifted.
"""


class Placed(msgspec.Struct, frozen=True):
    """A chunk with its id, and where it belongs."""

    id: int
    document_id: int
    version_id: int
    ordinal: int
    chunk: Chunk


def tenant_lexeme(tenant_id: int) -> str:
    """Return the word that stands in every chunk of a tenant, so that the index of words finds the tenant too.

    It begins with a space, which no real lexeme does.
    """
    return f" {tenant_id}"


async def add_chunks(
    connection: AsyncConnection,
    tenant_id: int,
    analyzer: WordAnalyzer,
    chunks: Sequence[Placed],
    pivot_words: float | None,
    vectors: Vectors,
    is_walked: bool,
) -> int:
    """Insert chunks with the vectors of both columns, (len(chunks), d) each; return how many the tenant has then.

    The tenant's words are held until the transaction ends.
    """
    counted = [count_words(analyzer, at.chunk.title, at.chunk.heading_path, at.chunk.text) for at in chunks]
    n_words = sum(words.total() for words in counted)
    await connection.execute(ADD_CHUNKS, chunk_binds(tenant_id, chunks, vectors.model))
    await _copy_index(connection, tenant_id, chunks, counted, pivot_words or n_words / len(counted), vectors, is_walked)
    held = Counter(lexeme for words in counted for lexeme in words)
    lexemes = sorted(held)
    await hold_words(connection, tenant_id)
    binds = {"tenant": tenant_id, "lexemes": lexemes, "counts": [held[each] for each in lexemes]}
    rows = await connection.execute(COUNT_WORDS, {**binds, "n_chunks": len(chunks), "n_words": n_words})
    return int(rows.scalar_one())


async def _copy_index(
    connection: AsyncConnection,
    tenant_id: int,
    chunks: Sequence[Placed],
    counted: Sequence[Counter[str]],
    pivot_words: float,
    vectors: Vectors,
    is_walked: bool,
) -> None:
    second = vectors.second if vectors.second is not None else [None] * len(chunks)
    tenant, own = as_bigint(tenant_id), tenant_lexeme(tenant_id)
    rows = (
        (
            tenant,
            as_bigint(at.id),
            as_bigint(at.document_id),
            as_int(words.total()),
            as_tsvector((own, *words)),
            as_sparsevec(chunk_weights(words, pivot_words), N_DIMENSIONS),
            as_halfvec(vector),
            as_int(vectors.model_id),
            None if following is None else as_halfvec(following),
            as_int(vectors.model_next_id),
            as_boolean(is_walked),
        )
        for at, words, vector, following in zip(chunks, counted, vectors.first, second, strict=True)
    )
    await copy_rows(connection, COPY_INDEX, rows)


def chunk_binds(tenant_id: int, chunks: Sequence[Placed], model: str) -> dict[str, object]:
    """Return what ADD_CHUNKS takes."""
    return {
        "tenant": tenant_id,
        "model": model,
        "ids": [at.id for at in chunks],
        "documents": [at.document_id for at in chunks],
        "versions": [at.version_id for at in chunks],
        "ordinals": [at.ordinal for at in chunks],
        "starts": [at.chunk.start for at in chunks],
        "ends": [at.chunk.end for at in chunks],
        "pages": [at.chunk.page for at in chunks],
        "heading_paths": [msgspec.json.encode(at.chunk.heading_path).decode() for at in chunks],
        "texts": [at.chunk.text for at in chunks],
        "hashes": [at.chunk.content_hash.hex() for at in chunks],
    }


def count_words(analyzer: WordAnalyzer, title: str, heading_path: Sequence[str], text: str) -> Counter[str]:
    """Return how often each word counts in a chunk, those of title and headings by their weight."""
    return frequencies(
        ((word.lexeme for word in analyzer.words(text)), 1),
        ((word.lexeme for word in analyzer.words(title)), TITLE_WEIGHT),
        ((word.lexeme for heading in heading_path for word in analyzer.words(heading)), HEADING_WEIGHT),
    )


def sparse_text(weights: Mapping[int, float]) -> str:
    """Return pgvector's text form of a sparse vector; its dimensions count from 1, in order."""
    entries = ",".join(f"{dimension + 1}:{weights[dimension]:.6g}" for dimension in sorted(weights))
    return f"{{{entries}}}/{N_DIMENSIONS}"


def dense_text(vector: Matrix) -> str:
    """Return pgvector's text form of a vector, rounded to half precision, as it is stored."""
    return msgspec.json.encode(vector.astype(np.float16).tolist()).decode()
