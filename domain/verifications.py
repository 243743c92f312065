"""Verification: who vouches that a document still holds, how often, and since when."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

MAX_DAYS = 3650


class Verification(msgspec.Struct, frozen=True):
    """What is known of a document's verification, as one who may read the document sees it."""

    document_id: int
    title: str
    verifier_id: int | None
    """None when the person has left: somebody else is to be named."""
    verifier: str
    every_days: int
    """0: once is enough, until the text changes."""
    due_at: datetime | None
    verified_at: datetime | None
    verified_by: str
    is_of_this_version: bool
    """Whether the present text is the one that was verified."""

    @property
    def is_changed(self) -> bool:
        """Whether the text has changed since it was verified."""
        return self.verified_at is not None and not self.is_of_this_version

    def is_due(self, now: datetime) -> bool:
        """Whether somebody is to look at it now."""
        return self.is_changed or (self.due_at is not None and self.due_at <= now)


class Verifications(Protocol):
    """The verifications of one tenant's documents, of those that the viewer may read."""

    async def get(self, document_id: int) -> Verification | None:
        """Return what is arranged for a document; None where nothing is."""

    async def of_many(self, document_ids: Sequence[int]) -> dict[int, Verification]:
        """Return what is arranged for documents, by id; those with nothing are absent."""

    async def arrange(self, document_id: int, verifier_id: int, every_days: int, now: datetime) -> None:
        """Name who verifies a document, and how often; it is due at once unless it was verified recently enough.

        Raises: Invalid when that person may not read the document, or the interval makes no sense; NotFound.
        """

    async def end(self, document_id: int) -> None:
        """Ask nobody to verify a document any more. Raises: NotFound."""

    async def verify(self, document_id: int, version_id: int, now: datetime) -> None:
        """Write down that the viewer vouches for this version. Raises: NotFound, Forbidden unless they are to.

        Raises: Conflict when there is a newer version that the viewer has not seen.
        """

    async def due(self, now: datetime, is_for_all: bool, offset: int, size: int) -> list[Verification]:
        """Return what is due, longest first: the viewer's, or everybody's."""

    async def count_due(self, now: datetime, is_for_all: bool) -> int:
        """Return how many are due."""
