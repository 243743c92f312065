"""Write the chunks of documents with their search index and the tenant's word counts, in one round trip."""

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

TITLE_WEIGHT = 2
HEADING_WEIGHT = 2
"""One word of a title or heading counts as so many in the text."""
SEPARATOR = chr(31)
"""Parts the lexemes of a chunk on their way; a control character, which no word holds."""

ADD_CHUNKS = sa.text("""
with incoming as (
    select * from unnest(
        cast(:ids as bigint[]), cast(:documents as bigint[]), cast(:versions as bigint[]), cast(:ordinals as int[]),
        cast(:starts as int[]), cast(:ends as int[]), cast(:pages as int[]),
        cast(:heading_paths as text[]), cast(:texts as text[]), cast(:hashes as bytea[]), cast(:n_words as int[]),
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
        array(select json_array_elements_text(cast(heading_path as json))), text, content_hash, :model from incoming
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
"""All chunks with their index and the tenant's counts.

The pivot is the mean length of the first chunks, until the end of a sync finds that it has drifted. Whoever calls this
holds the tenant's lock on its words (`infra.store.lexicon`).
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
    vectors: Mapping[str, object],
) -> None:
    """Insert chunks; `vectors` binds both columns, a text a chunk, and the ids of their models."""
    counted = [count_words(analyzer, at.chunk.title, at.chunk.heading_path, at.chunk.text) for at in chunks]
    pivot = pivot_words or sum(words.total() for words in counted) / len(counted)
    await connection.execute(ADD_CHUNKS, {**chunk_binds(tenant_id, chunks), **word_binds(counted, pivot), **vectors})


def chunk_binds(tenant_id: int, chunks: Sequence[Placed]) -> dict[str, object]:
    """Return what ADD_CHUNKS takes of the chunks themselves."""
    return {
        "tenant": tenant_id,
        "tenant_lexeme": tenant_lexeme(tenant_id),
        "ids": [at.id for at in chunks],
        "documents": [at.document_id for at in chunks],
        "versions": [at.version_id for at in chunks],
        "ordinals": [at.ordinal for at in chunks],
        "starts": [at.chunk.start for at in chunks],
        "ends": [at.chunk.end for at in chunks],
        "pages": [at.chunk.page for at in chunks],
        "heading_paths": [msgspec.json.encode(at.chunk.heading_path).decode() for at in chunks],
        "texts": [at.chunk.text for at in chunks],
        "hashes": [at.chunk.content_hash for at in chunks],
    }


def word_binds(counted: Sequence[Counter[str]], pivot_words: float) -> dict[str, object]:
    """Return what ADD_CHUNKS takes of the chunks' words."""
    return {
        "n_words": [words.total() for words in counted],
        "lexemes": [SEPARATOR.join(words) for words in counted],
        "weights": [sparse_text(chunk_weights(words, pivot_words)) for words in counted],
    }


def count_words(analyzer: WordAnalyzer, title: str, heading_path: Sequence[str], text: str) -> Counter[str]:
    """Return how often each word counts in a chunk, those of title and headings by their weight."""
    return frequencies(
        ((word.lexeme for word in analyzer.words(title)), TITLE_WEIGHT),
        ((word.lexeme for heading in heading_path for word in analyzer.words(heading)), HEADING_WEIGHT),
        ((word.lexeme for word in analyzer.words(text)), 1),
    )


def sparse_text(weights: Mapping[int, float]) -> str:
    """Return pgvector's text form of a sparse vector; its dimensions count from 1, in order."""
    entries = ",".join(f"{dimension + 1}:{weights[dimension]:.6g}" for dimension in sorted(weights))
    return f"{{{entries}}}/{N_DIMENSIONS}"


def dense_text(vector: Matrix) -> str:
    """Return pgvector's text form of a vector, rounded to half precision, as it is stored."""
    return msgspec.json.encode(vector.astype(np.float16).tolist()).decode()
