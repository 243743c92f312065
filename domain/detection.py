"""Detection: one document read once, into frames and gaps. Pure: the same text and surroundings, the same result."""

from collections.abc import Sequence

import msgspec

from domain.frames import Frame, frames
from domain.gaps import Gap, Reading, gaps
from domain.parsing import Block, BlockKind
from domain.search import Analyzer
from domain.statements import plain_blocks, statements
from domain.surroundings import Departed, Replaced, Source, Surroundings, departed_people, replaced_records
from domain.terms import Term, terms
from domain.triggers import Matcher

DETECTOR_VERSION = 4
"""Counts changes of the rules; the table of triggers has a version of its own."""


class Detected(msgspec.Struct, frozen=True):
    """What a document does, and what it leaves open: frames in order, gaps best first."""

    frames: tuple[Frame, ...]
    gaps: tuple[Gap, ...]
    terms: tuple[Term, ...] = ()
    """Abbreviations it uses or explains, each once: whether others explain them, the whole vault shows."""
    replaced: tuple[Replaced, ...] = ()
    departed: tuple[Departed, ...] = ()
    mark: int = 0
    """The surroundings that it was read in."""


def detect(
    source: Source, around: Surroundings, matcher: Matcher, analyzer: Analyzer, blocks: Sequence[Block] | None = None
) -> Detected:
    """Return the frames and gaps of a document; without blocks, its lines show its structure."""
    marked = plain_blocks(source.text) if blocks is None else blocks
    read = statements(source.text, marked, analyzer)
    matches = matcher.match([each.text for each in read])
    framed = [frames(statement, found) for statement, found in zip(read, matches, strict=True)]
    headings = (source.text[block.start : block.end] for block in marked if block.kind is BlockKind.HEADING)
    reading = Reading(
        source=source,
        statements=tuple(read),
        matches=tuple(map(tuple, matches)),
        frames=tuple(map(tuple, framed)),
        headings=frozenset(headings),
        familiar=matcher.familiar,
    )
    return Detected(
        frames=tuple(frame for each in framed for frame in each),
        gaps=tuple(gaps(reading, around)),
        terms=terms(source, read, matcher.familiar),
        replaced=tuple(replaced_records(source)),
        departed=tuple(departed_people(source)),
        mark=around.mark,
    )


def detector_version(matcher: Matcher) -> str:
    """Return what a stored result is valid for."""
    return f"{DETECTOR_VERSION}.{matcher.version}"
