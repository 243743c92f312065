"""Deletions in Postgres: marks on documents, the guard of an integration, and the deletion itself."""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.deletions import Guard, Standing
from domain.people import Viewer
from infra.store.integrations import VISIBLE
from infra.store.lexicon import forget_words
from infra.store.uploads import remove_unused_blobs

GUARD_COLUMNS = "g.integration_id, g.sync_id, g.state, g.n_deletions, g.n_documents, g.decided_by, g.created_at"
WOULD_GO = "d.gone_at is not null and not d.is_kept"


async def delete_documents(connection: AsyncConnection, tenant_id: int, document_ids: Sequence[int]) -> int:
    """Delete documents with all that is made of them, out of search in this transaction; return how many."""
    if not document_ids:
        return 0
    binds = {"ids": list(document_ids)}
    await forget_words(connection, tenant_id, "i.document_id = any(:ids)", binds)
    rows = await connection.execute(sa.text("delete from documents where id = any(:ids) returning blob_id"), binds)
    blob_ids = {blob_id for blob_id in rows.scalars() if blob_id is not None}
    if blob_ids:
        await remove_unused_blobs(connection, sorted(blob_ids))
    return len(document_ids)


class DeletionStore:
    """The deletions of one tenant's integrations."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer) -> None:
        self._connection = connection
        self._viewer = viewer

    async def mark(self, integration_id: int, external_ids: Sequence[str]) -> None:
        await self._connection.execute(
            sa.text(
                "update documents set gone_at = coalesce(gone_at, now())"
                " where integration_id = :integration and external_id = any(:external_ids)"
            ),
            {"integration": integration_id, "external_ids": list(external_ids)},
        )

    async def mark_unseen(self, integration_id: int, sync_id: int) -> None:
        await self._connection.execute(
            sa.text(
                "update documents set gone_at = now() where integration_id = :integration and gone_at is null"
                " and seen_sync_id is distinct from :sync"
            ),
            {"integration": integration_id, "sync": sync_id},
        )

    async def standing(self, integration_id: int, sync_id: int) -> Standing:
        rows = await self._connection.execute(
            sa.text(
                f"select count(*) filter (where {WOULD_GO}) as n_deletions,"
                " count(*) filter (where not (d.version_ordinal = 1 and d.indexed_sync_id is not distinct from :sync))"
                " as n_documents from documents d where d.integration_id = :integration"
            ),
            {"integration": integration_id, "sync": sync_id},
        )
        row = rows.one()
        return Standing(row.n_deletions, row.n_documents)

    async def carry_out(self, integration_id: int, limit: int) -> list[str]:
        rows = await self._connection.execute(
            sa.text(
                f"select d.id, d.external_id from documents d where d.integration_id = :integration and {WOULD_GO}"
                " order by d.id limit :limit for update"
            ),
            {"integration": integration_id, "limit": limit},
        )
        found = rows.all()
        await delete_documents(self._connection, self._viewer.tenant_id, [row.id for row in found])
        return [row.external_id for row in found]

    async def guard(self, integration_id: int) -> Guard | None:
        rows = await self._connection.execute(
            sa.text(f"select {GUARD_COLUMNS} from deletion_guards g where g.integration_id = :integration"),
            {"integration": integration_id},
        )
        row = rows.one_or_none()
        return msgspec.convert(dict(row._mapping), Guard) if row else None

    async def guards(self) -> dict[int, Guard]:
        rows = await self._connection.execute(
            sa.text(
                f"select {GUARD_COLUMNS} from deletion_guards g"
                " join integrations i on (i.tenant_id, i.id) = (g.tenant_id, g.integration_id)"
                f" where g.state = 'asking' and {VISIBLE} order by g.integration_id"
            ),
            {"viewer": self._viewer.user_id, "is_system": self._viewer.is_system},
        )
        return {row.integration_id: msgspec.convert(dict(row._mapping), Guard) for row in rows}

    async def ask(self, integration_id: int, sync_id: int, standing: Standing) -> None:
        await self._put(integration_id, sync_id, "asking", standing.n_deletions, standing.n_documents)

    async def allow(self, integration_id: int, n_deletions: int | None) -> None:
        await self._put(integration_id, 0, "allowed", n_deletions, 0)

    async def _put(
        self, integration_id: int, sync_id: int, state: str, n_deletions: int | None, n_documents: int
    ) -> None:
        await self._connection.execute(
            sa.text(
                "insert into deletion_guards"
                " (tenant_id, integration_id, sync_id, state, n_deletions, n_documents, decided_by)"
                " values (:tenant, :integration, :sync, :state, :n_deletions, :n_documents, :by)"
                " on conflict (tenant_id, integration_id) do update set sync_id = excluded.sync_id,"
                " state = excluded.state, n_deletions = excluded.n_deletions, n_documents = excluded.n_documents,"
                " decided_by = excluded.decided_by, created_at = now()"
            ),
            {
                "tenant": self._viewer.tenant_id,
                "integration": integration_id,
                "sync": sync_id,
                "state": state,
                "n_deletions": n_deletions,
                "n_documents": n_documents,
                "by": self._viewer.name,
            },
        )

    async def keep(self, integration_id: int) -> int:
        rows = await self._connection.execute(
            sa.text(f"update documents d set is_kept = true where d.integration_id = :integration and {WOULD_GO}"),
            {"integration": integration_id},
        )
        await self.settle(integration_id)
        return rows.rowcount

    async def settle(self, integration_id: int) -> None:
        await self._connection.execute(
            sa.text("delete from deletion_guards where integration_id = :integration"), {"integration": integration_id}
        )
