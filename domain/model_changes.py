"""A change of the search model: another model's vectors are filled in beside, compared, and read at a click.

Each tenant goes its own way and at its own pace. Questions are embedded with the model whose vectors the tenant reads.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from domain.embedding import Matrix


class FillState(StrEnum):
    """How far the vectors of the model that is not read are."""

    WAITING = "waiting"
    FILLING = "filling"
    EVALUATING = "evaluating"
    READY = "ready"


class QuestionOrigin(StrEnum):
    """Where the questions of an evaluation came from."""

    GOLDEN = "golden"
    TITLES = "titles"


class Figures(msgspec.Struct, frozen=True):
    """How well one model finds the documents wanted, 0 to 1: in the whole search, and with vectors alone."""

    recall: float
    """The share of questions with a document wanted among the first ten."""
    reciprocal_rank: float
    """The mean of 1 / its place, 0 beyond the tenth."""
    vector_recall: float
    vector_reciprocal_rank: float


class Evaluation(msgspec.Struct, frozen=True):
    """Two models side by side on the same questions; figures by the models' labels."""

    origin: QuestionOrigin
    n_questions: int
    figures: dict[str, Figures]


class SearchModel(msgspec.Struct, frozen=True):
    """Which model a tenant reads, and which it could read."""

    model: str
    """Its label."""
    other: str = ""
    """The label of the one beside it, or ""."""
    state: FillState = FillState.WAITING
    n_filled: int = 0
    n_total: int = 0
    evaluation: Evaluation | None = None
    changed_by: str = ""
    changed_at: datetime | None = None

    @property
    def percent(self) -> int:
        """How much of the other model's vectors is there."""
        if self.state in (FillState.EVALUATING, FillState.READY):
            return 100
        return min(99, 100 * self.n_filled // self.n_total) if self.n_total else 0


class Unfilled(msgspec.Struct, frozen=True):
    """A chunk without a vector of the model that is filled in, and the text to embed."""

    chunk_id: int
    text: str


class ModelChanges(Protocol):
    """The change of one tenant's search model."""

    async def current(self) -> SearchModel:
        """Return which model is read, which stands beside it, and how far that one is."""

    async def request(self) -> bool:
        """Queue the filling of the model that is set up and not read, with its job; False where nothing is to do."""

    async def queue(self) -> None:
        """Queue one more job, unless one waits already."""

    async def begin(self) -> SearchModel | None:
        """Take the filling up, also one that broke off; None when there is nothing to fill or to evaluate."""

    async def unfilled(self, model: str, size: int) -> list[Unfilled]:
        """Return the next chunks without a vector of the model, in order of id; none at the end."""

    async def fill(self, model: str, chunk_ids: Sequence[int], vectors: Matrix) -> None:
        """Write vectors, (n, d) float32, unit norm, and go on behind them; repeating it changes nothing."""

    async def end_filling(self, model: str) -> bool:
        """Go over to the evaluation; False, and from the start again, where chunks came in without a vector."""

    async def end_evaluation(self, evaluation: Evaluation) -> None:
        """Keep the figures; from now on the model can be read."""

    async def read(self, model: str) -> bool:
        """Compare questions with this model's vectors from the commit on; False where some are missing.

        The missing are queued then. Raises: Conflict for a model that is not set up, or not evaluated yet.
        """

    async def sample(self, size: int) -> list[tuple[str, int]]:
        """Return titles with their documents, spread over the library, the same ones each time."""
