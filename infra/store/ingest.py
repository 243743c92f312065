"""Write documents with their versions, chunks, search index and access, all in the caller's transaction.

A batch of documents takes as many round trips as one does: what a sync stores together travels together.
"""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.documents import Arrival, Incoming
from domain.embedding import Matrix
from infra.analysis import WordAnalyzer
from infra.store.chunk_writing import Placed, add_chunks
from infra.store.columns import Columns, Vectors, add_columns, model_ids, placed
from infra.store.glossary import write_glossary
from infra.store.lexicon import forget_words
from infra.store.walking import stands_in_graph, take_along

PUT = sa.text("""
with incoming as (
    select i.*, d.id as held_id, m.owner_id from unnest(
        cast(:external_ids as text[]), cast(:titles as text[]), cast(:media_types as text[]), cast(:authors as text[]),
        cast(:urls as text[]), cast(:sizes as bigint[]), cast(:ns_chunks as int[]), cast(:revisions as text[]),
        cast(:content_hashes as text[]), cast(:blobs as bigint[]), cast(:created as timestamptz[]),
        cast(:modified as timestamptz[]), cast(:texts as text[]),
        array(select json_array_elements(cast(:blocks as json))), cast(:metadata as text[]), cast(:principals as text[])
    ) with ordinality i (
        external_id, title, media_type, author, url, size_bytes, n_chunks, revision, content_hash, blob_id, created_at,
        modified_at, text, blocks, metadata, principals, place
    ) join integrations m on m.id = :integration
    left join documents d on (d.tenant_id, d.integration_id, d.external_id) = (:tenant, :integration, i.external_id)
), document as (
    insert into documents (
        tenant_id, integration_id, external_id, title, media_type, author, url, size_bytes, n_chunks, revision,
        content_hash, version_id, version_ordinal, blob_id, seen_sync_id, indexed_sync_id, source_created_at,
        source_modified_at, indexed_at, sorted_at, reserved_for
    ) select :tenant, :integration, external_id, title, media_type, author, url, size_bytes, n_chunks, revision,
        content_hash, nextval(pg_get_serial_sequence('document_versions', 'id')), 1, blob_id, :sync, :sync, created_at,
        modified_at, now(), coalesce(modified_at, created_at, now()), owner_id
    from incoming order by held_id nulls last, place
    on conflict (tenant_id, integration_id, external_id) do update set
        title = excluded.title, media_type = excluded.media_type, author = excluded.author, url = excluded.url,
        size_bytes = excluded.size_bytes, n_chunks = excluded.n_chunks, revision = excluded.revision,
        content_hash = excluded.content_hash, version_id = excluded.version_id,
        version_ordinal = documents.version_ordinal + 1, blob_id = excluded.blob_id,
        seen_sync_id = excluded.seen_sync_id, indexed_sync_id = excluded.indexed_sync_id,
        source_created_at = excluded.source_created_at, source_modified_at = excluded.source_modified_at,
        indexed_at = excluded.indexed_at, sorted_at = excluded.sorted_at, gone_at = null, is_kept = false
    returning id, external_id, version_id, version_ordinal
), version as (
    insert into document_versions (id, tenant_id, document_id, ordinal, text, blocks, metadata, content_hash)
    overriding system value select d.version_id, :tenant, d.id, d.version_ordinal, i.text, i.blocks,
        cast(i.metadata as jsonb), i.content_hash from document d join incoming i using (external_id)
), access as (
    insert into document_access (tenant_id, document_id, principal)
    select :tenant, d.id, p from document d join incoming i using (external_id),
        json_array_elements_text(cast(i.principals as json)) p
    on conflict do nothing
)
select d.id, d.external_id, d.version_id, d.version_ordinal,
    array(select nextval(pg_get_serial_sequence('chunks', 'id')) from generate_series(1, i.n_chunks)) as chunk_ids
from document d join incoming i using (external_id)
""")
"""One round trip for all that documents are besides their chunks; the ids of those are reserved along the way.

What a person's own account brings is theirs alone from its first moment on, until it is judged to be work. Documents
that stand already are taken in the order of their ids, as those are who delete them: neither waits in a circle.
"""
ABOUT_INDEX = sa.text("""
select s.pivot_words, coalesce(s.n_chunks, 0) as n_chunks, coalesce(m.is_walked, false) as is_walked,
    m.model, m.model_next, m.is_next_read, m.is_original,
    (select jsonb_object_agg(e.label, e.id) from embedding_models e where e.label = any(cast(:labels as text[])))
        as model_ids
from (select) one left join search_models m on m.tenant_id = :tenant
left join lexical_statistics s on s.tenant_id = :tenant
""")
"""What is to be known of the tenant's index before chunks are added."""

REVOKE_OTHERS = sa.text("""
delete from document_access a using unnest(cast(:documents as bigint[]), cast(:principals as text[])) w (id, principals)
where a.document_id = w.id
    and a.principal not in (select json_array_elements_text(cast(w.principals as json)))
""")
GRANT = sa.text(
    "insert into document_access (tenant_id, document_id, principal)"
    " select :tenant, :document, p from unnest(cast(:principals as text[])) p on conflict do nothing"
)
REMOVE_CHUNKS = sa.text("delete from chunks where document_id = any(cast(:documents as bigint[]))")
Row = sa.Row[tuple[object, ...]]


async def put_documents(
    connection: AsyncConnection,
    tenant_id: int,
    analyzer: WordAnalyzer,
    labels: Sequence[str],
    arrivals: Sequence[Arrival],
) -> list[int]:
    """See `domain.documents.Documents.put`; `labels` are those of the models, today's first."""
    incoming = [each.incoming for each in arrivals]
    found = await connection.execute(PUT, _document_binds(tenant_id, arrivals))
    by_external_id = {row.external_id: row for row in found}
    rows = [by_external_id[each.external_id] for each in incoming]
    changed = [(row, each) for row, each in zip(rows, incoming, strict=True) if row.version_ordinal > 1]
    if changed:
        await _forget_earlier(connection, tenant_id, changed)
    if any(each.chunks for each in arrivals):
        await _add_chunks(connection, tenant_id, analyzer, labels, rows, arrivals)
    await write_glossary(
        connection,
        tenant_id,
        [int(row.id) for row, _ in changed],
        [(int(row.id), each.parsed.text) for row, each in zip(rows, incoming, strict=True)],
    )
    return [int(row.id) for row in rows]


async def _forget_earlier(connection: AsyncConnection, tenant_id: int, changed: Sequence[tuple[Row, Incoming]]) -> None:
    """Take out of the index, and from who may read no longer, what earlier versions brought."""
    binds = {"documents": [row.id for row, _ in changed]}
    await forget_words(connection, tenant_id, "i.document_id = any(cast(:documents as bigint[]))", binds)
    await connection.execute(REMOVE_CHUNKS, binds)
    principals = [_json(each.principals) for _, each in changed]
    await connection.execute(REVOKE_OTHERS, {**binds, "principals": principals})


async def _add_chunks(
    connection: AsyncConnection,
    tenant_id: int,
    analyzer: WordAnalyzer,
    labels: Sequence[str],
    rows: Sequence[Row],
    arrivals: Sequence[Arrival],
) -> None:
    chunks = [
        Placed(chunk_id, row.id, row.version_id, ordinal, chunk)
        for row, each in zip(rows, arrivals, strict=True)
        for ordinal, (chunk_id, chunk) in enumerate(zip(row.chunk_ids, each.chunks, strict=True))
    ]
    about = (await connection.execute(ABOUT_INDEX, {"tenant": tenant_id, "labels": list(labels)})).one()
    vectors = await _vectors(connection, tenant_id, about, _by_model(labels, arrivals))
    is_walked = stands_in_graph(about.is_walked, about.n_chunks)
    n_chunks = await add_chunks(connection, tenant_id, analyzer, chunks, about.pivot_words, vectors, is_walked)
    if not about.is_walked and stands_in_graph(False, n_chunks):
        await take_along(connection, tenant_id, len(chunks))


def _by_model(labels: Sequence[str], arrivals: Sequence[Arrival]) -> dict[str, Matrix]:
    """Return the vectors of all chunks, in their order, by the label of the model that made them."""
    filled = [each for each in arrivals if each.chunks]
    made = [np.concatenate([each.vectors for each in filled])]
    following = [each.next_vectors for each in filled if each.next_vectors is not None]
    if len(following) == len(filled):
        made.append(np.concatenate(following))
    return dict(zip(labels, made, strict=False))


def _document_binds(tenant_id: int, arrivals: Sequence[Arrival]) -> dict[str, object]:
    """All of one batch come from one integration and one sync."""
    incoming = [each.incoming for each in arrivals]
    parsed = [each.parsed for each in incoming]
    return {
        "tenant": tenant_id,
        "integration": incoming[0].integration_id,
        "sync": incoming[0].sync_id,
        "external_ids": [each.external_id for each in incoming],
        "titles": [each.title for each in parsed],
        "media_types": [each.media_type for each in parsed],
        "authors": [each.author for each in parsed],
        "urls": [each.url for each in incoming],
        "sizes": [each.size_bytes for each in incoming],
        "ns_chunks": [len(each.chunks) for each in arrivals],
        "revisions": [each.revision for each in incoming],
        "content_hashes": [each.content_hash for each in incoming],
        "blobs": [each.blob_id for each in incoming],
        "created": [each.created_at for each in parsed],
        "modified": [each.modified_at for each in parsed],
        "texts": [each.text for each in parsed],
        "blocks": _json([each.blocks for each in parsed]),
        "metadata": [_json(each.metadata) for each in parsed],
        "principals": [_json(each.principals) for each in incoming],
    }


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


async def write_access(
    connection: AsyncConnection, tenant_id: int, document_id: int, principals: Sequence[str]
) -> None:
    """Make these, and no others, the principals that may read a document."""
    await connection.execute(REVOKE_OTHERS, {"documents": [document_id], "principals": [_json(principals)]})
    await connection.execute(GRANT, {"tenant": tenant_id, "document": document_id, "principals": list(principals)})


async def _vectors(connection: AsyncConnection, tenant_id: int, row: Row, made: Mapping[str, Matrix]) -> Vectors:
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
    return msgspec.structs.replace(vectors, model_id=ids[vectors.model], model_next_id=ids.get(vectors.model_next, 0))
