"""Statements: the sentences of a document with what stands around them, as detectors read them."""

import re
from collections.abc import Iterator, Sequence

import msgspec

from domain.parsing import Block, BlockKind
from domain.search import Analyzer

MAX_CHARACTERS = 600
"""A longer 'sentence' is a table or a list without stops; nobody states that much at once."""
LINE = re.compile(r"[^\n]+\n?|\n")
HEADING = re.compile(r"\s{0,3}(#{1,6})\s+\S")
ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s+\S")
ROW = re.compile(r"\s*\|.*\|\s*$")
FRONT_MATTER = re.compile(r"---\n.*?\n---[ \t]*(?:\n|$)", re.DOTALL)
FENCE = re.compile(r"\s*(?:```|~~~)")


class Statement(msgspec.Struct, frozen=True):
    """The sentence `text[start:end]` of a document."""

    start: int
    end: int
    text: str
    kind: BlockKind
    heading: str
    """The nearest heading above."""
    block: int
    """The place of its block: sentences of one paragraph share it."""


def statements(text: str, blocks: Sequence[Block], analyzer: Analyzer) -> list[Statement]:
    """Return the sentences of all blocks but headings, code and quotations, in order."""
    found = []
    heading = ""
    for place, block in enumerate(blocks):
        if block.kind is BlockKind.HEADING:
            heading = " ".join(text[block.start : block.end].strip("# \n").split())
        if block.kind in (BlockKind.HEADING, BlockKind.CODE, BlockKind.QUOTE):
            continue
        for start, end in _sentences(text[block.start : block.end], block.kind, analyzer):
            first, last = block.start + start, block.start + end
            found.append(Statement(first, last, text[first:last], block.kind, heading, place))
    return [each for each in found if each.end - each.start <= MAX_CHARACTERS]


def _sentences(text: str, kind: BlockKind, analyzer: Analyzer) -> list[tuple[int, int]]:
    """A row of a table is one statement."""
    if kind is BlockKind.TABLE_ROW:
        stripped = text.strip()
        start = text.find(stripped) if stripped else 0
        return [(start, start + len(stripped))] if stripped else []
    return analyzer.sentences(text)


def plain_blocks(text: str) -> tuple[Block, ...]:
    """Return the blocks of a text that no parser has seen, as its lines show them, with Markdown's marks."""
    return tuple(_merged(_lines(text)))


def _lines(text: str) -> Iterator[Block]:
    front = FRONT_MATTER.match(text)
    is_code = False
    if front:
        yield Block(BlockKind.CODE, 0, front.end())
    for found in LINE.finditer(text):
        line, start, end = found.group(), *found.span()
        if front and start < front.end():
            continue
        if FENCE.match(line):
            is_code = not is_code
            yield Block(BlockKind.CODE, start, end)
        elif is_code:
            yield Block(BlockKind.CODE, start, end)
        elif not line.strip():
            yield Block(BlockKind.CODE, start, start)
        elif mark := HEADING.match(line):
            yield Block(BlockKind.HEADING, start, end, level=len(mark.group(1)))
        elif ITEM.match(line):
            yield Block(BlockKind.LIST_ITEM, start, end)
        elif ROW.match(line):
            yield Block(BlockKind.TABLE_ROW, start, end)
        else:
            kind = BlockKind.QUOTE if line.lstrip().startswith(">") else BlockKind.PARAGRAPH
            yield Block(kind, start, end)


def _merged(lines: Iterator[Block]) -> Iterator[Block]:
    """Join a paragraph's lines, and the wrapped lines of an item with it; an empty line ends both."""
    held: Block | None = None
    for line in lines:
        goes_on = (
            held is not None
            and line.kind is BlockKind.PARAGRAPH
            and held.kind
            in (
                BlockKind.PARAGRAPH,
                BlockKind.LIST_ITEM,
            )
        )
        if held is not None and goes_on:
            held = Block(held.kind, held.start, line.end, level=held.level)
            continue
        if held is not None and held.end > held.start:
            yield held
        held = line
    if held is not None and held.end > held.start:
        yield held
