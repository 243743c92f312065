"""Golden questions: what a vault must be able to answer, or to refuse; runs over them show when a change breaks one."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

LARGE_SYNC = 20
"""Documents brought in, changed or removed from which a sync is followed by a run."""
MAX_QUESTIONS = 500
"""More would keep a worker for longer than a look at the trend is worth."""


class Expects(StrEnum):
    """What a good vault does with a golden question."""

    ANSWER = "answer"
    REFUSAL = "refusal"


class Origin(StrEnum):
    """Where a golden question came from."""

    ENTERED = "entered"
    APPROVED = "approved"


class RunCause(StrEnum):
    """What a run was made after."""

    ASKED = "asked"
    SYNC = "sync"
    SETTINGS = "settings"


class RunState(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"


class Outcome(StrEnum):
    """What became of a golden question in a run."""

    PASSED = "passed"
    REFUSED = "refused"
    """It should have been answered."""
    ELSEWHERE = "elsewhere"
    """Answered, but from none of the documents that held the answer."""
    ANSWERED = "answered"
    """It should have been refused."""
    EVIDENCE_GONE = "evidence_gone"
    """Every document that held the answer is deleted."""


class Evidence(msgspec.Struct, frozen=True):
    """A document that holds the answer to a golden question, and the words in which it did."""

    question_id: int
    document_id: int
    title: str
    version_id: int
    """The version of today."""
    quote: str


class GoldenQuestion(msgspec.Struct, frozen=True):
    """A question with what is expected of it. `has_evidence` stays true when the documents are deleted."""

    id: int
    question: str
    expects: Expects
    origin: Origin
    has_evidence: bool
    added_by: str
    created_at: datetime


class Result(msgspec.Struct, frozen=True):
    """What became of a question in a run; `version_ids` are those of its evidence at the time."""

    question_id: int
    outcome: Outcome
    confidence: float
    version_ids: tuple[int, ...] = ()


class Run(msgspec.Struct, frozen=True):
    """One run over all golden questions; `words` says after what, for people."""

    id: int
    cause: RunCause
    words: str
    fingerprint: str
    """What answers were made with; another one means other settings."""
    state: RunState
    reason: str
    created_at: datetime
    finished_at: datetime | None
    n_questions: int = 0
    n_passed: int = 0

    @property
    def share(self) -> float:
        """The share of questions that passed, 0 to 1."""
        return self.n_passed / self.n_questions if self.n_questions else 0.0


class GoldenBook(Protocol):
    """The golden questions of one tenant, and the runs over them."""

    async def add(
        self, question: str, expects: Expects, origin: Origin, document_quotes: Sequence[tuple[int, str]]
    ) -> int:
        """Add a question with the documents that hold its answer; one that stands there already gains evidence."""

    async def remove(self, question_id: int) -> None:
        """Remove one with its results. Raises: NotFound."""

    async def questions(self) -> list[GoldenQuestion]:
        """Return all, newest first."""

    async def evidence(self) -> list[Evidence]:
        """Return the evidence that the viewer may read, by question and document."""

    async def request(self, cause: RunCause, words: str, fingerprint: str) -> Run | None:
        """Queue a run with its job; None when one waits already, or there is nothing to ask."""

    async def begin(self, run_id: int) -> Run | None:
        """Take a run up, also one that was interrupted; None when it has ended."""

    async def note(self, run_id: int, result: Result) -> None:
        """Keep what became of one question."""

    async def finish(self, run_id: int, state: RunState, reason: str = "") -> None:
        """End a run."""

    async def runs(self, limit: int) -> list[Run]:
        """Return the newest runs, newest first."""

    async def results(self, run_ids: Sequence[int]) -> dict[int, list[Result]]:
        """Return the results of these runs, by run, in order of question."""
