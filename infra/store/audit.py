"""The audit trail in Postgres: lines are inserted and read, never changed."""

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.audit import AuditEvent
from domain.people import Viewer
from infra.store.texts import storable

NEWEST = 2**63 - 1
"""Every id is under it."""


class AuditStore:
    """The trail of one tenant."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer) -> None:
        self._connection = connection
        self._viewer = viewer

    async def record(self, action: str, subject: str) -> None:
        """Add a line in the viewer's name, in this transaction."""
        await self._connection.execute(
            sa.text(
                "insert into audit_events (tenant_id, user_id, actor, action, subject)"
                " values (:tenant, :user, :actor, :action, :subject)"
            ),
            {
                "tenant": self._viewer.tenant_id,
                "user": None if self._viewer.is_system else self._viewer.user_id,
                "actor": self._viewer.name,
                "action": action,
                "subject": storable(subject),
            },
        )

    async def page(self, before_id: int | None, size: int) -> list[AuditEvent]:
        """Return lines, newest first, those with an id under `before_id`."""
        rows = await self._connection.execute(
            sa.text(
                "select id, actor, action, subject, created_at from audit_events"
                " where id < :before order by id desc limit :size"
            ),
            {"before": NEWEST if before_id is None else before_id, "size": size},
        )
        return [msgspec.convert(dict(row._mapping), AuditEvent) for row in rows]
