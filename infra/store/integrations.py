"""Integrations in Postgres."""

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import Conflict, NotFound
from domain.integrations import Integration
from domain.people import Viewer
from infra.store.lexicon import forget_words
from infra.store.uploads import remove_unused_blobs

COLUMNS = """
    i.id, i.kind, i.name, i.settings, i.cursor, i.owner_id, i.created_at, i.last_synced_at,
    (select count(*) from documents d where d.tenant_id = i.tenant_id and d.integration_id = i.id) as n_documents,
    coalesce(c.problem, '') as access_problem, c.dies_at as access_ends_at
"""
FROM = "from integrations i left join credentials c on (c.tenant_id, c.integration_id) = (i.tenant_id, i.id)"
VISIBLE = "(i.owner_id is null or i.owner_id = :viewer or :is_system)"


class IntegrationStore:
    """The integrations of one tenant; a person's own are visible to that person only."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer) -> None:
        self._connection = connection
        self._viewer = viewer

    @property
    def _binds(self) -> dict[str, object]:
        return {"viewer": self._viewer.user_id, "is_system": self._viewer.is_system}

    async def all(self) -> list[Integration]:
        rows = await self._connection.execute(
            sa.text(f"select {COLUMNS} {FROM} where {VISIBLE} order by lower(i.name), i.id"), self._binds
        )
        return [_integration(row) for row in rows]

    async def get(self, integration_id: int) -> Integration:
        rows = await self._connection.execute(
            sa.text(f"select {COLUMNS} {FROM} where i.id = :id and {VISIBLE}"),
            {**self._binds, "id": integration_id},
        )
        if row := rows.one_or_none():
            return _integration(row)
        raise NotFound("This integration does not exist, or is not yours to see.")

    async def find(self, kind: str, name: str) -> Integration | None:
        rows = await self._connection.execute(
            sa.text(f"select {COLUMNS} {FROM} where i.kind = :kind and i.name = :name and {VISIBLE}"),
            {**self._binds, "kind": kind, "name": name},
        )
        row = rows.one_or_none()
        return _integration(row) if row else None

    async def add(self, kind: str, name: str, settings: dict[str, str], owner_id: int | None) -> Integration:
        try:
            async with self._connection.begin_nested():
                rows = await self._connection.execute(
                    sa.text(
                        "insert into integrations (tenant_id, kind, name, settings, owner_id)"
                        " values (:tenant, :kind, :name, cast(:settings as jsonb), :owner) returning id"
                    ),
                    {
                        "tenant": self._viewer.tenant_id,
                        "kind": kind,
                        "name": name,
                        "settings": msgspec.json.encode(settings).decode(),
                        "owner": owner_id,
                    },
                )
        except IntegrityError as error:
            raise Conflict(f"There is an integration called “{name}” already. Choose another name.") from error
        return await self.get(rows.scalar_one())

    async def rename(self, integration_id: int, name: str) -> None:
        await self.get(integration_id)
        try:
            async with self._connection.begin_nested():
                await self._connection.execute(
                    sa.text("update integrations set name = :name where id = :id"),
                    {"id": integration_id, "name": name},
                )
        except IntegrityError as error:
            raise Conflict(f"There is an integration called “{name}” already. Choose another name.") from error

    async def configure(self, integration_id: int, settings: dict[str, str]) -> None:
        await self.get(integration_id)
        await self._connection.execute(
            sa.text("update integrations set settings = cast(:settings as jsonb) where id = :id"),
            {"id": integration_id, "settings": msgspec.json.encode(settings).decode()},
        )

    async def advance(self, integration_id: int, cursor: str) -> None:
        await self._connection.execute(
            sa.text("update integrations set cursor = :cursor where id = :id"),
            {"id": integration_id, "cursor": cursor},
        )

    async def remove(self, integration_id: int) -> None:
        await self.get(integration_id)
        await forget_words(
            self._connection,
            self._viewer.tenant_id,
            "i.document_id in (select d.id from documents d where d.integration_id = :integration)",
            {"integration": integration_id},
        )
        rows = await self._connection.execute(
            sa.text(
                "select distinct blob_id from documents where integration_id = :id and blob_id is not null order by 1"
            ),
            {"id": integration_id},
        )
        blob_ids = list(rows.scalars())
        await self._connection.execute(sa.text("delete from integrations where id = :id"), {"id": integration_id})
        if blob_ids:
            await remove_unused_blobs(self._connection, blob_ids)


def _integration(row: sa.Row[tuple[object, ...]]) -> Integration:
    return msgspec.convert(dict(row._mapping), Integration)
