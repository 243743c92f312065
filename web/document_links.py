"""Entities as links in a document's text: stretches are parted where a name begins and ends."""

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from domain.entities import Entity
from web.document_text import Line, Reading, Stretch

MAX_IN_MARGIN = 12
Mention = tuple[Entity, int, int]


def linked(reading: Reading, mentions: Sequence[Mention]) -> Reading:
    """Return the reading with the names of entities as stretches of their own; `mentions` are in order of start."""
    apart = _apart(mentions)
    if not apart:
        return reading
    groups = tuple(
        msgspec.structs.replace(group, lines=tuple(_linked_line(line, apart) for line in group.lines))
        for group in reading.groups
    )
    return msgspec.structs.replace(reading, groups=groups)


def named_most(mentions: Sequence[Mention]) -> list[Entity]:
    """Return the entities of a document, those named most often first, for its margin."""
    counts = Counter(entity for entity, _, _ in mentions)
    return [entity for entity, _ in counts.most_common(MAX_IN_MARGIN)]


def _apart(mentions: Sequence[Mention]) -> list[Mention]:
    """Leave out what overlaps with the one before it, and what has no place of its own."""
    found: list[Mention] = []
    for mention in mentions:
        if mention[2] > mention[1] and (not found or mention[1] >= found[-1][2]):
            found.append(mention)
    return found


def _linked_line(line: Line, mentions: Sequence[Mention]) -> Line:
    within = [mention for mention in mentions if _touches(line, mention)]
    if not within:
        return line
    return msgspec.structs.replace(
        line,
        stretches=tuple(part for stretch in line.stretches for part in _parted(stretch, within)),
        cells=tuple(tuple(part for stretch in cell for part in _parted(stretch, within)) for cell in line.cells),
    )


def _touches(line: Line, mention: Mention) -> bool:
    last = line.cells[-1] if line.cells else line.stretches
    end = last[-1].start + len(last[-1].text) if last else line.start
    return line.start <= mention[1] and mention[2] <= end


def _parted(stretch: Stretch, mentions: Sequence[Mention]) -> Iterator[Stretch]:
    at, end = stretch.start, stretch.start + len(stretch.text)
    for entity, start, stop in mentions:
        if at <= start and stop <= end:
            if start > at:
                yield _cut(stretch, at, start)
            yield msgspec.structs.replace(_cut(stretch, start, stop), entity_id=entity.id)
            at = stop
    if at < end or not stretch.text:
        yield _cut(stretch, at, end)


def _cut(stretch: Stretch, start: int, end: int) -> Stretch:
    text = stretch.text[start - stretch.start : end - stretch.start]
    return msgspec.structs.replace(stretch, start=start, text=text)
