"""Syncs: one run over an integration, its state, its failures, and the facts that are announced about it."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from domain.progress import Progress


class SyncState(StrEnum):
    """Where a sync stands; the last four are final."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    HELD = "held"
    """Everything was read, but the guard of deletions asks before it goes on."""


FINAL = frozenset({SyncState.SUCCEEDED, SyncState.FAILED, SyncState.CANCELLED, SyncState.HELD})


class Trigger(StrEnum):
    """Why a sync was started."""

    PERSON = "person"
    UPLOAD = "upload"
    RETRY = "retry"
    IMPORT = "import"
    SCHEDULE = "schedule"
    WEBHOOK = "webhook"


class Sync(msgspec.Struct, frozen=True):
    """One run; the row in Postgres is the truth, everything shown is made from it."""

    id: int
    integration_id: int
    integration_name: str
    state: SyncState
    trigger: Trigger
    progress: Progress
    checkpoint: Progress
    """Progress as it was when the integration's cursor was last advanced: where a new attempt goes on."""
    attempt: int
    """Grows each time a worker takes the sync up: a fencing token."""
    is_cancel_requested: bool
    reason: str
    """Why it failed, for people; empty otherwise."""
    requested_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in FINAL


class Failure(msgspec.Struct, frozen=True):
    """An item that could not be brought in; it is gone from the list once the item succeeds."""

    id: int
    sync_id: int
    integration_id: int
    external_id: str
    name: str
    reason: str
    n_tries: int
    created_at: datetime


class Syncs(Protocol):
    """The syncs of one tenant."""

    async def request(self, integration_id: int, trigger: Trigger) -> Sync:
        """Insert a queued sync and its job in this transaction.

        When one is queued or running already, that one is returned; a running one will look again when it ends. An
        import gets no job, for the importing process runs it itself; should that process die, the next request queues
        what it left. Raises: NotFound, Throttled when very many of the tenant's syncs wait already.
        """

    async def get(self, sync_id: int) -> Sync:
        """Return one. Raises: NotFound."""

    async def latest(self) -> dict[int, Sync]:
        """Return the newest sync of each integration the viewer may see, by integration id."""

    async def ahead(self, sync_ids: Sequence[int]) -> dict[int, int]:
        """Return, for those of these syncs that wait, how many of all tenants will be taken before."""

    async def page(self, integration_id: int, before_id: int | None, size: int) -> list[Sync]:
        """Return syncs of an integration, newest first, those with an id under `before_id`."""

    async def claim(self, sync_id: int) -> Sync:
        """Mark as running under a new attempt and return it. Raises: NotFound, Conflict when it has ended."""

    async def hold(self, sync_id: int, attempt: int) -> bool:
        """Make sure this attempt still owns the sync until this transaction ends; return whether to cancel.

        Raises: Conflict when another worker has taken it over.
        """

    async def save(self, sync_id: int, attempt: int, progress: Progress) -> Sync:
        """Write progress and announce it after the commit. Raises: Conflict when the sync was taken over."""

    async def check_point(self, sync_id: int, attempt: int, progress: Progress) -> None:
        """Remember progress together with the cursor that is advanced in this transaction. Raises: Conflict."""

    async def finish(self, sync_id: int, attempt: int, state: SyncState, progress: Progress, reason: str = "") -> Sync:
        """Write the final state and announce it after the commit; queues another when one was asked for meanwhile.

        Raises: Conflict when the sync was taken over.
        """

    async def cancel(self, sync_id: int) -> Sync:
        """Ask a running sync to stop; a queued one is cancelled at once.

        Raises: NotFound, Conflict when it has ended.
        """

    async def add_failure(self, sync_id: int, external_id: str, name: str, reason: str) -> None:
        """List an item as failed; the same item is listed once, with its number of tries."""

    async def clear_failures(self, integration_id: int, external_ids: Sequence[str]) -> None:
        """Take items that succeeded, or are gone, off the list of failures."""

    async def failures(self, integration_id: int, after_id: int, size: int) -> list[Failure]:
        """Return failures of an integration in order of id, those with a higher id."""

    async def count_failures(self, integration_id: int) -> int:
        """Return how many items of an integration are listed as failed."""

    async def failure_counts(self) -> dict[int, int]:
        """Return how many items are listed as failed, by integration the viewer may see; those with none are absent."""

    async def retry(self, integration_id: int, failure_ids: Sequence[int]) -> int:
        """Mark failures (all when empty) to be tried in the next sync; return how many."""

    async def retries(self, integration_id: int) -> list[str]:
        """Return external ids that are marked to be tried again."""
