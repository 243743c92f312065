"""Extraction: an answer made of the passages' own sentences, the best ones, each fact once, rather one than three."""

from collections.abc import Sequence

from domain.conversations import Sentence
from domain.evidence import Evidence, Scored
from domain.support import CALENDAR, FIGURE

MAX_SENTENCES = 3
MAX_CITATIONS = 3
MAX_BEHIND = 1.0
"""A quote that scores further behind the best one would rather dilute the answer than complete it."""
SAME_FACT_COSINE = 0.9
SAME_FACT_WORDS = 0.75
"""Jaccard overlap of lexemes: above either, and with the same figures, two quotes state one fact."""


def extract(evidence: Evidence) -> list[Sentence]:
    """Return up to three sentences that answer; [] when there is nothing to quote.

    They stand in the order of the questions within the question; or else by document, the best first, and place.
    """
    chosen = _by_part(evidence.scored) or _in_order(_best(evidence.scored))
    return [_sentence(one, evidence.scored) for one in chosen]


def is_same_fact(one: Scored, other: Scored) -> bool:
    """Return whether two quotes say the same; different figures or dates make different facts."""
    if _figures(one) != _figures(other):
        return False
    either = one.quote.lexemes | other.quote.lexemes
    is_alike = len(one.quote.lexemes & other.quote.lexemes) >= SAME_FACT_WORDS * len(either)
    return is_alike or float(one.vector @ other.vector) >= SAME_FACT_COSINE


def _by_part(scored: Sequence[Scored]) -> list[Scored]:
    """Take the best quote for each question within the question; it must speak to the whole as well."""
    n_parts = len(scored[0].part_scores) if scored else 0
    return _apart([max(scored, key=lambda one: one.part_scores[part] + one.score) for part in range(n_parts)])


def _best(scored: Sequence[Scored]) -> list[Scored]:
    return _apart([one for one in scored if one.score >= scored[0].score - MAX_BEHIND])


def _apart(ranked: Sequence[Scored]) -> list[Scored]:
    """Take the first ones that do not repeat each other."""
    chosen: list[Scored] = []
    for one in ranked:
        if len(chosen) < MAX_SENTENCES and not any(_repeats(one, other) for other in chosen):
            chosen.append(one)
    return chosen


def _in_order(chosen: Sequence[Scored]) -> list[Scored]:
    documents = list(dict.fromkeys(one.quote.passage.document_id for one in chosen))
    return sorted(chosen, key=lambda one: (documents.index(one.quote.passage.document_id), *_place(one)))


def _repeats(one: Scored, other: Scored) -> bool:
    """Return whether both say one fact, or the same stretch of one version is in both."""
    a, b = one.quote, other.quote
    is_overlapping = a.passage.version_id == b.passage.version_id and (
        a.passage.start + a.start < b.passage.start + b.end and b.passage.start + b.start < a.passage.start + a.end
    )
    return is_overlapping or is_same_fact(one, other)


def _sentence(one: Scored, scored: Sequence[Scored]) -> Sentence:
    """Say one fact, with a citation for each document that states it."""
    cited = {one.quote.passage.document_id: one}
    for other in scored:
        if len(cited) < MAX_CITATIONS and other is not one and is_same_fact(one, other):
            cited.setdefault(other.quote.passage.document_id, other)
    return Sentence(
        text=one.quote.spoken,
        citations=tuple(proof.quote.citation for proof in cited.values()),
        support=round(one.support, 3),
    )


def _place(one: Scored) -> tuple[int, int]:
    return one.quote.passage.version_id, one.quote.passage.start + one.quote.start


def _figures(one: Scored) -> frozenset[str]:
    text = one.quote.text
    return frozenset(FIGURE.findall(text)) | {day.lower() for day in CALENDAR.findall(text)}
