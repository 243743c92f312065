"""Disagreements: quotes of two documents that say different things of one subject, as far as that can be told safely.

Only what is nearly the same sentence but for its figures, days or a `not` counts. Two sentences that are merely about
the same matter are not set against each other: a false alarm costs more trust than a missed one.
"""

import re
from collections.abc import Sequence

from domain.conversations import Disagreement, Side
from domain.evidence import Scored
from domain.support import CALENDAR, FIGURE, NAME, NEGATION

MAX_DISAGREEMENTS = 2
MAX_QUOTES = 12
"""Quotes that are compared with each other, those that speak best to the question."""
MAX_BEHIND = 5.0
"""A quote that scores further behind the best is about something else."""
SAME_SUBJECT_WORDS = 0.5
"""Jaccard overlap of the words that are no figures, from which two quotes are about one subject. Set by hand."""
SAME_SENTENCE_WORDS = 0.7
"""The same for a `not`, which turns up in many sentences that do not disagree."""
MIN_WORDS = 3
IDENTIFIER = re.compile(r"\b(?!(?:In|On|At|By|To|Of|All|The|After|Within|For|Every)\b)[A-Z]\w*[ -]?\d(?:[\w.-]*\w)?")
"""A figure that belongs to a name: `Pika 3`, `KV-1042`."""
YEAR = re.compile(r"(19|20)\d\d")


def disagreements(scored: Sequence[Scored]) -> tuple[Disagreement, ...]:
    """Return up to two pairs of quotes, best first, that cannot both be right; each document is in one of them."""
    near = [one for one in scored[:MAX_QUOTES] if one.score >= scored[0].score - MAX_BEHIND]
    found: list[Disagreement] = []
    used: set[int] = set()
    for place, one in enumerate(near):
        for other in near[place + 1 :]:
            documents = {one.quote.passage.document_id, other.quote.passage.document_id}
            if len(documents) < 2 or documents & used or not disagree(one, other):
                continue
            found.append(Disagreement((_side(one), _side(other))))
            used |= documents
    return tuple(found[:MAX_DISAGREEMENTS])


def disagree(one: Scored, other: Scored) -> bool:
    """Return whether two quotes say nearly the same, but for their figures, days, or a negation."""
    a, b = _words(one), _words(other)
    if min(len(a), len(b)) < MIN_WORDS or _are_about_others(one.quote.text, other.quote.text):
        return False
    alike = len(a & b) / len(a | b)
    ours, theirs = _facts(one.quote.text), _facts(other.quote.text)
    differs = bool(ours) and bool(theirs) and not (ours <= theirs or theirs <= ours)
    if alike >= SAME_SUBJECT_WORDS and differs and len(ours) == len(theirs):
        return True
    is_turned = bool(NEGATION.search(one.quote.text)) != bool(NEGATION.search(other.quote.text))
    return alike >= SAME_SENTENCE_WORDS and is_turned and ours == theirs


def _are_about_others(one: str, other: str) -> bool:
    """Return whether each names something that the other does not: `Pika 2` and `Pika 3` may well weigh differently."""
    if set(IDENTIFIER.findall(one)) != set(IDENTIFIER.findall(other)):
        return True
    ours, theirs = ({name for name in NAME.findall(text) if not CALENDAR.fullmatch(name)} for text in (one, other))
    return bool(ours - theirs) and bool(theirs - ours)


def _words(one: Scored) -> frozenset[str]:
    return frozenset(
        lexeme for lexeme in one.quote.lexemes if not FIGURE.fullmatch(lexeme) and not CALENDAR.fullmatch(lexeme)
    )


def _facts(text: str) -> frozenset[str]:
    """Return figures and days, as they are compared; a year dates a sentence rather than being what it says."""
    figures = {figure.replace(",", "") for figure in FIGURE.findall(text)}
    kept = {figure for figure in figures if not YEAR.fullmatch(figure)}
    return frozenset(kept | {day.lower() for day in CALENDAR.findall(text)})


def _side(one: Scored) -> Side:
    passage = one.quote.passage
    return Side(one.quote.citation, passage.author, passage.modified_at)
