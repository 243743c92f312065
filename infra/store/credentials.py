"""Grants and secrets in Postgres, sealed under the tenant's key and bound to their integration."""

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.credentials import Grant, Secrets
from domain.errors import NotFound
from domain.people import Viewer
from infra.secrets import Sealed, Sealer


class CredentialStore:
    """The access of one tenant's integrations."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer, sealer: Sealer) -> None:
        self._connection = connection
        self._viewer = viewer
        self._sealer = sealer

    async def get(self, integration_id: int) -> Grant:
        return msgspec.json.decode(await self._read(integration_id, ""), type=Grant)

    async def hold(self, integration_id: int) -> Grant:
        return msgspec.json.decode(await self._read(integration_id, "for update"), type=Grant)

    async def save(self, integration_id: int, grant: Grant) -> None:
        await self._save(integration_id, msgspec.json.encode(grant), grant)

    async def secrets(self, integration_id: int) -> Secrets:
        return msgspec.json.decode(await self._read(integration_id, ""), type=Secrets)

    async def save_secrets(self, integration_id: int, secrets: Secrets) -> None:
        await self._save(integration_id, msgspec.json.encode(secrets), None)

    async def _save(self, integration_id: int, content: bytes, grant: Grant | None) -> None:
        sealed = self._sealer.seal(self._viewer.tenant_id, _context(integration_id), content)
        await self._connection.execute(
            sa.text(
                "insert into credentials (tenant_id, integration_id, key_id, sealed, scopes, expires_at)"
                " values (:tenant, :integration, :key_id, :sealed, :scopes, :expires_at)"
                " on conflict (tenant_id, integration_id) do update"
                " set (key_id, sealed, scopes, expires_at, updated_at) ="
                " (excluded.key_id, excluded.sealed, excluded.scopes, excluded.expires_at, now())"
            ),
            {
                "tenant": self._viewer.tenant_id,
                "integration": integration_id,
                "key_id": sealed.key_id,
                "sealed": sealed.content,
                "scopes": list(grant.scopes) if grant else [],
                "expires_at": grant.expires_at if grant else None,
            },
        )

    async def _read(self, integration_id: int, lock: str) -> bytes:
        rows = await self._connection.execute(
            sa.text(f"select key_id, sealed from credentials where integration_id = :integration {lock}"),
            {"integration": integration_id},
        )
        row = rows.one_or_none()
        if row is None:
            raise NotFound("This integration has no access to its source. Reconnect it.")
        sealed = Sealed(row.key_id, row.sealed)
        content = self._sealer.open(self._viewer.tenant_id, _context(integration_id), sealed)
        if sealed.key_id != self._sealer.key_id and lock:
            await self._save(integration_id, content, msgspec.json.decode(content, type=Grant))
        return content


def _context(integration_id: int) -> str:
    return f"integration {integration_id}"
