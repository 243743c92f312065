"""A gap's evidence in context: the sentence that leaves something open, its neighbours, and the heading above."""

from collections.abc import Sequence

import msgspec

from domain.parsing import Block
from domain.search import Analyzer
from domain.statements import statements

N_NEIGHBOURS = 2
MAX_SIDE = 600
"""Characters of context on either side: enough to know what is spoken of, and no second document."""


class Context(msgspec.Struct, frozen=True):
    """What stands around a piece of evidence, in one line each."""

    heading: str
    before: str
    marked: str
    after: str


def context(text: str, blocks: Sequence[Block], start: int, end: int, analyzer: Analyzer) -> Context:
    """Return `text[start:end]` with up to two sentences on either side that stand under the same heading."""
    read = statements(text, blocks, analyzer)
    place = next((index for index, each in enumerate(read) if each.start < end and start < each.end), None)
    if place is None:
        return Context("", "", _line(text[start:end]), "")
    heading = read[place].heading
    near = [each for each in read[max(0, place - N_NEIGHBOURS) : place + N_NEIGHBOURS + 1] if each.heading == heading]
    before = " ".join(_line(text[each.start : min(each.end, start)]) for each in near if each.start < start)
    after = " ".join(_line(text[max(each.start, end) : each.end]) for each in near if each.end > end)
    return Context(heading, _last(before), _line(text[start:end]), _first(after))


def _line(text: str) -> str:
    return " ".join(text.split())


def _last(text: str) -> str:
    return text if len(text) <= MAX_SIDE else f"…{text[-MAX_SIDE:].partition(' ')[2]}"


def _first(text: str) -> str:
    return text if len(text) <= MAX_SIDE else f"{text[:MAX_SIDE].rpartition(' ')[0]}…"
