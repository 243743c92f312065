"""A line for each item of a sync: how far it has come on its way from the source into search."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

LINES_A_SYNC = 2_000
"""What is kept of one sync: its newest lines."""
SYNCS_WITH_LINES = 5
"""Lines of so many syncs of an integration are kept; older ones are in the history with their counts."""
SYNCS_IN_HISTORY = 500
"""Five days of a source that is read every 15 minutes."""


class ItemStage(StrEnum):
    """How far an item has come; the last four are ends."""

    FETCHED = "fetched"
    PARSED = "parsed"
    EMBEDDED = "embedded"
    VISIBLE = "visible"
    FILTERED = "filtered"
    FAILED = "failed"
    DELETED = "deleted"


class Reached(msgspec.Struct, frozen=True):
    """An item that has come to a stage; `note` says why where that is the question."""

    external_id: str
    name: str
    stage: ItemStage
    note: str = ""


class Line(msgspec.Struct, frozen=True):
    """An item as the page of its sync shows it."""

    id: int
    external_id: str
    name: str
    stage: ItemStage
    note: str
    changed_at: datetime
    document_id: int | None = None
    n_people: int = 0
    """How many members may read its document."""


class Trails(Protocol):
    """The lines of one tenant's syncs. A member sees those of documents they may read, an admin all shared ones."""

    async def write(self, sync_id: int, steps: Sequence[Reached]) -> None:
        """Note how far items have come: the newest stage of an item, and the newest LINES_A_SYNC items of a sync."""

    async def newest(self, sync_id: int, size: int) -> list[Line]:
        """Return the lines of a sync, last changed first."""

    async def trim(self, integration_id: int) -> None:
        """Forget the lines of syncs before the last SYNCS_WITH_LINES, and all of syncs before SYNCS_IN_HISTORY."""
