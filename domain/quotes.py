"""Quotes: the sentences of passages that may be said in an answer, each verbatim and with its place in the version."""

import re
from collections.abc import Sequence

import msgspec

from domain.conversations import Citation
from domain.orders import is_addressed_to_a_machine, ordering_spans
from domain.search import Analyzer, Passage

MIN_WORDS = 2
MIN_WORDS_UNPUNCTUATED = 4
"""A line without a full stop, colon or digit and with fewer counted words is a title."""
MAX_CHARACTERS = 700
"""A longer 'sentence' is a table or a list that nobody would read as an answer."""

BOILERPLATE = re.compile(
    r"^\s*(>|#|\|?[-=_*|\s:]+\|?$|on .{5,80} wrote:)"
    r"|unsubscribe|sent from my|do not reply to this|all rights reserved|privileged and confidential"
    r"|intended (only|solely) for|(kind|best|warm) regards|view (this|it) in your browser",
    re.IGNORECASE,
)
LEANING_START = re.compile(
    r"^(it|its|they|their|this|these|those|that|he|she|his|her|such|so|therefore|however|otherwise|instead|then)\b",
    re.IGNORECASE,
)
LIST_MARK = re.compile(r"^\s*(?:[-*•‣]|\d{1,2}[.)])\s+")


class Quote(msgspec.Struct, frozen=True):
    """A sentence at `passage.text[start:end]`; `lexemes` are its own, `rank` is the passage's place, best is 0."""

    passage: Passage
    rank: int
    start: int
    end: int
    lexemes: frozenset[str]

    @property
    def text(self) -> str:
        """The sentence, verbatim."""
        return self.passage.text[self.start : self.end]

    @property
    def spoken(self) -> str:
        """The sentence as an answer says it: on one line, without its list mark."""
        return " ".join(LIST_MARK.sub("", self.text).split())

    @property
    def citation(self) -> Citation:
        """The proof: offsets in the version's text."""
        place = self.passage
        return Citation(
            document_id=place.document_id,
            version_id=place.version_id,
            start=place.start + self.start,
            end=place.start + self.end,
            quote=self.text,
            title=place.title,
        )


def quotes(passages: Sequence[Passage], analyzer: Analyzer) -> list[Quote]:
    """Return what may be quoted, in order of passage and place; a sentence in two overlapping chunks comes once.

    Left out: headings, fragments, mail boilerplate, and sentences that give orders to a machine, since whoever can
    write a document could otherwise dictate the answer.
    """
    found: dict[tuple[int, int, int], Quote] = {}
    for rank, passage in enumerate(passages):
        for quote in _of_passage(passage, rank, analyzer):
            place = (passage.version_id, passage.start + quote.start, passage.start + quote.end)
            found.setdefault(place, quote)
    return list(found.values())


def _of_passage(passage: Passage, rank: int, analyzer: Analyzer) -> list[Quote]:
    headings = {_folded(heading) for heading in (*passage.heading_path, passage.title)}
    kept: list[Quote] = []
    barred = ordering_spans(passage.text)
    for start, end in analyzer.sentences(passage.text):
        if any(first < end and start < last for first, last in barred):
            continue
        text = passage.text[start:end]
        lexemes = frozenset(word.lexeme for word in analyzer.words(text))
        if _folded(text) not in headings and _may_be_said(text, lexemes):
            kept.append(_with_predecessor(Quote(passage, rank, start, end, lexemes), kept))
    return kept


def _may_be_said(text: str, lexemes: frozenset[str]) -> bool:
    if len(lexemes) < MIN_WORDS or len(text) > MAX_CHARACTERS:
        return False
    if BOILERPLATE.search(text) or is_addressed_to_a_machine(text):
        return False
    is_sentence = text.rstrip().endswith((".", "!", "?", "。", ";", '"', "”", ")"))
    return (
        is_sentence
        or len(lexemes) >= MIN_WORDS_UNPUNCTUATED
        or ":" in text
        or any(character.isdigit() for character in text)
    )


def _with_predecessor(quote: Quote, before: Sequence[Quote]) -> Quote:
    """Stretch a quote that begins with `It` over the sentence before it, when that stands in the same paragraph."""
    if not before or not LEANING_START.match(quote.spoken):
        return quote
    gap = quote.passage.text[before[-1].end : quote.start]
    if gap.strip() or "\n\n" in gap or quote.end - before[-1].start > MAX_CHARACTERS:
        return quote
    return Quote(quote.passage, quote.rank, before[-1].start, quote.end, quote.lexemes | before[-1].lexemes)


def _folded(text: str) -> str:
    return " ".join(re.sub(r"[\W_]+", " ", text.lower()).split())
