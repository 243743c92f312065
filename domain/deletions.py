"""Deletions that wait for the end of a sync, and the guard that asks before many documents go at once.

What the source no longer has is marked first, whatever the connector: item by item where it reports deletions, all at
once where a snapshot shows them. Nothing is deleted before the whole number is known, so that a revoked access or an
unmounted disk cannot empty an integration; the marks are rows, so that a killed worker changes nothing of this.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from domain.errors import VaultError

GUARDED_SHARE = 0.2
"""More than this share of an integration is not deleted without asking."""
HANDFUL = 5
"""Fewer deletions than this are never asked about, however small the integration."""


class TooManyDeletions(VaultError):
    """The guard has stopped a sync; its message is for the page of the integration."""


class GuardState(StrEnum):
    """What a guard waits for: an answer, or the sync that the answer was given for."""

    ASKING = "asking"
    ALLOWED = "allowed"


class Guard(msgspec.Struct, frozen=True):
    """A question of how to go on, or the answer that deletions may go on."""

    integration_id: int
    sync_id: int
    state: GuardState
    n_deletions: int | None
    """As many as were asked about, or are allowed; None allows what a person's own choice of sources removes."""
    n_documents: int
    decided_by: str
    created_at: datetime


class Standing(msgspec.Struct, frozen=True):
    """How many documents an integration held before a sync, and how many of them would go now."""

    n_deletions: int
    n_documents: int


def is_held(standing: Standing, guard: Guard | None) -> bool:
    """Whether a person has to be asked before these deletions are made."""
    if standing.n_deletions < HANDFUL or standing.n_deletions <= standing.n_documents * GUARDED_SHARE:
        return False
    if guard is None or guard.state is not GuardState.ALLOWED:
        return True
    return guard.n_deletions is not None and standing.n_deletions > guard.n_deletions


def question(standing: Standing) -> str:
    """Return what the integration's page says when the guard has stopped a sync."""
    return (
        f"{standing.n_deletions:,} of {standing.n_documents:,} documents are gone at the source. That is more than "
        f"{GUARDED_SHARE * 100:.0f} %, so nothing was deleted. Say on the integration's page whether they may go."
    )


class Deletions(Protocol):
    """The deletions of one tenant's integrations."""

    async def mark(self, integration_id: int, external_ids: Sequence[str]) -> None:
        """Mark documents as gone at the source; those that come again lose the mark."""

    async def mark_unseen(self, integration_id: int, sync_id: int) -> None:
        """Mark what this snapshot has not shown."""

    async def standing(self, integration_id: int, sync_id: int) -> Standing:
        """Return what would go, of what was there before this sync; what an admin has kept does not count."""

    async def carry_out(self, integration_id: int, limit: int) -> list[str]:
        """Delete marked documents, out of search in this transaction; return their external ids, none at the end."""

    async def guard(self, integration_id: int) -> Guard | None:
        """Return the integration's guard, if it asks or was answered."""

    async def guards(self) -> dict[int, Guard]:
        """Return the guards that ask, by integration the viewer may see."""

    async def ask(self, integration_id: int, sync_id: int, standing: Standing) -> None:
        """Put the question, or bring its numbers up to date."""

    async def allow(self, integration_id: int, n_deletions: int | None) -> None:
        """Let the next sync delete so many; None: whatever it finds gone."""

    async def keep(self, integration_id: int) -> int:
        """Keep the marked documents although the source has them no more; return how many."""

    async def settle(self, integration_id: int) -> None:
        """Forget the guard: a sync has ended within it."""
