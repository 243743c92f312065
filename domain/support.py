"""Support: whether a sentence that a language model wrote is carried by the passages it cites, and by which words."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec
import numpy as np

from domain.conversations import Citation, Sentence
from domain.embedding import Embedder
from domain.evidence import Evidence, Scored
from domain.followups import EMPTY_WORDS
from domain.nicknames import COMMON_GIVEN, FAMILIES
from domain.quotes import Quote
from domain.search import Analyzer, Passage

SUPPORTED_FROM = 0.55
"""Half the share of the sentence's words found in its passage, half its cosine to the nearest quote there.

`python -m bench.written`: of 146 sentences that people wrote in words of their own about passages found for them, .72
are let through, of as many foreign ones .01; at .45 it would be .75 and .01, at .65 .60 and .01.
"""
MIN_SHARED = 0.5
"""Under half of the words from the cited passage, a sentence says something of its own."""
NEARLY_THE_SAME = 0.6
"""Share of words from which a sentence is read as a restatement of the quote, so that a `not` must be in both."""

MARKER = re.compile(r"\s*\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")
FIGURE = re.compile(r"\d+(?:[.,:/-]\d+)*")
CALENDAR = re.compile(
    r"\b(january|february|march|april|may|june|july|august|september|october|november|december"
    r"|monday|tuesday|wednesday|thursday|friday|saturday|sunday)\b",
    re.IGNORECASE,
)
NAME = re.compile(r"(?<=[\w,;:)] )[A-Z][\w'’-]+")
OPENING = re.compile(r"^[A-Z][\w'’-]+(?P<goes_on> [A-Z])?")
WORD = re.compile(r"[\w'’-]+")
UNITS = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen"
    " nineteen twenty"
)
IN_WORDS = MappingProxyType(
    {word: str(value) for value, word in enumerate(UNITS.split(), start=2)}
    | {"thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "seventy": "70", "eighty": "80", "ninety": "90"}
    | {"hundred": "100", "thousand": "1000", "million": "1000000", "billion": "1000000000"}
)
"""`one` is left out: it is seldom a number."""
NEGATION = re.compile(r"\b(not|no|never|none|nobody|nothing|neither|nor|without|cannot)\b|n['’]t\b", re.IGNORECASE)


class Claimed(msgspec.Struct, frozen=True):
    """A written sentence without its markers, and the numbers it cited, counted from 1."""

    text: str
    numbers: tuple[int, ...]


def claimed(written: str) -> Claimed:
    """Take the `[n]` markers out of a written sentence."""
    numbers = [int(number) for marker in MARKER.findall(written) for number in marker.split(",")]
    return Claimed(" ".join(MARKER.sub("", written).split()), tuple(dict.fromkeys(numbers)))


def are_verbatim(citations: Sequence[Citation], passages: Sequence[Passage]) -> bool:
    """Return whether there is a proof, and each stands letter by letter where it says, in a version that was found."""
    return bool(citations) and all(any(_holds(passage, one) for passage in passages) for one in citations)


def _holds(passage: Passage, citation: Citation) -> bool:
    start, end = citation.start - passage.start, citation.end - passage.start
    is_inside = passage.version_id == citation.version_id and 0 <= start < end
    return is_inside and passage.text[start:end] == citation.quote


async def supported(written: str, evidence: Evidence, embedder: Embedder, analyzer: Analyzer) -> Sentence | None:
    """Return the sentence with the quotes that carry it, or None when they do not.

    Every marker must exist, every figure, date and name must stand in what is cited, enough words must be shared, and a
    restatement may not turn a yes into a no. Orders hidden in a passage carry nothing: they are not among the quotes.
    Raises: Unavailable when the embedder is.
    """
    claim = claimed(written)
    lexemes = frozenset(word.lexeme for word in analyzer.words(claim.text))
    if not lexemes or not claim.numbers or not all(1 <= number <= len(evidence.passages) for number in claim.numbers):
        return None
    cited = [evidence.passages[number - 1] for number in claim.numbers]
    quotes = [[one for one in evidence.scored if one.quote.passage == passage] for passage in cited]
    if not all(quotes) or not _facts_stand(
        claim.text, [one for group in quotes for one in group], cited, evidence.question
    ):
        return None
    vector = (await embedder.embed([claim.text]))[0]
    similarity = {one.quote: float(one.vector @ vector) for group in quotes for one in group}
    best = [max(group, key=lambda one: _nearness(one, lexemes, similarity)) for group in quotes]
    support = _support(lexemes, quotes, best, similarity)
    if support < SUPPORTED_FROM or any(_turns(claim.text, lexemes, one) for one in best):
        return None
    return Sentence(claim.text, tuple(one.quote.citation for one in best), round(support, 3))


def _facts_stand(text: str, quotes: Sequence[Scored], cited: Sequence[Passage], question: str) -> bool:
    """Return whether figures and dates are in the quotes, and names there, in a heading, or in the question."""
    said = " ".join(one.quote.text for one in quotes)
    if not _figures(text) <= _figures(said):
        return False
    if not {day.lower() for day in CALENDAR.findall(text)} <= {day.lower() for day in CALENDAR.findall(said)}:
        return False
    around = (said, question, *(" ".join((one.title, *one.heading_path, one.author)) for one in cited))
    return _names(text) <= {_bare(word) for part in around for word in WORD.findall(part)}


def _figures(text: str) -> set[str]:
    """Return the numbers, those in words as digits."""
    written = {figure.replace(",", "") for figure in FIGURE.findall(text)}
    return written | {IN_WORDS[word] for word in WORD.findall(text.lower().replace("-", " ")) if word in IN_WORDS}


def _names(text: str) -> set[str]:
    """Return the words that are names by their capital; the first word, where it is a known one or a name goes on."""
    names = {_bare(name) for name in NAME.findall(text)}
    if opening := OPENING.match(text):
        word = _bare(opening.group().split()[0])
        is_name = word in COMMON_GIVEN or word in FAMILIES or bool(opening["goes_on"])
        names |= {word} if is_name and word not in EMPTY_WORDS else set()
    return names


def _bare(name: str) -> str:
    return name.lower().removesuffix("'s").removesuffix("’s")


def _nearness(one: Scored, lexemes: frozenset[str], similarity: Mapping[Quote, float]) -> float:
    return _shared(lexemes, one.quote.lexemes) + similarity[one.quote]


def _support(
    lexemes: frozenset[str],
    quotes: Sequence[Sequence[Scored]],
    best: Sequence[Scored],
    similarity: Mapping[Quote, float],
) -> float:
    everything = frozenset[str]().union(*(one.quote.lexemes for group in quotes for one in group))
    shared = _shared(lexemes, everything)
    if shared < MIN_SHARED:
        return 0.0
    nearest = float(np.max([similarity[one.quote] for one in best]))
    return min(1.0, 0.5 * shared + 0.5 * max(0.0, nearest))


def _turns(text: str, lexemes: frozenset[str], one: Scored) -> bool:
    """Return whether the sentence restates the quote but for a negation."""
    is_restated = _shared(lexemes, one.quote.lexemes) >= NEARLY_THE_SAME
    return is_restated and bool(NEGATION.search(text)) != bool(NEGATION.search(one.quote.text))


def _shared(lexemes: frozenset[str], others: frozenset[str]) -> float:
    return len(lexemes & others) / len(lexemes)
