"""Integrations in Postgres."""

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.documents import MAX_COUNTED
from domain.errors import Conflict, NotFound
from domain.integrations import Integration
from domain.people import Viewer

COLUMNS = f"""
    i.id, i.kind, i.name, i.settings, i.cursor, i.owner_id, i.created_at, i.last_synced_at, i.sync_every_minutes,
    i.is_paused,
    (select count(*) from (select from documents d where d.tenant_id = i.tenant_id and d.integration_id = i.id
        limit {MAX_COUNTED + 1}) d) as n_documents,
    coalesce(c.problem, '') as access_problem, c.dies_at as access_ends_at
"""
FROM = "from integrations i left join credentials c on (c.tenant_id, c.integration_id) = (i.tenant_id, i.id)"
VISIBLE = "i.removed_at is null and (i.owner_id is null or i.owner_id = :viewer or :is_system)"
"""On `integrations i`. What is being removed in the background does not exist any more for anybody."""
REGISTER = sa.text(
    "insert into due_syncs (tenant_id, integration_id, kind, account, due_at) select tenant_id, id, kind,"
    " coalesce(settings->>'account_id', ''), now() + make_interval(mins => sync_every_minutes) from integrations"
    " where id = :id and kind not in ('upload', 'answers')"
    " on conflict (tenant_id, integration_id) do update set account = excluded.account, kind = excluded.kind"
)
"""Uploads and answers bring their own syncs; everything else is read again and again."""


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
        integration_id = int(rows.scalar_one())
        await self._connection.execute(REGISTER, {"id": integration_id})
        return await self.get(integration_id)

    async def rename(self, integration_id: int, name: str) -> None:
        held = await self.get(integration_id)
        await self._call(integration_id, held.kind, name)

    async def become(self, integration_id: int, kind: str) -> None:
        held = await self.get(integration_id)
        await self._call(integration_id, kind, held.name)
        await self._connection.execute(REGISTER, {"id": integration_id})

    async def _call(self, integration_id: int, kind: str, name: str) -> None:
        try:
            async with self._connection.begin_nested():
                await self._connection.execute(
                    sa.text("update integrations set kind = :kind, name = :name where id = :id"),
                    {"id": integration_id, "kind": kind, "name": name},
                )
        except IntegrityError as error:
            raise Conflict(f"There is an integration called “{name}” already. Choose another name.") from error

    async def configure(self, integration_id: int, settings: dict[str, str]) -> None:
        await self.get(integration_id)
        await self._connection.execute(
            sa.text("update integrations set settings = cast(:settings as jsonb) where id = :id"),
            {"id": integration_id, "settings": msgspec.json.encode(settings).decode()},
        )
        await self._connection.execute(REGISTER, {"id": integration_id})

    async def advance(self, integration_id: int, cursor: str) -> None:
        await self._connection.execute(
            sa.text("update integrations set cursor = :cursor where id = :id"),
            {"id": integration_id, "cursor": cursor},
        )


def _integration(row: sa.Row[tuple[object, ...]]) -> Integration:
    return msgspec.convert(dict(row._mapping), Integration)
