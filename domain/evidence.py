"""Evidence: how well each quote speaks to a question, and whether all of it together is enough to answer at all."""

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import msgspec
import numpy as np

from domain.chunking import Chunk
from domain.embedding import Embedder, Matrix
from domain.expectations import disappoints, parts
from domain.quotes import Quote, quotes
from domain.search import Analyzer, Passage

COVERED_WEIGHT = 0.4
"""What the share of the question's words counts beside the cosine, in either sign. `bench.calibration`."""
PASSAGE_LAG = 0.25
"""A passage on many subjects is far from a question about one; it is taken to be this far behind its quote at most.

Set by hand for short documents.
"""
MAX_QUOTES = 32
"""Quotes that are embedded, without their headings: a good heading would lend its nearness to every line under it."""

COSINE_WEIGHT = 3.2
COVERAGE_WEIGHT = 2.5
CONTEXT_COVERAGE_WEIGHT = 3.0
"""Coverage by the quote with its title and headings: `Seven years.` answers under a heading that asks."""
PASSAGE_WEIGHT = 1.2
"""Of the cosine of the passage that a quote stands in."""
RANK_WEIGHT = 0.6
"""Half of what was fitted where passages came best first, so that it does little harm where they do not."""
NEWS_WEIGHT = 1.0
"""What a quote says beyond the question's own words."""
SENTENCE_WEIGHT = 0.3
DISAPPOINTMENT = 1.1
QUESTION_MALUS = 1.1
"""A quote that itself asks seldom answers."""
FRAGMENT_MALUS = 1.5
"""A quote that begins in lower case was cut from something."""
MANY_NEWS = 8
ECHO_MALUS = 3.0
"""A quote with no word but the question's and its headings' tells nothing; set by hand."""


class Scored(msgspec.Struct, frozen=True):
    """A quote with its score (higher speaks better to the question) and its unit vector (d,).

    `part_scores` are those to the questions within the question, in their order; empty when it is but one. `support`
    says how well the quote carries an answer, between 0 and 1: half the share of the question's words that it and its
    headings hold, half its cosine; a written sentence is weighed against its quote in the same way.
    """

    quote: Quote
    score: float
    vector: Matrix
    part_scores: tuple[float, ...] = ()
    support: float = 0.0


class Evidence(msgspec.Struct, frozen=True):
    """What the passages have to say: quotes best first, and the signs by which it is judged."""

    question: str
    passages: tuple[Passage, ...]
    scored: tuple[Scored, ...]
    signs: "Signs"


class Signs(msgspec.Struct, frozen=True):
    """What the confidence rests on; higher is better. Neither hangs on the order in which the passages came.

    Nearness is the cosine to the question, and COVERED_WEIGHT times the share of the question's words that are there.
    """

    quote_nearness: float = 0.0
    """Of the nearest quote; one sentence that is near and has the words tells more than two of which each does one."""
    passage_nearness: float = 0.0


class Asked(msgspec.Struct, frozen=True):
    """A question, or one within it: its vector, and its lexemes with their weights, which add up to 1."""

    text: str
    vector: Matrix
    weights: dict[str, float]


async def weigh(
    question: str,
    passages: Sequence[Passage],
    embedder: Embedder,
    analyzer: Analyzer,
    vectors: Matrix | None = None,
) -> Evidence:
    """Return the evidence for a question in these passages, which come best first.

    `vectors` are the passages' own, (n, d), where they are at hand; a row of zeros is one that is not.
    Raises: Unavailable when the embedder is.
    """
    wanted = _lexemes(question, analyzer)
    held = [_lexemes(_whole(passage), analyzer) for passage in passages]
    rarity = _rarity(wanted, held)
    candidates = sorted(quotes(passages, analyzer), key=lambda quote: (-_share(quote.lexemes, rarity), quote.rank))[
        :MAX_QUOTES
    ]
    if not candidates:
        return Evidence(question, tuple(passages), (), Signs())
    asked = [question, *parts(question)]
    unknown = [place for place in range(len(passages)) if vectors is None or not vectors[place].any()]
    weighed = [_as_embedded(passages[place]) for place in unknown]
    made = await embedder.embed([*asked, *weighed, *(quote.spoken for quote in candidates)])
    of_asked, of_unknown, of_quotes = np.split(made, [len(asked), len(asked) + len(weighed)])
    of_passages = np.zeros((len(passages), made.shape[1]), np.float32) if vectors is None else vectors.copy()
    of_passages[unknown] = of_unknown
    cosines = of_passages @ of_asked[0]
    questions = _questions(asked, of_asked, candidates, held, analyzer)
    scored = _scored(questions, candidates, of_quotes, cosines, analyzer)
    signs = _signs(rarity, of_quotes @ of_asked[0], [quote.lexemes for quote in candidates], cosines, held)
    return Evidence(question, tuple(passages), tuple(scored), signs)


def _signs(
    rarity: Mapping[str, float],
    of_quotes: Matrix,
    said: Sequence[frozenset[str]],
    of_passages: Matrix,
    held: Sequence[frozenset[str]],
) -> Signs:
    """Judge by the cosines of the quotes and of the passages, and by the words of each.

    Few texts tell badly how rare a word is: half of each word's weight is the same for all.
    """
    weights = {lexeme: (weight + 1 / len(rarity)) / 2 for lexeme, weight in rarity.items()}
    of_passages = np.maximum(of_passages, np.max(of_quotes) - PASSAGE_LAG)
    return Signs(_nearest(of_quotes, said, weights), _nearest(of_passages, held, weights))


def _nearest(cosines: Matrix, texts: Sequence[frozenset[str]], weights: Mapping[str, float]) -> float:
    return max(
        float(cosine) + COVERED_WEIGHT * _share(lexemes, weights)
        for cosine, lexemes in zip(cosines, texts, strict=True)
    )


def _as_embedded(passage: Passage) -> str:
    return Chunk(0, passage.start, passage.end, passage.text, passage.heading_path, passage.title).embedded_text


def _whole(passage: Passage) -> str:
    return " ".join((passage.title, *passage.heading_path, passage.text))


def _lexemes(text: str, analyzer: Analyzer) -> frozenset[str]:
    return frozenset(word.lexeme for word in analyzer.words(text))


def _rarity(wanted: Collection[str], held: Sequence[frozenset[str]]) -> dict[str, float]:
    """Weigh the question's lexemes as BM25 does, with the texts given as the collection; they add up to 1."""
    n_texts = len(held)
    counts = Counter(lexeme for lexemes in held for lexeme in lexemes if lexeme in wanted)
    weights = {lexeme: math.log(1 + (n_texts - counts[lexeme] + 0.5) / (counts[lexeme] + 0.5)) for lexeme in wanted}
    total = sum(weights.values()) or 1.0
    return {lexeme: weight / total for lexeme, weight in weights.items()}


def _share(lexemes: frozenset[str], rarity: Mapping[str, float]) -> float:
    return sum(weight for lexeme, weight in rarity.items() if lexeme in lexemes)


def _questions(
    texts: Sequence[str],
    vectors: Matrix,
    candidates: Sequence[Quote],
    held: Sequence[frozenset[str]],
    analyzer: Analyzer,
) -> list[Asked]:
    """Weigh each question's words by their rarity among the quotes; those that no passage holds tell none apart."""
    known = frozenset[str]().union(*held)
    among = [quote.lexemes for quote in candidates]
    return [
        Asked(text, vector, _rarity(_lexemes(text, analyzer) & known, among))
        for text, vector in zip(texts, vectors, strict=True)
    ]


def _scored(
    asked: Sequence[Asked], candidates: Sequence[Quote], vectors: Matrix, cosines: Matrix, analyzer: Analyzer
) -> list[Scored]:
    """Return the quotes with their scores, best first; `cosines` are those of the passages, (n,)."""
    scored = []
    for quote, vector in zip(candidates, vectors, strict=True):
        context = _lexemes(" ".join((quote.passage.title, *quote.passage.heading_path)), analyzer)
        lift = PASSAGE_WEIGHT * float(cosines[quote.rank])
        whole, *of_parts = (lift + _score(quote, vector, context, each) for each in asked)
        support = max(_support(quote, vector, context, each) for each in asked)
        scored.append(Scored(quote, whole, vector, tuple(of_parts), support))
    return sorted(scored, key=lambda one: (-one.score, one.quote.rank, one.quote.start))


def _support(quote: Quote, vector: Matrix, context: frozenset[str], asked: Asked) -> float:
    near = max(0.0, float(vector @ asked.vector))
    return min(1.0, 0.5 * _share(quote.lexemes | context, asked.weights) + 0.5 * near)


def _score(quote: Quote, vector: Matrix, context: frozenset[str], asked: Asked) -> float:
    """Add up what speaks for a quote; differences between two quotes of one question are log odds."""
    text = quote.spoken
    n_new = len(quote.lexemes - context - asked.weights.keys())
    return (
        COSINE_WEIGHT * float(vector @ asked.vector)
        + COVERAGE_WEIGHT * _share(quote.lexemes, asked.weights)
        + CONTEXT_COVERAGE_WEIGHT * _share(quote.lexemes | context, asked.weights)
        + RANK_WEIGHT / (1 + quote.rank)
        + NEWS_WEIGHT * min(1.0, n_new / MANY_NEWS)
        + SENTENCE_WEIGHT * text.endswith((".", "!", "?", '"', "”", ")"))
        - DISAPPOINTMENT * disappoints(asked.text, text)
        - QUESTION_MALUS * text.endswith("?")
        - ECHO_MALUS * (n_new == 0)
        - FRAGMENT_MALUS * text[:1].islower()
    )
