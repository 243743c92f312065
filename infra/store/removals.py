"""Removal in Postgres: one mark hides an integration from every statement, a job deletes its rows in batches."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import NotFound
from domain.people import Viewer
from domain.removals import Preview
from infra.queue import JobQueue, defer_purge
from infra.store.deletions import delete_documents
from infra.store.integrations import VISIBLE

PREVIEW = f"""
select count(d.id) as n_documents, coalesce(sum(d.n_chunks), 0) as n_passages,
    (select count(*) from messages m where m.answer is not null and exists (
        select from jsonb_path_query(cast(m.answer as jsonb), '$.**.document_id') cited
        join documents x on jsonb_typeof(cited) = 'number' and x.id = cast(cited as bigint)
        where x.integration_id = i.id)) as n_answers,
    (select count(*) from sync_failures f where f.integration_id = i.id) as n_failures,
    exists (select from credentials c where c.integration_id = i.id) as has_credentials
from integrations i left join documents d on (d.tenant_id, d.integration_id) = (i.tenant_id, i.id)
where i.id = :id and {VISIBLE} group by i.tenant_id, i.id
"""
HIDE = f"""
update integrations i set removed_at = now(), name = 'removed ' || i.id, settings = '{{}}', cursor = ''
where i.id = :id and {VISIBLE} returning i.id
"""
FORGET = (
    "delete from uploads u using documents d where d.integration_id = :id and d.blob_id = u.blob_id",
    "delete from credentials where integration_id = :id",
    "delete from due_syncs where tenant_id = :tenant and integration_id = :id",
    "delete from sync_items where integration_id = :id",
    "delete from sync_failures where integration_id = :id",
    "update syncs set state = 'cancelled', is_cancel_requested = true, is_wanted_again = false, finished_at = now()"
    " where integration_id = :id and state in ('queued', 'running')",
)
NOT_FOUND = "This integration does not exist, or is not yours to see."


class RemovalStore:
    """Removes integrations of one tenant."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer, queue: JobQueue) -> None:
        self._connection = connection
        self._viewer = viewer
        self._queue = queue

    def _binds(self, integration_id: int) -> dict[str, object]:
        return {
            "id": integration_id,
            "tenant": self._viewer.tenant_id,
            "viewer": self._viewer.user_id,
            "is_system": self._viewer.is_system,
        }

    async def preview(self, integration_id: int) -> Preview:
        rows = await self._connection.execute(sa.text(PREVIEW), self._binds(integration_id))
        row = rows.one_or_none()
        if row is None:
            raise NotFound(NOT_FOUND)
        return Preview(row.n_documents, int(row.n_passages), row.n_answers, row.n_failures, row.has_credentials)

    async def begin(self, integration_id: int) -> None:
        rows = await self._connection.execute(sa.text(HIDE), self._binds(integration_id))
        if rows.one_or_none() is None:
            raise NotFound(NOT_FOUND)
        for statement in FORGET:
            await self._connection.execute(sa.text(statement), self._binds(integration_id))
        await defer_purge(self._queue, self._connection, self._viewer.tenant_id, integration_id)

    async def purge(self, integration_id: int, size: int) -> bool:
        rows = await self._connection.execute(
            sa.text(
                "select d.id from documents d"
                " join integrations i on (i.tenant_id, i.id) = (d.tenant_id, d.integration_id)"
                " where i.id = :id and i.removed_at is not null order by d.id limit :size for update of d"
            ),
            {"id": integration_id, "size": size},
        )
        document_ids = list(rows.scalars())
        if document_ids:
            await delete_documents(self._connection, self._viewer.tenant_id, document_ids)
            return True
        await self._connection.execute(
            sa.text("delete from integrations where id = :id and removed_at is not null"), {"id": integration_id}
        )
        return False
