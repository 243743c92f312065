"""Search: two legs over the same chunks, their scores fused, grouped into documents, with what matched marked."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from domain.embedding import Matrix
from domain.glossary import Expansion
from domain.lexical import ChunkWeights


class SearchFilter(msgspec.Struct, frozen=True):
    """What a search is narrowed to; empty fields do not narrow."""

    integration_id: int | None = None
    media_type: str = ""
    author: str = ""
    since: datetime | None = None
    until: datetime | None = None
    """`since` and `until` bound when the document was last changed at its source."""
    phrases: tuple[str, ...] = ()
    """Word for word, whatever their case and the white space in them."""
    excluded: tuple[str, ...] = ()
    """Words that must not stand in a chunk, nor in the title or headings above it."""


class Candidate(msgspec.Struct, frozen=True):
    """A chunk that one leg proposes, with that leg's own score (higher is better)."""

    chunk_id: int
    document_id: int
    score: float


class Proposed(msgspec.Struct, frozen=True):
    """Chunks that a leg or both propose, in order of id, with what scoring them for any question needs."""

    chunk_ids: tuple[int, ...]
    document_ids: tuple[int, ...]
    vectors: Matrix
    """(n, d) float32, unit norm."""
    weights: ChunkWeights
    """What each lexeme says about each of them."""


class Stretch(msgspec.Struct, frozen=True):
    """A span of a version's text."""

    version_id: int
    start: int
    end: int


class Passage(msgspec.Struct, frozen=True):
    """A chunk as evidence: `text` is `version.text[start:end]`."""

    chunk_id: int
    document_id: int
    version_id: int
    title: str
    heading_path: tuple[str, ...]
    text: str
    start: int
    end: int
    page: int | None
    integration_name: str
    media_type: str
    author: str
    url: str
    modified_at: datetime | None
    score: float = 0.0


class Word(msgspec.Struct, frozen=True):
    """A word at `text[start:end]` and the lexeme (lower case, stemmed) it counts as."""

    start: int
    end: int
    lexeme: str


class Analyzer(Protocol):
    """Takes text apart the way the word index does."""

    def words(self, text: str) -> list[Word]:
        """Return the words that count, in order; stop words are left out."""

    def sentences(self, text: str) -> list[tuple[int, int]]:
        """Return the spans of the sentences, in order, without surrounding white space."""


class Passages(Protocol):
    """The search index of one tenant. Access is part of each statement: what a viewer may not read is not found."""

    async def model(self) -> str:
        """Return the label of the model that questions are to be embedded with, the same for the whole transaction."""

    def through(self, model: str) -> "Passages":
        """Return the same index, compared through the vectors of another model, as far as they are there."""

    async def lexical(self, question: str, narrowed: SearchFilter, limit: int) -> list[Candidate]:
        """Return the best chunks by BM25 (Robertson and Zaragoza 2009), best first."""

    async def dense(self, vector: Matrix, narrowed: SearchFilter, limit: int) -> list[Candidate]:
        """Return the chunks nearest to a unit vector (d,) of `model()`, best first; the score is the cosine."""

    async def prepare(self, narrowed: SearchFilter) -> None:
        """Look up beforehand what a proposal needs besides the question: while the question is being embedded."""

    async def propose(
        self,
        words: Mapping[str, float],
        vector: Matrix,
        narrowed: SearchFilter,
        depth: int,
        related: Sequence[int] = (),
    ) -> Proposed:
        """Return the best `depth` chunks of each leg, for weighted lexemes and a unit vector (d,).

        The nearest chunks of `related` documents are among them; they are narrowed like all others.
        """

    async def question_weights(self, words: Mapping[str, float]) -> dict[int, float]:
        """Return the question's side of BM25 by dimension, with the tenant's own statistics."""

    async def lexemes_of(self, chunk_ids: Sequence[int]) -> dict[str, float]:
        """Return the lexemes of chunks with their inverse document frequency.

        The chunks must come from a leg of the same vault: access is not checked again.
        """

    async def changed(self, document_ids: Sequence[int]) -> dict[int, datetime]:
        """Return when each document was last changed at its source, or came in."""

    async def rarity(self, lexemes: Sequence[str]) -> dict[str, float]:
        """Return the inverse document frequency of those lexemes that the tenant has."""

    async def explain(self, words: Sequence[str], question: str) -> list[Expansion]:
        """Return what abbreviations among the words stand for, and those of terms that the question spells out.

        Only documents that the viewer may read explain; what most of them say comes first.
        """

    async def spellings(self, lexemes: Sequence[str]) -> dict[str, str]:
        """Return the nearest lexeme of the tenant for each of these that has one within an edit or two."""

    async def read(self, stretches: Sequence[Stretch]) -> list[str]:
        """Return the texts, in the order asked for; "" for what the viewer may not read."""

    async def load(self, chunk_ids: Sequence[int]) -> list[Passage]:
        """Return the passages, in the order asked for; those the viewer may not read are left out."""

    async def vectors(self, chunk_ids: Sequence[int]) -> Matrix:
        """Return (n, d) float32, one row per chunk in the order asked for; zeros for those not readable."""
