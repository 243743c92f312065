"""When an integration is read by itself: a rhythm of its own, pauses, and the ring of a provider's webhook."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from domain.errors import Invalid
from domain.syncs import Sync

RHYTHMS = (5, 15, 60, 360, 1440, 0)
"""Minutes between syncs that can be chosen; 0 means: only when somebody asks."""


class Schedule(msgspec.Struct, frozen=True):
    """How often an integration is read, and whether it is paused."""

    every_minutes: int
    is_paused: bool


def rhythm(entered: str) -> int:
    """Return the chosen minutes. Raises: Invalid for anything that is not on the list."""
    if entered.isascii() and entered.isdigit() and len(entered) < 6 and int(entered) in RHYTHMS:
        return int(entered)
    raise Invalid("Choose one of the listed times between syncs.", {"every": "Choose one of these."})


class Schedules(Protocol):
    """The schedules of one tenant's integrations."""

    async def get(self, integration_id: int) -> Schedule:
        """Return one. Raises: NotFound."""

    async def set(self, integration_id: int, every_minutes: int) -> None:
        """Choose how often an integration is read. Raises: NotFound."""

    async def pause(self, integration_id: int) -> None:
        """Let neither time nor webhook begin a sync; one that is under way is cancelled. Raises: NotFound."""

    async def resume(self, integration_id: int) -> None:
        """End a pause. Raises: NotFound."""

    async def request_due(self) -> list[Sync]:
        """Request a sync for each integration that is due, and say when it is due next, in this transaction.

        Many workers may call it at the same moment: each due integration is taken by one of them. An integration that
        is being read is passed over.
        """

    async def ring(self, integration_id: int) -> Sync | None:
        """Request a sync because the provider says that something has changed; None while it is paused."""


class Wakes(Protocol):
    """What is known across tenants about who is to be woken: ids, and no content."""

    async def due_tenants(self, limit: int) -> Sequence[int]:
        """Return tenants that have something due, those that wait longest first."""

    async def is_first(self, provider: str, delivery: str) -> bool:
        """Remember a delivery, and return whether it is seen for the first time within a day."""

    async def readers_of(self, kind: str, account: str) -> Sequence[tuple[int, int]]:
        """Return tenant and integration ids that read this account at a provider, or an account in this workspace."""
