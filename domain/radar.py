"""The contradiction radar: a vault's claims, what clashes among them, and how their owners settle it; the port."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

import msgspec

from domain.cells import cell_claims
from domain.claims import Claim, claims
from domain.contradictions import Conflict, ConflictKind, Placed, clashes, is_comparable
from domain.conversations import Citation
from domain.embedding import Matrix
from domain.parsing import Block
from domain.people import Viewer
from domain.search import Analyzer
from domain.statements import statements

MAX_CLAIMS = 200
"""Of one document, besides those of its tables; a longer one is a list of figures, and those say nothing."""
MUCH_NEWER = timedelta(days=1)
MORE_SOURCES = 2
"""So many documents more make a side the better-sourced one, whatever the dates."""


class Standing(StrEnum):
    """Where a contradiction stands."""

    OPEN = "open"
    SETTLED = "settled"
    DISMISSED = "dismissed"


class SideName(StrEnum):
    """One of the two sides; which is which follows from their texts alone, so it stays the same."""

    A = "a"
    B = "b"


class KeptClaim(msgspec.Struct, frozen=True):
    """A claim as it is stored."""

    id: int
    document_id: int
    claim: Claim


class Pair(msgspec.Struct, frozen=True):
    """Two stored claims that clash."""

    a: KeptClaim
    b: KeptClaim
    kind: ConflictKind
    score: float


class ShownSide(msgspec.Struct, frozen=True):
    """What one document says."""

    name: SideName
    document_id: int
    version_id: int
    start: int
    end: int
    quote: str
    title: str
    author: str
    modified_at: datetime | None
    n_documents: int
    """How many documents that the viewer may read say the same, word for word."""


class Contradiction(msgspec.Struct, frozen=True):
    """Two statements that cannot both hold, seen by somebody who may read both documents."""

    id: int
    kind: ConflictKind
    state: Standing
    a: ShownSide
    b: ShownSide
    winner: str
    closed_by: str
    closed_at: datetime | None

    @property
    def sides(self) -> tuple[ShownSide, ShownSide]:
        """Both sides."""
        return self.a, self.b


class Lost(msgspec.Struct, frozen=True):
    """A statement that was settled otherwise."""

    contradiction_id: int
    document_id: int
    version_id: int
    start: int
    end: int
    text: str
    closed_at: datetime


class AnswerNotice(msgspec.Struct, frozen=True):
    """A word to somebody whose answer rested on a statement that was settled otherwise since."""

    contradiction_id: int
    message_id: int
    conversation_id: int
    conversation: str
    closed_at: datetime


class Radar(Protocol):
    """The claims of one tenant and their conflicts; shown only to who may read both documents."""

    async def put(self, document_id: int, version_id: int, stated: Sequence[Claim], vectors: Matrix) -> list[KeptClaim]:
        """Keep the claims of the version that detectors have just read, (n, d) vectors with them; [] if it is old."""

    async def neighbours(self, kept: Sequence[KeptClaim]) -> list[tuple[int, KeptClaim]]:
        """Return claims of other documents that share telling words with these, each with the place in `kept`.

        They come through the index of words, those nearest in meaning first; never all claims are looked at.
        """

    async def n_holding(self, words: Sequence[str]) -> tuple[int, dict[str, int]]:
        """Return how many claims there are, and how many hold each word; counting stops where it tells no more."""

    async def add(self, pairs: Sequence[Pair]) -> None:
        """Keep conflicts, each once; one that was settled or dismissed stays so."""

    async def forget_unproven(self) -> None:
        """Forget open contradictions of which nothing is left in any document."""

    async def page(self, state: Standing, offset: int, size: int) -> list[Contradiction]:
        """Return contradictions, surest first."""

    async def counts(self) -> dict[Standing, int]:
        """Return how many the viewer may see, by state."""

    async def get(self, contradiction_id: int) -> Contradiction:
        """Return one. Raises: NotFound."""

    async def close(self, contradiction_id: int, state: Standing, winner: str) -> None:
        """Settle or dismiss an open one; whoever got an answer from the losing side is told. Raises: NotFound."""

    async def reopen(self, contradiction_id: int) -> None:
        """Take that back, notices with it. Raises: NotFound."""

    async def lost(self, document_ids: Sequence[int]) -> list[Lost]:
        """Return what these documents say, and was settled otherwise."""

    async def notices(self) -> list[AnswerNotice]:
        """Return what the viewer has to be told, newest first."""

    async def read_notice(self, contradiction_id: int, message_id: int) -> None:
        """Forget a notice of the viewer's."""


def comparable(text: str, blocks: Sequence[Block], analyzer: Analyzer) -> list[Claim]:
    """Return the claims of a document that another could contradict, in order."""
    found = statements(text, blocks, analyzer)
    stated = [claim for each in found for claim in claims(each, analyzer) if is_comparable(claim)][:MAX_CLAIMS]
    return sorted([*stated, *cell_claims(found, analyzer)], key=lambda claim: claim.start)


async def watch(radar: Radar, document_id: int, version_id: int, stated: Sequence[Claim], vectors: Matrix) -> None:
    """Keep the claims of a version that has just been read, and what they clash with."""
    kept = await radar.put(document_id, version_id, stated, vectors)
    near = await radar.neighbours(kept) if kept else []
    if not near:
        return
    words = {word for claim in (*kept, *(other for _, other in near)) for word in claim.claim.words}
    rarity = weights(*await radar.n_holding(sorted(words)))
    if pairs := _clashing([(kept[place], other) for place, other in near], rarity):
        await radar.add(pairs)


def _clashing(near: Sequence[tuple[KeptClaim, KeptClaim]], rarity: Mapping[str, float]) -> list[Pair]:
    held = {(each.document_id, each.claim.start, each.claim.end): each for pair in near for each in pair}

    def kept(placed: Placed) -> KeptClaim:
        return held[int(placed.document), placed.claim.start, placed.claim.end]

    def pair(found: Conflict) -> Pair:
        a, b = sorted((kept(found.a), kept(found.b)), key=lambda each: mark(each.claim.text))
        return Pair(a, b, found.kind, found.score)

    placed = [tuple(Placed(each.document_id, each.claim) for each in pair) for pair in near]
    found = [pair(each) for each in clashes([(one, other) for one, other in placed], rarity)]
    return [each for each in found if mark(each.a.claim.text) != mark(each.b.claim.text)]


def weights(n_claims: int, n_holding: Mapping[str, int]) -> dict[str, float]:
    """Return how much each word tells, as `weigh_words` does where all claims are at hand."""
    return {word: max(0.5, math.log(1 + n_claims / (1 + n))) for word, n in n_holding.items()}


def mark(text: str) -> str:
    """Return a hash of what a claim says, white space, case and the final stop aside."""
    return hashlib.sha256(" ".join(text.lower().split()).strip(" .;,-*•").encode()).hexdigest()[:32]


def pair_mark(pair: Pair) -> str:
    """Return what makes two findings the same contradiction: both texts."""
    return hashlib.sha256(f"{mark(pair.a.claim.text)}\t{mark(pair.b.claim.text)}".encode()).hexdigest()


def proposal(found: Contradiction) -> tuple[SideName, str] | None:
    """Return the side that most likely holds, and why: the better-sourced, else the newer; None when neither is."""
    a, b = found.sides
    if abs(a.n_documents - b.n_documents) >= MORE_SOURCES:
        better = max(found.sides, key=lambda side: side.n_documents)
        return better.name, f"{better.n_documents} documents say so"
    if a.modified_at and b.modified_at and abs(a.modified_at - b.modified_at) >= MUCH_NEWER:
        newer = max((a, b), key=lambda side: side.modified_at or datetime.min)
        return newer.name, "it is newer"
    return None


def may_settle(viewer: Viewer, found: Contradiction) -> bool:
    """Whether it is the viewer's to say what holds: an admin, or the author of either document."""
    mine = {" ".join(each.lower().split()) for each in (viewer.name, viewer.email) if each}
    authors = {" ".join(side.author.lower().split()) for side in found.sides}
    return viewer.viewed_by is None and (viewer.is_admin or bool(mine & authors))


def is_lost(citation: Citation, lost: Lost) -> bool:
    """Whether a cited stretch holds what was settled otherwise, in this version or word for word in another."""
    if citation.document_id != lost.document_id:
        return False
    if citation.version_id == lost.version_id:
        return citation.start < lost.end and lost.start < citation.end
    quote, said = (" ".join(text.lower().split()) for text in (citation.quote, lost.text))
    return said in quote or quote in said
