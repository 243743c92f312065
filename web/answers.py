"""Answers as people see them: sentences with numbered sources, as far as the reader may still read those.

A kept answer may rest on a document that has since been deleted, or is no longer shared with the reader. What such a
document said is not shown again: its quotes go, and sentences that rest on nothing else with them.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

import msgspec

from domain.conversations import Answer, Citation, Sentence, Side
from domain.documents import Document
from domain.radar import Lost, is_lost
from domain.vault import Vault
from domain.verifications import Verification
from web.narrowing import passage_path

WELL_SUPPORTED = 0.8
WEAKLY_SUPPORTED = 0.5
"""Under it a sentence is marked: .07 to .16 of the right ones in `bench.answer_sets`, .12 to .26 of the others."""

NOBODY_VOUCHES: Mapping[int, Verification] = MappingProxyType({})


class AnswerKind(StrEnum):
    """Which face an answer has."""

    GIVEN = "given"
    ABSTAINED = "abstained"
    WITHDRAWN = "withdrawn"
    """Every document it rested on is gone, or closed to the reader."""


class Source(msgspec.Struct, frozen=True):
    """A cited passage, under the number by which sentences refer to it."""

    number: int
    citation: Citation
    document: Document | None
    """None while the answer is being written, and only the citation is at hand."""
    settled_at: datetime | None = None
    """When what it cites was settled otherwise, if it was."""
    verification: Verification | None = None

    @property
    def path(self) -> str:
        """Where the quote stands in its document."""
        cited = self.citation
        return passage_path(cited.document_id, cited.version_id, cited.start, cited.end)


class ShownSentence(msgspec.Struct, frozen=True):
    """A sentence with its sources, and how well they carry it."""

    text: str
    sources: tuple[Source, ...]
    support: float

    @property
    def percent(self) -> int:
        """The support as people read it."""
        return round(self.support * 100)

    @property
    def is_weak(self) -> bool:
        """Whether it is marked, so that nobody relies on it unread."""
        return self.support < WEAKLY_SUPPORTED


class ShownSide(msgspec.Struct, frozen=True):
    """One of two documents that disagree, and where it says so."""

    side: Side
    path: str


class ShownAnswer(msgspec.Struct, frozen=True):
    """An answer as the page has it."""

    kind: AnswerKind
    sentences: tuple[ShownSentence, ...]
    sources: tuple[Source, ...]
    n_withheld: int
    note: str
    confidence: float
    disagreements: tuple[tuple[ShownSide, ...], ...] = ()

    @property
    def is_sure(self) -> bool:
        """Whether the passages most likely hold the answer; otherwise the reader is told to check."""
        return self.confidence >= WELL_SUPPORTED

    @property
    def support(self) -> str:
        """How well the weakest and the best sentence are carried, in percent."""
        percents = sorted({sentence.percent for sentence in self.sentences})
        return f"{percents[0]}–{percents[-1]} %" if len(percents) > 1 else f"{percents[0]} %" if percents else ""

    @property
    def n_documents(self) -> int:
        """How many documents it rests on."""
        return len({source.citation.document_id for source in self.sources})


async def readable_answers(vault: Vault, answers: Sequence[Answer]) -> list[ShownAnswer]:
    """Return answers as the viewer may see them now, with three queries for all of them."""
    documents = await cited_documents(vault, answers)
    lost = await vault.radar.lost(sorted(documents)) if documents else []
    verified = await vault.verifications.of_many(sorted(documents)) if documents else {}
    return [
        show_answer(readable(answer, documents), documents, len(answer.sentences), lost, verified) for answer in answers
    ]


async def readable_by(vault: Vault, answers: Sequence[Answer]) -> list[Answer]:
    """Return what the viewer may still read of these answers."""
    documents = await cited_documents(vault, answers)
    return [readable(answer, documents) for answer in answers]


async def cited_documents(vault: Vault, answers: Sequence[Answer]) -> dict[int, Document]:
    """Return the documents behind these answers that the viewer may read, by id."""
    cited = {citation.document_id for answer in answers for citation in citations_of(answer)}
    cited |= {side.citation.document_id for answer in answers for one in answer.disagreements for side in one.sides}
    documents = await vault.documents.get_many(sorted(cited)) if cited else []
    return {document.id: document for document in documents}


def readable(answer: Answer, document_ids: Collection[int]) -> Answer:
    """Return the answer without the citations of other documents, and without sentences left with none."""
    kept: list[Sentence] = []
    for sentence in answer.sentences:
        citations = tuple(one for one in sentence.citations if one.document_id in document_ids)
        if citations:
            kept.append(msgspec.structs.replace(sentence, citations=citations))
    disagreements = tuple(
        one for one in answer.disagreements if all(side.citation.document_id in document_ids for side in one.sides)
    )
    return msgspec.structs.replace(answer, sentences=tuple(kept), disagreements=disagreements)


def show_answer(
    answer: Answer,
    documents: Mapping[int, Document],
    n_sentences: int,
    lost: Sequence[Lost] = (),
    verified: Mapping[int, Verification] = NOBODY_VOUCHES,
) -> ShownAnswer:
    """Return an answer as it is shown; `n_sentences` is how many it once had, `lost` was settled otherwise."""
    sources = number_sources(answer.sentences, documents, lost, verified)
    n_withheld = n_sentences - len(answer.sentences)
    kind = AnswerKind.GIVEN if answer.sentences else AnswerKind.WITHDRAWN if n_withheld else AnswerKind.ABSTAINED
    return ShownAnswer(
        kind=kind,
        sentences=tuple(show_sentence(sentence, sources) for sentence in answer.sentences),
        sources=tuple(sources.values()),
        n_withheld=n_withheld,
        note=answer.note,
        confidence=answer.confidence,
        disagreements=tuple(tuple(show_side(side) for side in one.sides) for one in answer.disagreements),
    )


def show_side(side: Side) -> ShownSide:
    """Return a side with the address of its quote."""
    cited = side.citation
    return ShownSide(side, passage_path(cited.document_id, cited.version_id, cited.start, cited.end))


def number_sources(
    sentences: Sequence[Sentence],
    documents: Mapping[int, Document],
    lost: Sequence[Lost] = (),
    verified: Mapping[int, Verification] = NOBODY_VOUCHES,
) -> dict[Citation, Source]:
    """Number each cited passage once, from 1, in the order in which the sentences come to it."""
    cited = dict.fromkeys(citation for sentence in sentences for citation in sentence.citations)
    return {
        citation: Source(
            number,
            citation,
            documents.get(citation.document_id),
            settled_at(citation, lost),
            verified.get(citation.document_id),
        )
        for number, citation in enumerate(cited, start=1)
    }


def settled_at(citation: Citation, lost: Sequence[Lost]) -> datetime | None:
    """Return when what is cited was settled otherwise, None where it was not."""
    return max((one.closed_at for one in lost if is_lost(citation, one)), default=None)


def show_sentence(sentence: Sentence, sources: Mapping[Citation, Source]) -> ShownSentence:
    """Return a sentence with its numbered sources."""
    cited = tuple(sources[citation] for citation in dict.fromkeys(sentence.citations))
    return ShownSentence(sentence.text, cited, sentence.support)


def citations_of(answer: Answer) -> list[Citation]:
    """Return every citation, sentence by sentence."""
    return [citation for sentence in answer.sentences for citation in sentence.citations]
