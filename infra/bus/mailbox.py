"""A mailbox: what one watcher has not read yet. A slow reader loses middle facts, never the last, never a goodbye."""

import asyncio
from typing import assert_never

from domain.facts import AccessEnded, DocumentsChanged, Fact, HandoverChanged, IntegrationChanged, SyncChanged
from domain.syncs import Sync

SIZE = 256
"""Subjects that may wait at once; far more than a page shows."""

Subject = tuple[str, int, int | None]
Age = tuple[bool, int, int, int]


class Mailbox:
    """An iterator over facts, for one reader.

    At most one fact waits for each subject, the newest; the stalest subject leaves when full.
    """

    __slots__ = ("_ages", "_is_closed", "_reader", "_size", "_waiting")

    def __init__(self, size: int = SIZE) -> None:
        self._size = size
        self._waiting: dict[Subject, Fact] = {}
        self._ages: dict[int, Age] = {}
        self._reader: asyncio.Future[None] | None = None
        """What the reader waits for; an `asyncio.Event` in its place would take 700 bytes more in each of thousands."""
        self._is_closed = False

    def put(self, fact: Fact) -> None:
        """Add a fact in place of an older one about the same subject; what is older than the last seen is dropped."""
        if isinstance(fact, SyncChanged) and not self._is_news(fact.sync):
            return
        self._waiting.pop(_subject(fact), None)
        self._waiting[_subject(fact)] = fact
        if len(self._waiting) > self._size:
            self._drop_stalest()
        self._wake()

    def close(self) -> None:
        """End the iteration once everything that waits has been read."""
        self._is_closed = True
        self._wake()

    def __aiter__(self) -> "Mailbox":
        return self

    async def __anext__(self) -> Fact:
        while not self._waiting:
            if self._is_closed:
                raise StopAsyncIteration
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        return self._waiting.pop(next(iter(self._waiting)))

    def _wake(self) -> None:
        if self._reader and not self._reader.done():
            self._reader.set_result(None)

    def _is_news(self, sync: Sync) -> bool:
        """Facts may overtake each other while they change from one server to the other."""
        age = _age(sync)
        if age < self._ages.get(sync.id, age):
            return False
        self._ages[sync.id] = age
        return True

    def _drop_stalest(self) -> None:
        for subject, fact in self._waiting.items():
            if not isinstance(fact, AccessEnded):
                del self._waiting[subject]
                return


def _subject(fact: Fact) -> Subject:
    match fact:
        case SyncChanged():
            return "sync", fact.sync.id, None
        case DocumentsChanged():
            return "documents", fact.integration_id, None
        case IntegrationChanged():
            return "integration", fact.integration_id, None
        case HandoverChanged():
            return "handover", fact.handover_id, None
        case AccessEnded():
            return "access", fact.user_id, fact.session_id
        case _:
            assert_never(fact)


def _age(sync: Sync) -> Age:
    """Grows with every change of a sync that a person could see go backwards."""
    progress = sync.progress
    return sync.is_final, sync.attempt, progress.processed + progress.deleted, progress.found
