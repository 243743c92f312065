"""The library in Postgres: what a viewer may read of it, and its deletion."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
import numpy as np
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.documents import (
    MAX_COUNTED,
    Arrival,
    Document,
    DocumentVersion,
    Facets,
    Kept,
    Known,
    LibraryFilter,
    LibraryPage,
    LibrarySort,
    VersionSummary,
)
from domain.embedding import Matrix
from domain.errors import Invalid, NotFound
from domain.parsing import Block
from domain.people import Viewer
from infra.analysis import WordAnalyzer
from infra.store.access import READABLE, access_binds
from infra.store.columns import LABELLED, N_PARTS, WALKED, read_columns
from infra.store.deletions import delete_documents
from infra.store.facets import read_facets
from infra.store.ingest import put_documents, write_access
from infra.store.reweighing import reweigh

COLUMNS = """
    d.id, d.integration_id, i.name as integration_name, d.external_id, d.title, d.media_type, d.author, d.url,
    d.size_bytes, d.n_chunks, d.version_id, d.version_ordinal, d.source_created_at as created_at,
    d.source_modified_at as modified_at, d.indexed_at
"""
FROM = "from documents d join integrations i on (i.tenant_id, i.id) = (d.tenant_id, d.integration_id)"
NARROWED = f"""
    {READABLE}
    and (cast(:integration as bigint) is null or d.integration_id = :integration)
    and (:media_type = '' or d.media_type = :media_type)
    and (:author = '' or d.author = :author)
    and (cast(:since as timestamptz) is null or d.sorted_at >= :since)
    and (cast(:until as timestamptz) is null or d.sorted_at < :until)
    and (:text = '' or d.title ilike :text)
"""
ORDERS = {
    LibrarySort.NEWEST: ("d.sorted_at desc, d.id desc", "(d.sorted_at, d.id) < (cast(:k as timestamptz), :id)"),
    LibrarySort.OLDEST: ("d.sorted_at, d.id", "(d.sorted_at, d.id) > (cast(:k as timestamptz), :id)"),
    LibrarySort.TITLE: ("lower(d.title), d.id", "(lower(d.title), d.id) > (:k, :id)"),
}
KEYS = {
    LibrarySort.NEWEST: "d.sorted_at::text",
    LibrarySort.OLDEST: "d.sorted_at::text",
    LibrarySort.TITLE: "lower(d.title)",
}
BY_HASH = f"""
select distinct on (c.content_hash) c.content_hash, i.embedding::text as vector from chunks c
join chunk_index i on (i.tenant_id, i.chunk_id) = (c.tenant_id, c.id)
where c.content_hash = any(array(select decode(h, 'hex') from unnest(cast(:hashes as text[])) h)) and {LABELLED}
order by c.content_hash
"""
NEIGHBOURS = f"""
with mine as (
    select i.embedding as vector from chunk_index i
    where i.tenant_id = :tenant and i.document_id = :id and {LABELLED} order by i.chunk_id limit 1
), near as materialized (
    select i.document_id, i.embedding <#> (select vector from mine) as distance from chunk_index i
    where i.tenant_id = :tenant and {{in_graph}} and i.document_id <> :id and exists (select from mine) and {LABELLED}
    order by i.embedding <#> (select vector from mine) limit :depth
)
select {COLUMNS} {FROM}
join (select document_id, min(distance) as distance from near group by document_id) n on n.document_id = d.id
where {READABLE} order by n.distance, d.id limit :limit
"""
MAX_ID = 2**63 - 1
NOT_FOUND = "This document does not exist, or is not shared with you."


class DocumentStore:
    """The library of one tenant, as one viewer may see it."""

    def __init__(
        self, connection: AsyncConnection, viewer: Viewer, analyzer: WordAnalyzer, labels: tuple[str, ...]
    ) -> None:
        self._connection = connection
        self._viewer = viewer
        self._analyzer = analyzer
        self._labels = labels

    async def page(self, narrowed: LibraryFilter, sort: LibrarySort, key: str, size: int) -> LibraryPage:
        binds = {**access_binds(self._viewer), **_filter_binds(narrowed)}
        rows = await self._listed(binds, sort, key, size + 1)
        next_key = msgspec.json.encode([rows[size - 1].key, rows[size - 1].id]).decode() if len(rows) > size else ""
        documents = tuple(_document(row) for row in rows[:size])
        total = len(documents) if not key and not next_key else await self._count(binds)
        return LibraryPage(documents, next_key, total)

    async def newest(self, size: int) -> tuple[Document, ...]:
        binds = {**access_binds(self._viewer), **_filter_binds(LibraryFilter())}
        return tuple(map(_document, await self._listed(binds, LibrarySort.NEWEST, "", size)))

    async def _listed(
        self, binds: Mapping[str, object], sort: LibrarySort, key: str, size: int
    ) -> Sequence[sa.Row[tuple[object, ...]]]:
        order, after = ORDERS[sort]
        rows = await self._connection.execute(
            sa.text(
                f"select {COLUMNS}, {KEYS[sort]} as key {FROM} where {NARROWED}"
                f" and {after if key else 'true'} order by {order} limit :size"
            ),
            {**binds, **_key_binds(key, sort), "size": size},
        )
        return rows.all()

    async def _count(self, binds: Mapping[str, object]) -> int:
        rows = await self._connection.execute(
            sa.text(f"select count(*) from (select from documents d where {NARROWED} limit {MAX_COUNTED + 1}) d"), binds
        )
        return int(rows.scalar_one())

    async def count(self) -> int:
        return await self._count({**access_binds(self._viewer), **_filter_binds(LibraryFilter())})

    async def facets(self) -> Facets:
        return await read_facets(self._connection, self._viewer)

    async def get(self, document_id: int) -> Document:
        rows = await self._connection.execute(
            sa.text(f"select {COLUMNS} {FROM} where d.id = :id and {READABLE}"),
            {**access_binds(self._viewer), "id": document_id},
        )
        if row := rows.one_or_none():
            return _document(row)
        raise NotFound(NOT_FOUND)

    async def get_many(self, document_ids: Sequence[int]) -> list[Document]:
        rows = await self._connection.execute(
            sa.text(f"select {COLUMNS} {FROM} where d.id = any(:ids) and {READABLE} order by d.id"),
            {**access_binds(self._viewer), "ids": list(document_ids)},
        )
        return [_document(row) for row in rows]

    async def version(self, document_id: int, version_id: int | None = None) -> DocumentVersion:
        rows = await self._connection.execute(
            sa.text(
                "select v.id, v.document_id, v.ordinal, v.text, v.blocks, v.metadata, v.created_at,"
                " v.id = d.version_id as is_current from documents d"
                " join document_versions v on (v.tenant_id, v.document_id) = (d.tenant_id, d.id)"
                f" where d.id = :id and v.id = coalesce(cast(:version as bigint), d.version_id) and {READABLE}"
            ),
            {**access_binds(self._viewer), "id": document_id, "version": version_id},
        )
        row = rows.one_or_none()
        if row is None:
            raise NotFound(NOT_FOUND)
        return DocumentVersion(
            id=row.id,
            document_id=row.document_id,
            ordinal=row.ordinal,
            text=row.text,
            blocks=msgspec.convert(row.blocks, tuple[Block, ...]),
            metadata=row.metadata,
            is_current=row.is_current,
            created_at=row.created_at,
        )

    async def versions(self, document_id: int) -> list[VersionSummary]:
        rows = await self._connection.execute(
            sa.text(
                "select v.id, v.ordinal, octet_length(v.text) as size_bytes, v.created_at from documents d"
                " join document_versions v on (v.tenant_id, v.document_id) = (d.tenant_id, d.id)"
                f" where d.id = :id and {READABLE} order by v.ordinal desc"
            ),
            {**access_binds(self._viewer), "id": document_id},
        )
        return [msgspec.convert(dict(row._mapping), VersionSummary) for row in rows]

    async def principals(self, document_id: int) -> tuple[str, ...]:
        rows = await self._connection.execute(
            sa.text(
                "select p.principal from documents d"
                " join document_access p on (p.tenant_id, p.document_id) = (d.tenant_id, d.id)"
                f" where d.id = :id and {READABLE} order by p.principal"
            ),
            {**access_binds(self._viewer), "id": document_id},
        )
        return tuple(rows.scalars())

    async def delete(self, document_ids: Sequence[int]) -> int:
        rows = await self._connection.execute(
            sa.text(f"select d.id from documents d where d.id = any(:ids) and {READABLE} order by d.id for update"),
            {**access_binds(self._viewer), "ids": list(document_ids)},
        )
        return await delete_documents(self._connection, self._viewer.tenant_id, list(rows.scalars()))

    async def known(self, integration_id: int, external_ids: Sequence[str]) -> dict[str, Known]:
        rows = await self._connection.execute(
            sa.text(
                "select d.external_id, d.id, d.revision, d.content_hash, d.indexed_sync_id, array(select a.principal"
                " from document_access a where (a.tenant_id, a.document_id) = (d.tenant_id, d.id)) as principals"
                " from documents d where d.integration_id = :integration and d.external_id = any(:external_ids)"
            ),
            {"integration": integration_id, "external_ids": list(external_ids)},
        )
        return {
            row.external_id: Known(
                row.id, row.revision, row.content_hash, frozenset(row.principals), row.indexed_sync_id
            )
            for row in rows
        }

    async def keep(self, sync_id: int, kept: Sequence[Kept]) -> None:
        await self._connection.execute(
            sa.text(
                "update documents d set seen_sync_id = :sync, revision = k.revision, gone_at = null, is_kept = false"
                " from unnest(cast(:ids as bigint[]), cast(:revisions as text[])) k (id, revision) where d.id = k.id"
            ),
            {
                "sync": sync_id,
                "ids": [each.document_id for each in kept],
                "revisions": [each.revision for each in kept],
            },
        )
        for each in kept:
            if each.principals is not None:
                await write_access(self._connection, self._viewer.tenant_id, each.document_id, each.principals)

    async def put(self, arrivals: Sequence[Arrival]) -> list[int]:
        return await put_documents(self._connection, self._viewer.tenant_id, self._analyzer, self._labels, arrivals)

    async def remove(self, integration_id: int, external_ids: Sequence[str]) -> int:
        rows = await self._connection.execute(
            sa.text(
                "select id from documents where integration_id = :integration and external_id = any(:external_ids)"
                " order by id for update"
            ),
            {"integration": integration_id, "external_ids": list(external_ids)},
        )
        return await delete_documents(self._connection, self._viewer.tenant_id, list(rows.scalars()))

    async def listed(self, integration_id: int, prefix: str) -> list[str]:
        rows = await self._connection.execute(
            sa.text(
                "select external_id from documents where integration_id = :integration"
                " and starts_with(external_id, :prefix) order by external_id"
            ),
            {"integration": integration_id, "prefix": prefix},
        )
        return list(rows.scalars())

    async def vectors_by_hash(self, hashes: Sequence[bytes], model: str) -> Mapping[bytes, Matrix]:
        columns = await read_columns(self._connection, self._viewer.tenant_id, self._labels[0])
        column = columns.find(model)
        if column is None:
            return {}
        rows = await self._connection.execute(
            sa.text(column.of(BY_HASH)),
            {"hashes": [each.hex() for each in hashes], "model": model, "tenant": self._viewer.tenant_id},
        )
        return {bytes(row.content_hash): np.array(msgspec.json.decode(row.vector), np.float32) for row in rows}

    async def settle(self) -> bool:
        return await reweigh(self._connection, self._viewer.tenant_id, self._analyzer)

    async def neighbours(self, document_id: int, limit: int) -> list[Document]:
        columns = await read_columns(self._connection, self._viewer.tenant_id, self._labels[0])
        column = columns.find(columns.read)
        if column is None:
            return []
        rows = await self._connection.execute(
            sa.text(column.of(NEIGHBOURS.format(in_graph=WALKED if columns.is_walked else "true"))),
            {
                "model": column.model,
                **access_binds(self._viewer),
                "tenant": self._viewer.tenant_id,
                "part": self._viewer.tenant_id % N_PARTS,
                "id": document_id,
                "depth": limit * 10,
                "limit": limit,
            },
        )
        return [_document(row) for row in rows]


def _document(row: sa.Row[tuple[object, ...]]) -> Document:
    return msgspec.convert(dict(row._mapping), Document)


def _filter_binds(narrowed: LibraryFilter) -> dict[str, object]:
    escaped = narrowed.text.replace("\0", "").replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return {
        "integration": narrowed.integration_id,
        "media_type": narrowed.media_type,
        "author": narrowed.author,
        "since": narrowed.since,
        "until": narrowed.until,
        "text": f"%{escaped}%" if escaped else "",
    }


def _key_binds(key: str, sort: LibrarySort) -> dict[str, object]:
    if not key:
        return {}
    try:
        value, document_id = msgspec.json.decode(key, type=tuple[str, int])
        if sort is not LibrarySort.TITLE:
            datetime.fromisoformat(value)
    except (msgspec.DecodeError, ValueError) as error:
        raise Invalid("This page of the library does not exist. Start again from the first page.") from error
    return {"k": value.replace("\0", ""), "id": min(abs(document_id), MAX_ID)}
