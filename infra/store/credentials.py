"""Grants and secrets in Postgres, sealed under the tenant's key and bound to their integration."""

from collections.abc import Callable
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.credentials import DIES_SOON, Grant, Secrets
from domain.errors import NotFound
from domain.facts import Fact, IntegrationChanged
from domain.people import Viewer
from infra.secrets import Sealed, Sealer


class CredentialStore:
    """The access of one tenant's integrations."""

    def __init__(
        self, connection: AsyncConnection, viewer: Viewer, sealer: Sealer, announce: Callable[[int, Fact], None]
    ) -> None:
        self._connection = connection
        self._viewer = viewer
        self._sealer = sealer
        self._announce = announce

    async def get(self, integration_id: int) -> Grant:
        try:
            return msgspec.json.decode(await self._read(integration_id, ""), type=Grant)
        except msgspec.ValidationError as error:
            raise NotFound("The access of this integration was entered, not given by consent.") from error

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
                "insert into credentials (tenant_id, integration_id, key_id, sealed, scopes, expires_at, dies_at)"
                " values (:tenant, :integration, :key_id, :sealed, :scopes, :expires_at, :dies_at)"
                " on conflict (tenant_id, integration_id) do update"
                " set (key_id, sealed, scopes, expires_at, dies_at, problem, warned_at, updated_at) ="
                " (excluded.key_id, excluded.sealed, excluded.scopes, excluded.expires_at, excluded.dies_at, '',"
                " case when credentials.dies_at is not distinct from excluded.dies_at then credentials.warned_at end,"
                " now())"
            ),
            {
                "tenant": self._viewer.tenant_id,
                "integration": integration_id,
                "key_id": sealed.key_id,
                "sealed": sealed.content,
                "scopes": list(grant.scopes) if grant else [],
                "expires_at": grant.expires_at if grant else None,
                "dies_at": grant.dies_at if grant else None,
            },
        )

    async def note_problem(self, integration_id: int, problem: str) -> None:
        await self._change(
            "update credentials set problem = :problem where integration_id = :integration and problem <> :problem",
            {"integration": integration_id, "problem": problem},
        )

    async def warn(self, integration_id: int, now: datetime) -> bool:
        return await self._change(
            "update credentials set warned_at = :now where integration_id = :integration"
            " and warned_at is null and dies_at < :soon",
            {"integration": integration_id, "now": now, "soon": now + DIES_SOON},
        )

    async def _change(self, statement: str, binds: dict[str, object]) -> bool:
        rows = await self._connection.execute(sa.text(f"{statement} returning integration_id"), binds)
        changed = list(rows.scalars())
        for integration_id in changed:
            self._announce(self._viewer.tenant_id, IntegrationChanged(integration_id))
        return bool(changed)

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
