"""How the deployment stands: its workers and its queue, for those who run it."""

from datetime import datetime

import msgspec

SILENT_AFTER_S = 20.0
"""A worker that has said nothing for longer is taken for dead, and its jobs are given to others."""


class WorkerProcess(msgspec.Struct, frozen=True):
    """One loop that takes jobs, as the queue knows it; a worker process has two."""

    id: int
    last_seen_at: datetime
    n_jobs: int
    """Jobs it carries now."""

    def is_alive(self, now: datetime) -> bool:
        """Whether it has been heard of lately."""
        return (now - self.last_seen_at).total_seconds() <= SILENT_AFTER_S


class Queue(msgspec.Struct, frozen=True):
    """How many syncs wait or run, of all tenants."""

    n_waiting: int
    n_running: int
    oldest_since: datetime | None
    """Since when the oldest of those that wait has waited."""

    def age_s(self, now: datetime) -> float:
        """Return how long the oldest has waited; 0 when none does."""
        return max(0.0, (now - self.oldest_since).total_seconds()) if self.oldest_since else 0.0


class Operations(msgspec.Struct, frozen=True):
    """What Postgres knows about the processes."""

    workers: tuple[WorkerProcess, ...]
    queue: Queue
