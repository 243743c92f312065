"""What only the whole vault shows: topics that hang on one person, systems nobody can mend, terms nobody explains,
links that lead nowhere, and questions that no document answers. Pure, over what a store has loaded; and its port."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import msgspec
import numpy as np

from domain.embedding import Matrix
from domain.entities import EntityKind, Proof
from domain.expertise import Standing
from domain.gap_kinds import GapKind, question, wording
from domain.gaps import MAX_QUOTE, Gap
from domain.search import Passage
from domain.unanswered import UnansweredQuestion

MIN_DEEDS = 3
"""A topic that one person touched once or twice is no topic that hangs on them."""
MIN_DOCUMENTS = 3
"""A system that fewer documents speak of is hardly one that people rely on."""
SAME_QUESTION = 0.8
"""Cosine from which two questions ask for the same."""
OWNERLESS = "Who is responsible for {detail} from now on{where}?"
CERTAINTY = 0.8
TERM_CERTAINTY = 0.4
"""Half of the terms that nobody explains were found worth asking about; a gap of another kind comes before them."""


class TermUse(msgspec.Struct, frozen=True):
    """An abbreviation that no document explains, where one uses it."""

    document_id: int
    term: str
    start: int
    end: int
    topic: str


class BrokenLink(msgspec.Struct, frozen=True):
    """A relative link to a document that its source does not bring, while it brings others from the same folder."""

    document_id: int
    target: str
    start: int
    end: int
    quote: str


class Care(msgspec.Struct, frozen=True):
    """What the vault says of a system's care."""

    entity_id: int
    has_owner: bool
    """Or is asked who that is already."""
    has_runbook: bool
    has_backup: bool
    keeps_data: bool


class Topic(msgspec.Struct, frozen=True):
    """Something the vault speaks of, with the newest places that do."""

    id: int
    kind: EntityKind
    name: str
    n_documents: int
    proofs: tuple[Proof, ...]


class VaultGap(msgspec.Struct, frozen=True):
    """A gap of the whole vault, shown at the place in a document that comes nearest to it."""

    document_id: int
    fingerprint: str
    gap: Gap


class WholeVault(Protocol):
    """What only the system may put together; each of its findings hangs on one document, and is seen with that."""

    async def unexplained(self, limit: int) -> list[TermUse]:
        """Return uses of abbreviations that no document and no entry of the glossary explains, few as they are."""

    async def broken_links(self, limit: int) -> list[BrokenLink]:
        """Return links of the newest documents that lead nowhere."""

    async def care(self, entity_ids: Sequence[int]) -> list[Care]:
        """Return whether documents tell how to mend these systems and how to bring back their data."""

    async def news(self) -> str:
        """Return a mark of the documents, who may read them, and what was asked; "" when it is the last one noted.

        A new day is news too: what people did counts less as it grows older.
        """

    async def note(self, mark: str) -> None:
        """Remember that the vault of this mark was seen as a whole."""

    async def replace(self, found: Sequence[VaultGap]) -> None:
        """Make these the vault-wide findings; the same one again is one gap, and one that was dismissed stays so."""


def alone(standings: Sequence[Standing], topics: Mapping[int, Topic]) -> Iterator[VaultGap]:
    """Yield topics of which one person holds nearly everything."""
    for each in standings:
        topic = topics.get(each.topic_id)
        n_deeds = sum(knower.n_deeds for knower in each.knowers)
        if topic is None or not topic.proofs or not each.is_alone or n_deeds < MIN_DEEDS:
            continue
        person = each.knowers[0].person
        asked = f"Only {person} is known to work on {topic.name}. Who else can, and where is that described{{where}}?"
        yield _at(GapKind.SINGLE_EXPERT, topic, asked, person)


def uncared(topics: Sequence[Topic], owned: frozenset[int], care: Sequence[Care]) -> Iterator[VaultGap]:
    """Yield systems that several documents speak of, and that nobody owns, can mend or bring back; one gap each."""
    known = {each.entity_id: each for each in care}
    for topic in topics:
        told = known.get(topic.id)
        if topic.kind is not EntityKind.SYSTEM or topic.n_documents < MIN_DOCUMENTS or not topic.proofs or not told:
            continue
        lacking = (
            (GapKind.SYSTEM_WITHOUT_OWNER, topic.id not in owned and not told.has_owner),
            (GapKind.SYSTEM_WITHOUT_RUNBOOK, not told.has_runbook),
            (GapKind.SYSTEM_WITHOUT_BACKUP, told.keeps_data and not told.has_backup),
        )
        kind = next((kind for kind, is_lacking in lacking if is_lacking), None)
        if kind is not None:
            yield _at(kind, topic, OWNERLESS if kind is GapKind.SYSTEM_WITHOUT_OWNER else wording(kind).question)


def unexplained(uses: Sequence[TermUse]) -> Iterator[VaultGap]:
    """Yield the terms nobody explains, at each place that uses them."""
    for use in uses:
        kind = GapKind.UNDEFINED_TERM
        asked = question(kind, "", use.topic, use.term)
        gap = Gap(kind, use.start, use.end, asked, round(TERM_CERTAINTY * wording(kind).risk, 3))
        yield VaultGap(use.document_id, _mark(kind, use.term), gap)


def dangling(links: Sequence[BrokenLink]) -> Iterator[VaultGap]:
    """Yield the links that lead nowhere."""
    for link in links:
        kind = GapKind.DANGLING_LINK
        asked = question(kind, _short(link.quote), "", link.target)
        gap = Gap(kind, link.start, link.end, asked, round(CERTAINTY * wording(kind).risk, 3))
        yield VaultGap(link.document_id, _mark(kind, f"{link.document_id} {link.target}"), gap)


def asked_often(questions: Sequence[UnansweredQuestion], vectors: Matrix, n_askers: int) -> list[int]:
    """Return the places of the questions that so many people asked, in whatever words, the newest of each.

    What one person asked stays between them and the vault. `vectors` is (n, d), unit norm, in the same order.
    """
    taken: set[int] = set()
    found = []
    for place in range(len(questions)):
        if place in taken:
            continue
        near = [int(other) for other in np.flatnonzero(vectors @ vectors[place] >= SAME_QUESTION)]
        alike = [other for other in near if other not in taken]
        taken |= {*alike, place}
        if len({questions[other].user_id for other in alike}) >= n_askers:
            found.append(place)
    return found


def unanswered(asked: Sequence[tuple[str, Passage]]) -> Iterator[VaultGap]:
    """Yield questions that no document answers, each at the passage that comes nearest."""
    for words, nearest in asked:
        kind = GapKind.UNANSWERED_QUESTION
        text = question(kind, "", "", _short(words))
        gap = Gap(kind, nearest.start, nearest.end, text, round(CERTAINTY * wording(kind).risk, 3))
        yield VaultGap(nearest.document_id, _mark(kind, words), gap)


def _at(kind: GapKind, topic: Topic, asked: str, person: str = "") -> VaultGap:
    proof = topic.proofs[0]
    words = asked.format(detail=topic.name, where=f" ({proof.title[:80]})")
    gap = Gap(kind, proof.start, proof.end, words, round(CERTAINTY * wording(kind).risk, 3), person)
    return VaultGap(proof.document_id, _mark(kind, topic.name), gap)


def _short(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= MAX_QUOTE else f"{line[: MAX_QUOTE - 1].rstrip()}…"


def _mark(kind: GapKind, subject: str) -> str:
    return hashlib.sha256(f"{kind.value}\tvault\t{' '.join(subject.lower().split())}".encode()).hexdigest()
