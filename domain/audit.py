"""The audit trail: who did what, when."""

from datetime import datetime
from typing import Protocol

import msgspec


class AuditEvent(msgspec.Struct, frozen=True):
    """One line of the trail."""

    id: int
    actor: str
    action: str
    """A noun and a verb in the past: `integration.added`, `document.deleted`."""
    subject: str
    created_at: datetime


class Audit(Protocol):
    """The trail of one tenant; lines are added, never changed."""

    async def record(self, action: str, subject: str) -> None:
        """Add a line in the viewer's name, in this transaction."""

    async def page(self, before_id: int | None, size: int) -> list[AuditEvent]:
        """Return lines, newest first, those with an id under `before_id`."""
