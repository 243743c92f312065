"""A document's text as the viewer page shows it: grouped blocks, a passage marked by its span, an outline.

Everything is made of text and offsets; markup is the template's. A long document is shown in parts, so that no page
grows beyond what a phone can hold, and a passage decides which part that is.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec

from domain.parsing import Block, BlockKind

PART_CHARACTERS = 60_000
PART_BLOCKS = 1_500
MAX_BLOCK_CHARACTERS = 20_000
"""Longer blocks are cut, so that a file of one endless line still comes in parts."""
MAX_HEADINGS = 200
OUTLINE_DEPTH = 3
MAX_HEADER_CELL = 60
CELL_MARK = " | "
NUMBERED = re.compile(r"\d{1,4}[.)]\s")

Span = tuple[int, int]


class Stretch(msgspec.Struct, frozen=True):
    """A piece of text that begins at `start`; marked when it belongs to the passage."""

    start: int
    text: str
    is_marked: bool = False
    entity_id: int | None = None
    """The entity it names; the page links to it."""


class Line(msgspec.Struct, frozen=True):
    """One block: its stretches, or for a table row the stretches of each cell."""

    start: int
    stretches: tuple[Stretch, ...]
    cells: tuple[tuple[Stretch, ...], ...] = ()
    level: int = 0
    """Of a heading from 1 on, counted from the highest of the document; of a list item from 0 on."""
    label: str = ""
    is_numbered: bool = False
    """Whether a list item brings its own number."""


class Group(msgspec.Struct, frozen=True):
    """Neighbouring blocks of one kind: a list, a table, a run of paragraphs."""

    kind: BlockKind
    lines: tuple[Line, ...]
    new_page: int | None = None
    """Set where a new page, slide or sheet begins."""
    has_header: bool = False


class OutlineEntry(msgspec.Struct, frozen=True):
    """A heading of the outline; it stands at `anchor` of `part`."""

    text: str
    depth: int
    anchor: str
    part: int


class Reading(msgspec.Struct, frozen=True):
    """One part of a document, ready for the page."""

    groups: tuple[Group, ...]
    outline: tuple[OutlineEntry, ...]
    part: int
    n_parts: int
    mark_start: int | None
    """Where the first marked stretch begins; None when nothing is marked."""


def read(text: str, blocks: Sequence[Block], span: Span | None = None, part: int = 1, title: str = "") -> Reading:
    """Return a part of the document, the one with the passage when there is a span that fits the text.

    A first heading that only repeats the page's title is left out, unless the passage touches it.
    """
    pieces = _without_title(text, list(covering(text, blocks)), span, title)
    top = min((piece.level for piece in pieces if piece.kind is BlockKind.HEADING), default=1)
    parts = parted(pieces)
    wanted = span if span and is_within(text, span) else None
    number = _part_of(pieces, parts, wanted[0]) if wanted else min(max(part, 1), len(parts))
    first, last = parts[number - 1]
    while wanted and last < len(pieces) and pieces[last].start < wanted[1]:
        last += 1
    before = pieces[first - 1] if first else None
    groups = tuple(_grouped(text, pieces[first:last], wanted, before, top))
    return Reading(groups, _outline(text, pieces, parts, top), number, len(parts), _mark_start(groups))


def is_within(text: str, span: Span) -> bool:
    """Whether a span points at text that is there."""
    return 0 <= span[0] < span[1] <= len(text)


def covering(text: str, blocks: Sequence[Block]) -> Iterator[Block]:
    """Yield the blocks in order, with paragraphs for visible text between them, each within the size of a block."""
    at = 0
    for block in [*blocks, Block(BlockKind.PARAGRAPH, len(text), len(text))]:
        if text[at : block.start].strip():
            yield from _sliced(text, _trimmed(text, at, block.start))
        if block.end > block.start:
            yield from _sliced(text, block)
        at = max(at, block.end)


def parted(pieces: Sequence[Block]) -> list[tuple[int, int]]:
    """Return the parts as half-open ranges of pieces; there is always one, even of an empty document."""
    parts, first = [], 0
    for index, piece in enumerate(pieces):
        is_full = piece.end - pieces[first].start > PART_CHARACTERS or index - first >= PART_BLOCKS
        if is_full and index > first:
            parts.append((first, index))
            first = index
    return [*parts, (first, len(pieces))]


def cut(text: str, start: int, end: int, span: Span | None) -> tuple[Stretch, ...]:
    """Return `text[start:end]` as stretches: before, in and after the passage, those that are not empty."""
    if span is None:
        return (Stretch(start, text[start:end]),)
    mark_start, mark_end = min(max(span[0], start), end), max(min(span[1], end), start)
    if mark_start >= mark_end:
        return (Stretch(start, text[start:end]),)
    cuts = ((start, mark_start, False), (mark_start, mark_end, True), (mark_end, end, False))
    return tuple(Stretch(left, text[left:right], is_marked) for left, right, is_marked in cuts if left < right)


def anchor(start: int) -> str:
    """Return the name under which a heading can be linked to."""
    return f"h-{start}"


def _trimmed(text: str, start: int, end: int) -> Block:
    held = text[start:end]
    return Block(BlockKind.PARAGRAPH, start + len(held) - len(held.lstrip()), end - len(held) + len(held.rstrip()))


def _sliced(text: str, block: Block) -> Iterator[Block]:
    """Cut at white space where there is some in the second half."""
    start = block.start
    while block.end - start > MAX_BLOCK_CHARACTERS:
        hard_end = start + MAX_BLOCK_CHARACTERS
        soft_end = max(text.rfind(mark, start + MAX_BLOCK_CHARACTERS // 2, hard_end) for mark in ("\n", " "))
        end = soft_end + 1 if soft_end > 0 else hard_end
        yield msgspec.structs.replace(block, start=start, end=end)
        start = end
    yield msgspec.structs.replace(block, start=start)


def _without_title(text: str, pieces: list[Block], span: Span | None, title: str) -> list[Block]:
    if not pieces or pieces[0].kind is not BlockKind.HEADING:
        return pieces
    first = pieces[0]
    is_repeated = text[first.start : first.end].strip() == title.strip()
    return pieces[1:] if is_repeated and not (span and span[0] < first.end) else pieces


def _part_of(pieces: Sequence[Block], parts: Sequence[tuple[int, int]], position: int) -> int:
    starts = [pieces[first].start if pieces else 0 for first, _ in parts]
    return max(1, sum(start <= position for start in starts))


def _grouped(text: str, pieces: Sequence[Block], span: Span | None, before: Block | None, top: int) -> Iterator[Group]:
    page = before.page if before else None
    kind = before.kind if before else None
    for (group_kind, group_page), members in groupby(pieces, lambda piece: (piece.kind, piece.page)):
        lines = tuple(_line(text, piece, span, top) for piece in members)
        is_first = kind is not group_kind or page != group_page
        yield Group(
            group_kind,
            lines,
            new_page=group_page if group_page != page else None,
            has_header=group_kind is BlockKind.TABLE_ROW and is_first and _is_header(lines),
        )
        page, kind = group_page, group_kind


def _line(text: str, piece: Block, span: Span | None, top: int) -> Line:
    shown = text[piece.start : piece.end]
    return Line(
        piece.start,
        () if piece.kind is BlockKind.TABLE_ROW else cut(text, piece.start, piece.end, span),
        tuple(_cells(text, piece, span)) if piece.kind is BlockKind.TABLE_ROW else (),
        piece.level - top + 1 if piece.kind is BlockKind.HEADING else piece.level,
        piece.label,
        piece.kind is BlockKind.LIST_ITEM and bool(NUMBERED.match(shown)),
    )


def _cells(text: str, piece: Block, span: Span | None) -> Iterator[tuple[Stretch, ...]]:
    row = text[piece.start : piece.end]
    mark = "\t" if "\t" in row else CELL_MARK
    start = piece.start
    for cell in row.split(mark):
        yield cut(text, start, start + len(cell), span)
        start += len(cell) + len(mark)


def _is_header(lines: Sequence[Line]) -> bool:
    """A first row of short names, above rows that are no wider than it."""
    names = ["".join(stretch.text for stretch in cell).strip() for cell in lines[0].cells]
    return (
        len(lines) > 1
        and len(names) > 1
        and all(name and not name[0].isdigit() and len(name) <= MAX_HEADER_CELL for name in names)
        and all(len(line.cells) <= len(names) for line in lines)
    )


def _outline(
    text: str, pieces: Sequence[Block], parts: Sequence[tuple[int, int]], top: int
) -> tuple[OutlineEntry, ...]:
    headings = [
        (piece, number)
        for number, (first, last) in enumerate(parts, start=1)
        for piece in pieces[first:last]
        if piece.kind is BlockKind.HEADING
    ]
    shown = [(piece, number) for piece, number in headings if piece.level - top < OUTLINE_DEPTH]
    return tuple(
        OutlineEntry(text[piece.start : piece.end], piece.level - top + 1, anchor(piece.start), number)
        for piece, number in shown[:MAX_HEADINGS]
    )


def _mark_start(groups: Sequence[Group]) -> int | None:
    marked = (
        stretch.start
        for group in groups
        for line in group.lines
        for stretch in (*line.stretches, *(stretch for cell in line.cells for stretch in cell))
        if stretch.is_marked and stretch.text.strip()
    )
    return next(marked, None)
