"""Apps that a tenant registered at providers, in Postgres; their secrets are sealed under the tenant's key."""

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.credentials import App
from domain.people import Viewer
from infra.secrets import Sealed, Sealer


class AppStore:
    """The apps of one tenant."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer, sealer: Sealer) -> None:
        self._connection = connection
        self._viewer = viewer
        self._sealer = sealer

    async def all(self) -> Mapping[str, App]:
        rows = await self._connection.execute(
            sa.text("select app, client_id, key_id, sealed from provider_apps order by app")
        )
        return {row.app: App(row.client_id, self._opened(row.app, Sealed(row.key_id, row.sealed))) for row in rows}

    async def save(self, name: str, app: App) -> None:
        sealed = self._sealer.seal(self._viewer.tenant_id, _context(name), app.client_secret.encode())
        await self._connection.execute(
            sa.text(
                "insert into provider_apps (tenant_id, app, client_id, key_id, sealed)"
                " values (:tenant, :app, :client_id, :key_id, :sealed) on conflict (tenant_id, app) do update"
                " set (client_id, key_id, sealed, updated_at) ="
                " (excluded.client_id, excluded.key_id, excluded.sealed, now())"
            ),
            {
                "tenant": self._viewer.tenant_id,
                "app": name,
                "client_id": app.client_id,
                "key_id": sealed.key_id,
                "sealed": sealed.content,
            },
        )

    async def remove(self, name: str) -> None:
        await self._connection.execute(sa.text("delete from provider_apps where app = :app"), {"app": name})

    def _opened(self, name: str, sealed: Sealed) -> str:
        return self._sealer.open(self._viewer.tenant_id, _context(name), sealed).decode()


def _context(name: str) -> str:
    return f"app at {name}"
