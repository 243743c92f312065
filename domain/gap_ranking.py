"""How gaps are ranked: whom to ask, how good a question is, which two are one, what people made of them; the port."""

import re
from collections.abc import Collection, Sequence
from typing import Protocol

import msgspec

from domain.embedding import Matrix
from domain.expertise import Knower
from domain.gap_kinds import GapKind

SAME_GAP = 0.87
"""Cosine of two quotes from which they leave the same open.

Of nine pairs over .8 in public minutes and a handbook, all three above this did, and three of the six below;
`bench.gaps` prints how many it makes one.
"""
MIN_SHARE = 0.34
"""Of what is known of a topic; who knows less is not asked before the author."""
MUTED_FROM = 10
MUTED_SHARE = 0.9
PRIOR = 4
"""So many verdicts are taken to be good before any was given."""
QUOTED = re.compile(r"“(?P<quote>.*)”", re.DOTALL)
TELLING = re.compile(r"\d[\d.,]*|\b[A-ZÀ-Þ][\w-]*\b")
POINTING = re.compile(r"\W*(?:it|this|that|these|those|they|he|she|there)\b", re.IGNORECASE)
GOOD_WORDS = (4, 32)

KNOWN_BY_NAME = frozenset({GapKind.KNOWLEDGE_IN_A_HEAD, GapKind.SINGLE_EXPERT})
"""Kinds whose evidence names who knows."""
EVERYBODY = frozenset({"everybody", "everyone", "anybody", "nobody", "all", "us", "team"})


class Lesson(msgspec.Struct, frozen=True):
    """What people made of one kind of gap."""

    kind: GapKind
    n_judged: int
    n_dismissed: int

    @property
    def is_muted(self) -> bool:
        """Whether nearly all of them were dismissed, so that no more are shown unasked."""
        return self.n_judged >= MUTED_FROM and self.n_dismissed >= MUTED_SHARE * self.n_judged

    @property
    def weight(self) -> float:
        """What a gap of this kind counts beside others, 1 where nobody has complained."""
        return (self.n_judged - self.n_dismissed + PRIOR) / (self.n_judged + PRIOR)


class Unsorted(msgspec.Struct, frozen=True):
    """Evidence of a gap for which it is not known yet whom to ask, and whether it is another's twin."""

    gap_id: int
    document_id: int
    kind: GapKind
    start: int
    end: int
    question: str
    person: str
    author: str


class Sorted(msgspec.Struct, frozen=True):
    """What was worked out for it."""

    evidence: Unsorted
    addressee: str
    reason: str
    quality: float


class Twins(msgspec.Struct, frozen=True):
    """Two gaps of one kind whose quotes are near in meaning; `older_id` was there first."""

    gap_id: int
    older_id: int
    question: str
    older_question: str
    cosine: float


class GapRanking(Protocol):
    """What ranks the gaps of one tenant."""

    async def unsorted(self, limit: int) -> list[Unsorted]:
        """Return evidence that has not been sorted, surest first; for the system."""

    async def unsort(self, departed: Collection[str], limit: int) -> None:
        """Have it worked out anew whom to ask in place of who has left, and for up to `limit` who knows at all."""

    async def sort(self, found: Sequence[Sorted], vectors: Matrix) -> list[Twins]:
        """Keep what was worked out, (n, d) vectors of the quotes with it; return what may be the same question."""

    async def join(self, twins: Sequence[Twins]) -> None:
        """Make gaps one: the younger is shown, dismissed and opened with the older."""

    async def lessons(self) -> list[Lesson]:
        """Return what people made of each kind, since they last wanted it forgotten."""

    async def praise(self, gap_id: int) -> None:
        """Note that the viewer finds a gap worth asking. Raises: NotFound."""

    async def forget(self, kind: GapKind) -> None:
        """Forget the verdicts on a kind, so that it is shown again."""


def addressee(
    evidence: Unsorted,
    experts: Sequence[Knower],
    topic: str,
    departed: frozenset[str],
    colleagues: frozenset[str] = frozenset(),
) -> tuple[str, str]:
    """Return who most likely knows, and why: who knows most of the topic, else the author, else who is named in it.

    Whom the evidence itself says to know comes first. A given name is the one colleague's, here or departed, who
    bears it.
    """
    person = _in_full(evidence.person, departed | colleagues)
    if evidence.kind in KNOWN_BY_NAME and person and person not in departed:
        return person, "is named in it"
    here = [knower for knower in experts if knower.person not in departed and knower.share >= MIN_SHARE]
    if here:
        return here[0].person, f"knows most about {topic}" if topic else "knows most about this"
    if _is_somebody(evidence.author) and evidence.author not in departed:
        return evidence.author, "wrote it"
    is_pointed_at = evidence.kind is GapKind.STALE_REFERENCE or person in departed
    return ("", "") if is_pointed_at or not person else (person, "is named in it")


def _is_somebody(author: str) -> bool:
    """Whether an author may be a person: `device on-call` and `everybody` are none."""
    return bool(author) and not (author.islower() and (" " in author or author in EVERYBODY))


def _in_full(name: str, known: frozenset[str]) -> str:
    meant = [each for each in known if each.casefold().split()[:1] == [name.casefold()]]
    return meant[0] if len(meant) == 1 else name


def quality(question: str) -> float:
    """Return how well a question can be answered as it stands, between 0 and 1: whole, and about something named."""
    quote = quote_of(question)
    n_words = len(quote.split())
    is_whole = not quote.endswith("…")
    is_fitting = GOOD_WORDS[0] <= n_words <= GOOD_WORDS[1]
    is_bare = POINTING.match(quote) is not None
    return round(0.4 * is_whole + 0.4 * is_fitting + 0.2 * (not is_bare), 2)


def quote_of(question: str) -> str:
    """Return the evidence that a question quotes, the whole question where it quotes none."""
    found = QUOTED.search(question)
    return found.group("quote") if found else question


def are_one(twins: Twins) -> bool:
    """Whether two near quotes leave the same open: close enough, and of the same figures and names.

    `Defer to next time` says nothing by itself: it must stand under the same heading.
    """
    if not QUOTED.search(twins.question) or not QUOTED.search(twins.older_question):
        return False  # about a term or a system, which its fingerprint names
    one, other = (frozenset(TELLING.findall(quote_of(each)[1:])) for each in (twins.question, twins.older_question))
    is_bare = min(len(quote_of(each).split()) for each in (twins.question, twins.older_question)) <= GOOD_WORDS[0]
    is_of_one_topic = twins.question.rpartition("”")[2] == twins.older_question.rpartition("”")[2]
    return twins.cosine >= SAME_GAP and one == other and (is_of_one_topic or not is_bare)
