"""Terms of a document: the abbreviations that it uses, each in its first sentence, and those that it explains."""

import re
from collections.abc import Collection, Sequence

import msgspec

from domain.parsing import BlockKind
from domain.statements import Statement
from domain.surroundings import LOWER_WORD, Source, defined_terms, used_terms

MAX_TERMS = 100
NUMBERED = re.compile(r"\b(?P<series>[A-Z]{3,6})-\d+\b")
"""A number of a series (a ticket, a record): what the series is called, its numbers show."""
MAX_TOPIC = 80


class Term(msgspec.Struct, frozen=True):
    """An abbreviation and the sentence `text[start:end]` that uses it first."""

    term: str
    is_explained: bool
    start: int
    end: int
    topic: str
    """The heading above the sentence, else the title."""


def terms(source: Source, statements: Sequence[Statement], familiar: Collection[str] = ()) -> tuple[Term, ...]:
    """Return a document's abbreviations, each once; words that were only shouted or that are familiar are none."""
    spelled = {word.upper() for word in LOWER_WORD.findall(source.text)}
    numbered = {found.group("series") for found in NUMBERED.finditer(source.text)}
    explained = defined_terms(source.text)
    found = {term: Term(term, is_explained=True, start=0, end=0, topic="") for term in sorted(explained)}
    for statement in statements:
        if statement.text.isupper() or statement.kind is BlockKind.TABLE_ROW:
            continue
        for used in used_terms(statement.text):
            term = used.group()
            if term not in spelled and term not in familiar and term not in numbered:
                topic = statement.heading or source.title
                found.setdefault(term, Term(term, False, statement.start, statement.end, topic[:MAX_TOPIC]))
    return tuple(found.values())[:MAX_TERMS]
