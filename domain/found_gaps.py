"""Gaps as a vault keeps them: one per question, with its evidence in documents; and the port that stores them."""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from domain.detection import Detected
from domain.gap_kinds import GapKind
from domain.gap_ranking import Lesson
from domain.gaps import Gap

MAX_REASON = 500


class GapState(StrEnum):
    """Where a gap stands."""

    OPEN = "open"
    DISMISSED = "dismissed"
    ANSWERED = "answered"


class FoundGap(msgspec.Struct, frozen=True):
    """A gap with the evidence that the viewer may read best."""

    id: int
    kind: GapKind
    state: GapState
    question: str
    person: str
    score: float
    document_id: int
    version_id: int
    start: int
    end: int
    title: str
    author: str
    modified_at: datetime | None
    n_documents: int
    """How many documents that the viewer may read leave the same open."""
    reason: str = ""
    """Why it was dismissed."""
    addressee: str = ""
    """Who most likely knows."""
    addressee_reason: str = ""
    priority: float = 0.0
    """Risk, reach and answerability together, and what people made of its kind; by it the first come first."""
    quality: float = 0.0
    n_alike: int = 1
    """How many findings that ask the same in other words are shown as this one."""
    found_at: datetime | None = None
    closed_by: str = ""
    closed_at: datetime | None = None
    """When it was answered or dismissed; None while it is open."""


class GapSort(StrEnum):
    """How gaps are ordered; what is alike comes most important first, then by id."""

    PRIORITY = "priority"
    NEWEST = "newest"
    """By when they were found; closed ones by when they were closed."""
    OLDEST = "oldest"
    KIND = "kind"
    DOCUMENT = "document"
    PERSON = "person"
    """By whom they are asked of; those asked of nobody come last."""


class GapFilter(msgspec.Struct, frozen=True):
    """What the page of gaps is narrowed to."""

    state: GapState = GapState.OPEN
    kind: GapKind | None = None
    person: str = ""
    """The one who is asked, by name, in any case of letters."""
    lessons: tuple[Lesson, ...] = ()
    """What people made of each kind: they weigh, and a kind that is muted is shown only where it is asked for."""

    @property
    def muted(self) -> tuple[GapKind, ...]:
        """The kinds that are left out."""
        is_listing = self.kind is None and self.state is GapState.OPEN
        return tuple(each.kind for each in self.lessons if each.is_muted) if is_listing else ()


class GapPage(msgspec.Struct, frozen=True):
    """One keyset page; `next_key` is empty on the last."""

    gaps: tuple[FoundGap, ...]
    next_key: str = ""


class Gaps(Protocol):
    """What detectors found in one tenant's documents; seen only through documents that the viewer may read."""

    async def due(self, detector: str, after_id: int, limit: int) -> list[int]:
        """Return documents with a higher id whose present version this detector has not read, in order of id."""

    async def record(self, document_id: int, version_id: int, detector: str, detected: Detected, text: str) -> None:
        """Replace what is held of a document by what was found in this version; a no-op if it has a newer one by now.

        The same gap found again, here or in another document, is one gap; one that was dismissed stays so. Read in
        surroundings that have changed meanwhile, it is due again.
        """

    async def page(self, narrowed: GapFilter, size: int, sort: GapSort = GapSort.PRIORITY, key: str = "") -> GapPage:
        """Return the page after `key`. Raises: Invalid for a key that was not given out here."""

    async def counts(self, state: GapState, person: str = "") -> dict[GapKind, int]:
        """Return how many gaps of each kind the viewer may see, of one person where one is named, most first."""

    async def dismiss(self, gap_id: int, reason: str) -> None:
        """Close a gap, for good. Raises: NotFound."""

    async def reopen(self, gap_id: int) -> None:
        """Open a dismissed gap again. Raises: NotFound."""


def fingerprint(gap: Gap, text: str) -> str:
    """Return what makes two findings the same gap: the kind and the words of the evidence, or the term asked about."""
    said = gap.question if gap.kind is GapKind.UNDEFINED_TERM else text[gap.start : gap.end]
    words = re.sub(r"\s*\(.*\)\?$", "", said) if gap.kind is GapKind.UNDEFINED_TERM else said
    plain = " ".join(re.sub(r"[\W_]+", " ", words.lower()).split())
    return hashlib.sha256(f"{gap.kind.value}\t{plain}".encode()).hexdigest()


def unique(gaps: Sequence[Gap], text: str) -> list[tuple[str, Gap]]:
    """Return a document's gaps with their fingerprints, each fingerprint once, the best first."""
    held: dict[str, Gap] = {}
    for gap in gaps:
        held.setdefault(fingerprint(gap, text), gap)
    return list(held.items())
