"""Answers to gaps: what people wrote down when they were asked, in versions, and whom a question was passed on to.

An answer becomes a document of the integration ANSWERS, so that it is searched and cited like any other; whoever may
read the evidence may read it, and nobody else.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from domain.errors import Invalid
from domain.found_gaps import FoundGap

ANSWERS = "Answers"
ANSWERS_KIND = "answers"
MAX_TEXT = 50_000
MAX_NOTE = 500


class AnswerState(StrEnum):
    """Where an answer stands."""

    WAITING = "waiting"
    """For its reviewer, if it has one."""
    VERIFIED = "verified"
    OUTDATED = "outdated"
    """The text that it answers has changed since."""


class Via(StrEnum):
    """How an answer came."""

    PAGE = "page"
    MAIL = "mail"
    INTERVIEW = "interview"


class GapAnswer(msgspec.Struct, frozen=True):
    """An answer in its present version."""

    id: int
    gap_id: int | None
    evidence_document_id: int | None
    question: str
    text: str
    ordinal: int
    author: str
    author_id: int | None
    reviewer_id: int | None
    reviewer: str
    state: AnswerState
    created_at: datetime
    updated_at: datetime
    document_id: int | None
    """None until a worker has read it."""
    evidence_title: str = ""


class AnswerVersion(msgspec.Struct, frozen=True):
    """One state of an answer."""

    ordinal: int
    text: str
    author: str
    via: Via
    created_at: datetime


class PendingAnswer(msgspec.Struct, frozen=True):
    """An answer that is to become a document, or a new version of one."""

    id: int
    ordinal: int
    question: str
    text: str
    author: str
    updated_at: datetime
    principals: tuple[str, ...]
    """Who may read the evidence now; nobody when it is gone."""


class GapRequest(msgspec.Struct, frozen=True):
    """That somebody passed a question on to a member."""

    gap_id: int
    user_id: int
    name: str
    asked_by: str
    note: str
    created_at: datetime


class GapAnswers(Protocol):
    """The answers of one tenant; the viewer sees those whose evidence they may read."""

    async def gap(self, gap_id: int, document_id: int | None = None) -> FoundGap:
        """Return a gap in any state, with its best evidence, or that in one document. Raises: NotFound."""

    async def of_gap(self, gap_id: int) -> list[GapAnswer]:
        """Return the answers to a gap, and to those that are asked as one with it, newest first."""

    async def completing(self, document_id: int) -> list[GapAnswer]:
        """Return the answers that complete a document, newest first."""

    async def behind(self, document_id: int) -> GapAnswer | None:
        """Return the answer that a document holds, if it is one's document."""

    async def versions(self, answer_id: int) -> list[AnswerVersion]:
        """Return the versions of an answer, newest first."""

    async def put(self, gap: FoundGap, text: str, via: Via, reviewer_id: int | None) -> int:
        """Write an answer of the viewer's, or a new version of the one there is, and return its id.

        The gap is answered, and so are those that are asked as one with it.
        """

    async def attach(self, answer_id: int, upload_ids: Sequence[int]) -> None:
        """Attach uploads, which from now on are read by whoever may read the evidence."""

    async def files(self, answer_id: int) -> list[str]:
        """Return the names of what is attached."""

    async def pending(self, after_id: int, limit: int) -> list[PendingAnswer]:
        """Return answers whose present version no document holds yet, in order of id; for the system."""

    async def get_many(self, answer_ids: Sequence[int]) -> list[PendingAnswer]:
        """Return these answers as they are to be read; for the system."""

    async def settle(self, document_id: int, version_id: int, now: datetime) -> None:
        """Draw the consequences of a document's present version, after detectors have read it.

        An answer's document is put before its reviewer. Where the document is evidence, answers to gaps that it leaves
        open no longer are outdated; a gap that stands again, with nothing but outdated answers, is open again.
        """

    async def pass_on(self, gap_id: int, user_id: int, note: str) -> None:
        """Ask another member instead of the viewer. Raises: NotFound; Invalid when they may not read the evidence."""

    async def requests(self, gap_id: int) -> list[GapRequest]:
        """Return whom a gap was passed on to, newest first."""

    async def refused(self, gap_id: int) -> set[int]:
        """Return who passed a gap on, and is not asked about it again."""


def checked(text: str) -> str:
    """Return the text of an answer. Raises: Invalid when there is none, or too much."""
    if not text.strip():
        raise Invalid("Please look at the marked fields.", {"text": "Write an answer first; a sentence will do."})
    if len(text) > MAX_TEXT:
        message = f"This is longer than {MAX_TEXT:,} characters. Attach it as a file instead."
        raise Invalid("Please look at the marked fields.", {"text": message})
    return text.replace("\r\n", "\n").strip()
