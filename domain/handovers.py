"""Handovers: a person leaves; what they alone know, ranked, becomes an interview, and its answers a document."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from domain.expertise import Standing
from domain.found_gaps import FoundGap
from domain.people import EVERYONE, Viewer, user_principal

N_TOPICS = 12
N_DEEP = 5
"""Topics that are asked about at length; the others get the first question only."""
N_GAPS = 10
MIN_SHARE = 0.5
TOPIC_QUESTIONS = (
    ("What must somebody who takes over {topic} know that is written down nowhere?", 3.0),
    ("What goes wrong with {topic}, how is it noticed, and what do you do then?", 2.0),
    ("Who depends on {topic}, and whom do you call about it, inside and outside?", 1.0),
)
GAP_WEIGHT = 2.0
MAX_ANSWER = 50_000
DOCUMENT_PREFIX = "handover-"
"""Under which its document stands among the answers."""


class Planned(msgspec.Struct, frozen=True):
    """A question of an interview before it begins; `gap_id` where documents ask it."""

    topic: str
    question: str
    weight: float
    gap_id: int | None = None


class HandoverQuestion(msgspec.Struct, frozen=True):
    """A question of an interview; one that documents ask is shown to whoever may read those, in its gap's words."""

    place: int
    topic: str
    question: str
    weight: float
    gap_id: int | None
    answer: str
    answered_by: str

    @property
    def is_answered(self) -> bool:
        """Whether it has been answered, here or on the page of its gap."""
        return bool(self.answered_by)


class Handover(msgspec.Struct, frozen=True):
    """One person's handover, with its questions in order."""

    id: int
    name: str
    """Who leaves."""
    is_for_everyone: bool
    """Whether the whole company may read the result."""
    created_by: str
    created_at: datetime
    questions: tuple[HandoverQuestion, ...] = ()
    document_id: int | None = None

    @property
    def coverage(self) -> int:
        """How much of what they alone know is written down by now, in percent of the questions' weights."""
        return _percent(self.questions)

    @property
    def topics(self) -> tuple[tuple[str, int], ...]:
        """The topics in their order, each with its own coverage."""
        names = dict.fromkeys(each.topic for each in self.questions)
        return tuple((name, _percent([each for each in self.questions if each.topic == name])) for name in names)


class PendingHandover(msgspec.Struct, frozen=True):
    """A handover whose document is to be read anew."""

    id: int
    revision: int
    name: str
    author: str
    updated_at: datetime
    principals: tuple[str, ...]
    questions: tuple[HandoverQuestion, ...]


class Handovers(Protocol):
    """The handovers that the viewer leads, or that are their own."""

    async def all(self) -> list[Handover]:
        """Return them without their questions, newest first."""

    async def get(self, handover_id: int) -> Handover:
        """Return one with its questions. Raises: NotFound."""

    async def begin(self, name: str, planned: Sequence[Planned], principals: Sequence[str]) -> int:
        """Begin an interview led by the viewer and return its id; a member of that name gets it too."""

    async def answer(self, handover_id: int, place: int, text: str) -> None:
        """Write down an answer, in place of an earlier one, and announce it. Raises: NotFound."""

    async def pending(self) -> list[PendingHandover]:
        """Return those with answers that no document holds yet, by id; for the system."""

    async def pending_one(self, handover_id: int) -> PendingHandover | None:
        """Return one as it is to be read; for the system."""


def plan(topics: Sequence[Standing], person_id: int, gaps: Sequence[FoundGap], name: str) -> list[Planned]:
    """Return the questions to one person: about what hangs on them most first, then what documents ask of them."""
    shares = [(each, knower) for each in topics for knower in each.knowers if knower.person_id == person_id]
    held = [(each, knower) for each, knower in shares if knower.share >= MIN_SHARE]
    ranked = sorted(held, key=lambda pair: (-pair[1].share * pair[1].n_deeds, pair[0].topic))[:N_TOPICS]
    about = [
        Planned(each.topic, question.format(topic=each.topic), weight * knower.share)
        for place, (each, knower) in enumerate(ranked)
        for question, weight in (TOPIC_QUESTIONS if place < N_DEEP else TOPIC_QUESTIONS[:1])
    ]
    theirs = [gap for gap in gaps if is_for(gap, name)][:N_GAPS]
    return about + [Planned("Asked by documents", "", GAP_WEIGHT * gap.score, gap.id) for gap in theirs]


def is_for(gap: FoundGap, name: str) -> bool:
    """Whether a person knows most of what a gap asks, is named in it, or wrote the document that it stands in."""
    wanted = name.casefold()
    named = gap.person.casefold()
    return wanted in (gap.author.casefold(), gap.addressee.casefold()) or (
        named != "" and named in (wanted, wanted.split()[0])
    )


def document_of(handover: PendingHandover) -> str:
    """Return the result as Markdown: the answers under their topics.

    Answers to what documents ask are documents of their own, which only readers of those may read; they stay out.
    """
    lines = [f"# Handover of {handover.name}", ""]
    topic = ""
    for each in handover.questions:
        if not each.answer or each.gap_id is not None:
            continue
        if each.topic != topic:
            topic = each.topic
            lines += [f"## {topic}", ""]
        lines += [f"### {each.question}", "", each.answer, ""]
    return "\n".join(lines)


def principals_of(viewer: Viewer, is_for_everyone: bool) -> tuple[str, ...]:
    """Return who may read the result: everyone, or at first whoever leads the interview."""
    return (EVERYONE,) if is_for_everyone else (user_principal(viewer.user_id),)


def _percent(questions: Sequence[HandoverQuestion]) -> int:
    total = sum(each.weight for each in questions)
    return round(100 * sum(each.weight for each in questions if each.is_answered) / total) if total else 0
