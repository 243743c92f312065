"""Write a document with its version, chunks, search index and access, all in the caller's transaction."""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.chunking import Chunk
from domain.documents import Incoming
from domain.embedding import Matrix
from domain.lexical import N_DIMENSIONS, chunk_weights, frequencies
from infra.analysis import WordAnalyzer
from infra.store.columns import Columns, add_columns, model_ids, placed
from infra.store.glossary import write_glossary
from infra.store.lexicon import forget_words

TITLE_WEIGHT = 2
HEADING_WEIGHT = 2
"""One word of a title or heading counts as so many in the text."""

PUT = sa.text("""
with document as (
    insert into documents (
        tenant_id, integration_id, external_id, title, media_type, author, url, size_bytes, n_chunks, revision,
        content_hash, version_id, version_ordinal, blob_id, seen_sync_id, indexed_sync_id, source_created_at,
        source_modified_at, indexed_at, sorted_at,
        reserved_for
    ) values (
        :tenant, :integration, :external_id, :title, :media_type, :author, :url, :size_bytes, :n_chunks, :revision,
        :content_hash, nextval(pg_get_serial_sequence('document_versions', 'id')), 1, :blob, :sync, :sync, :created_at,
        :modified_at, now(), coalesce(:modified_at, :created_at, now()),
        (select i.owner_id from integrations i where i.id = :integration)
    ) on conflict (tenant_id, integration_id, external_id) do update set
        title = excluded.title, media_type = excluded.media_type, author = excluded.author, url = excluded.url,
        size_bytes = excluded.size_bytes, n_chunks = excluded.n_chunks, revision = excluded.revision,
        content_hash = excluded.content_hash, version_id = excluded.version_id,
        version_ordinal = documents.version_ordinal + 1, blob_id = excluded.blob_id,
        seen_sync_id = excluded.seen_sync_id, indexed_sync_id = excluded.indexed_sync_id,
        source_created_at = excluded.source_created_at, source_modified_at = excluded.source_modified_at,
        indexed_at = excluded.indexed_at, sorted_at = excluded.sorted_at, gone_at = null, is_kept = false
    returning id, version_id, version_ordinal
), version as (
    insert into document_versions (id, tenant_id, document_id, ordinal, text, blocks, metadata, content_hash)
    overriding system value select version_id, :tenant, id, version_ordinal, :text, cast(:blocks as json),
        cast(:metadata as jsonb), :content_hash from document
), access as (
    insert into document_access (tenant_id, document_id, principal)
    select :tenant, document.id, p from document, unnest(cast(:principals as text[])) p on conflict do nothing
)
select id, version_id, version_ordinal,
    (select pivot_words from lexical_statistics where tenant_id = :tenant) as pivot_words,
    array(select nextval(pg_get_serial_sequence('chunks', 'id')) from generate_series(1, :n_chunks)) as chunk_ids,
    m.model, m.model_next, m.is_next_read, m.is_original,
    (select jsonb_object_agg(e.label, e.id) from embedding_models e where e.label = any(cast(:labels as text[])))
        as model_ids
from document left join search_models m on m.tenant_id = :tenant
""")
"""One round trip for all that a document is besides its chunks; the ids of those are reserved along the way.

What a person's own account brings is theirs alone from its first moment on, until it is judged to be work.
"""
ADD_CHUNKS = sa.text("""
with incoming as (
    select * from unnest(
        cast(:ids as bigint[]), cast(:starts as int[]), cast(:ends as int[]), cast(:pages as int[]),
        cast(:heading_paths as text[]), cast(:texts as text[]), cast(:hashes as bytea[]), cast(:n_words as int[]),
        cast(:lexemes as text[]), cast(:weights as text[]), cast(:vectors as text[]), cast(:next_vectors as text[])
    ) with ordinality as each (
        id, start_at, end_at, page, heading_path, text, content_hash, n_words, lexemes, weights, vector, next_vector,
        place
    )
), chunk as (
    insert into chunks (
        id, tenant_id, document_id, version_id, ordinal, start_at, end_at, page, heading_path, text, content_hash, model
    ) overriding system value
    select id, :tenant, :document, :version, place - 1, start_at, end_at, page,
        array(select json_array_elements_text(cast(heading_path as json))), text, content_hash, :model from incoming
), entry as (
    insert into chunk_index (
        tenant_id, chunk_id, document_id, n_words, tsv, sv, embedding, model_id, embedding_next, model_next_id
    ) select :tenant, id, :document, n_words,
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
"""All chunks with their index and the tenant's counts, in one round trip.

Lexemes are written in their order, so that two transactions lock rows in the same order and never wait in a circle. The
pivot is the mean length of the first document's chunks, until the end of a sync finds that it has drifted.
"""
SEPARATOR = chr(31)
"""Parts the lexemes of a chunk on their way; a control character, which no word holds."""

REVOKE_OTHERS = sa.text(
    "delete from document_access where document_id = :document and principal <> all(cast(:principals as text[]))"
)
GRANT = sa.text(
    "insert into document_access (tenant_id, document_id, principal)"
    " select :tenant, :document, p from unnest(cast(:principals as text[])) p on conflict do nothing"
)
REMOVE_CHUNKS = sa.text("delete from chunks where document_id = :document")


class Place(msgspec.Struct, frozen=True):
    """Where chunks belong."""

    tenant_id: int
    document_id: int
    version_id: int


def tenant_lexeme(tenant_id: int) -> str:
    """Return the word that stands in every chunk of a tenant, so that the index of words finds the tenant too.

    It begins with a space, which no real lexeme does.
    """
    return f" {tenant_id}"


async def replace_document(
    connection: AsyncConnection,
    tenant_id: int,
    analyzer: WordAnalyzer,
    made: Mapping[str, Matrix],
    incoming: Incoming,
    chunks: Sequence[Chunk],
) -> int:
    """See `domain.documents.Documents.replace`; the vectors come by the labels of their models, today's first."""
    binds = _document_binds(tenant_id, incoming, len(chunks)) | {"labels": list(made)}
    row = (await connection.execute(PUT, binds)).one()
    if row.version_ordinal > 1:
        await _remove_chunks(connection, tenant_id, row.id)
        await connection.execute(REVOKE_OTHERS, {"document": row.id, "principals": list(incoming.principals)})
    if chunks:
        place = Place(tenant_id, row.id, row.version_id)
        counted = [count_words(analyzer, chunk.title, chunk.heading_path, chunk.text) for chunk in chunks]
        pivot_words = row.pivot_words or sum(words.total() for words in counted) / len(counted)
        vectors = await _vector_binds(connection, tenant_id, row, made)
        words = _index_binds(counted, pivot_words)
        await connection.execute(ADD_CHUNKS, _chunk_binds(place, chunks, row.chunk_ids) | words | vectors)
    await write_glossary(connection, tenant_id, row.id, incoming.parsed.text)
    return int(row.id)


def _document_binds(tenant_id: int, incoming: Incoming, n_chunks: int) -> dict[str, object]:
    parsed = incoming.parsed
    return {
        "tenant": tenant_id,
        "integration": incoming.integration_id,
        "external_id": incoming.external_id,
        "title": parsed.title,
        "media_type": parsed.media_type,
        "author": parsed.author,
        "url": incoming.url,
        "size_bytes": incoming.size_bytes,
        "n_chunks": n_chunks,
        "revision": incoming.revision,
        "content_hash": incoming.content_hash,
        "blob": incoming.blob_id,
        "sync": incoming.sync_id,
        "created_at": parsed.created_at,
        "modified_at": parsed.modified_at,
        "text": parsed.text,
        "blocks": msgspec.json.encode(parsed.blocks).decode(),
        "metadata": msgspec.json.encode(parsed.metadata).decode(),
        "principals": list(incoming.principals),
    }


async def _remove_chunks(connection: AsyncConnection, tenant_id: int, document_id: int) -> None:
    binds = {"document": document_id}
    await forget_words(connection, tenant_id, "i.document_id = :document", binds)
    await connection.execute(REMOVE_CHUNKS, binds)


async def write_access(
    connection: AsyncConnection, tenant_id: int, document_id: int, principals: Sequence[str]
) -> None:
    """Make these, and no others, the principals that may read a document."""
    await connection.execute(REVOKE_OTHERS, {"document": document_id, "principals": list(principals)})
    await _grant(connection, tenant_id, document_id, principals)


async def _grant(connection: AsyncConnection, tenant_id: int, document_id: int, principals: Sequence[str]) -> None:
    await connection.execute(GRANT, {"tenant": tenant_id, "document": document_id, "principals": list(principals)})


def _chunk_binds(place: Place, chunks: Sequence[Chunk], ids: Sequence[int]) -> dict[str, object]:
    return {
        "tenant": place.tenant_id,
        "document": place.document_id,
        "version": place.version_id,
        "tenant_lexeme": tenant_lexeme(place.tenant_id),
        "ids": ids,
        "starts": [chunk.start for chunk in chunks],
        "ends": [chunk.end for chunk in chunks],
        "pages": [chunk.page for chunk in chunks],
        "heading_paths": [msgspec.json.encode(chunk.heading_path).decode() for chunk in chunks],
        "texts": [chunk.text for chunk in chunks],
        "hashes": [chunk.content_hash for chunk in chunks],
    }


def _index_binds(counted: Sequence[Counter[str]], pivot_words: float) -> dict[str, object]:
    return {
        "n_words": [words.total() for words in counted],
        "lexemes": [SEPARATOR.join(words) for words in counted],
        "weights": [sparse_text(chunk_weights(words, pivot_words)) for words in counted],
    }


async def _vector_binds(
    connection: AsyncConnection, tenant_id: int, row: sa.Row[tuple[object, ...]], made: Mapping[str, Matrix]
) -> dict[str, object]:
    """Place the vectors as the tenant's columns are; a new tenant, or a new model, is written down on the way."""
    is_new = row.model is None
    columns = (
        Columns(next(iter(made))) if is_new else Columns(row.model, row.model_next, row.is_next_read, row.is_original)
    )
    vectors = placed(columns, made)
    if is_new:
        await add_columns(connection, tenant_id, Columns(vectors.model, vectors.model_next))
    ids = row.model_ids or {}
    if len(ids) < len(made):
        ids = await model_ids(connection, list(made))
    second = [None] * len(vectors.first) if vectors.second is None else [dense_text(each) for each in vectors.second]
    return {
        "model": vectors.model,
        "vectors": [dense_text(each) for each in vectors.first],
        "model_id": ids[vectors.model],
        "next_vectors": second,
        "model_next_id": ids.get(vectors.model_next, 0),
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
