"""Search: two legs over the same chunks, fused by rank, grouped into documents, with what matched marked."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from domain.embedding import Matrix


class SearchFilter(msgspec.Struct, frozen=True):
    """What a search is narrowed to; empty fields do not narrow."""

    integration_id: int | None = None
    media_type: str = ""
    author: str = ""
    since: datetime | None = None
    until: datetime | None = None
    """`since` and `until` bound when the document was last changed at its source."""


class Candidate(msgspec.Struct, frozen=True):
    """A chunk that one leg proposes, with that leg's own score (higher is better)."""

    chunk_id: int
    document_id: int
    score: float


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

    async def lexical(self, question: str, narrowed: SearchFilter, limit: int) -> list[Candidate]:
        """Return the best chunks by BM25 (Robertson and Zaragoza 2009), best first."""

    async def dense(self, vector: Matrix, narrowed: SearchFilter, limit: int) -> list[Candidate]:
        """Return the chunks nearest to a unit vector (d,), best first; the score is the cosine."""

    async def load(self, chunk_ids: Sequence[int]) -> list[Passage]:
        """Return the passages, in the order asked for; those the viewer may not read are left out."""

    async def vectors(self, chunk_ids: Sequence[int]) -> Matrix:
        """Return (n, d) float32, one row per chunk in the order asked for; zeros for those not readable."""
