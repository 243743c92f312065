"""Columns as a drawing, in numbers an SVG can take: of syncs, one on top of the other; of weeks, side by side."""

from collections.abc import Sequence

import msgspec

from web.filters import plural
from web.progress import SyncView

HEIGHT, WIDTH, GAP = 96, 640, 4
"""In the units of the drawing, which is stretched to its place."""
LEAST_BARS = 20
"""So many have place at least, so that a bar stays a bar."""
LEAST = 2.0
"""What is more than nothing is seen."""


class Column(msgspec.Struct, frozen=True):
    """What one bar is to show: how much of what, in order; `tone` colours its foot."""

    title: str
    parts: tuple[tuple[str, int], ...]
    tone: str = ""


class Piece(msgspec.Struct, frozen=True):
    """A part of a bar."""

    kind: str
    x: float
    y: float
    width: float
    height: float


class Bar(msgspec.Struct, frozen=True):
    """One column as it is drawn."""

    x: float
    width: float
    title: str
    tone: str
    pieces: tuple[Piece, ...]


class Chart(msgspec.Struct, frozen=True):
    """The drawing; `summary` says the same in a sentence."""

    bars: tuple[Bar, ...]
    keys: tuple[str, ...]
    """The kinds of parts, in order."""
    most: int
    """What the tallest stands for."""
    summary: str
    width: int = WIDTH
    height: int = HEIGHT


def history_chart(syncs: Sequence[SyncView]) -> Chart | None:
    """Return the chart of syncs that are given newest first; None where there is nothing to compare."""
    ended = [each for each in reversed(syncs) if each.sync.is_final]
    if len(ended) < 2:
        return None
    changed = sum(each.sync.progress.indexed for each in ended)
    failed = sum(each.tone == "bad" for each in ended)
    summary = f"The last {plural(len(ended), 'sync')}: {plural(changed, 'item')} indexed, {failed} failed altogether."
    return stacked([_column(each) for each in ended], summary)


def stacked(columns: Sequence[Column], summary: str) -> Chart:
    """Return columns whose parts stand on top of each other, as parts of one whole."""
    most = max(1, *(sum(count for _, count in each.parts) for each in columns))
    step = WIDTH / max(len(columns), LEAST_BARS)
    bars = tuple(_stack(each, place * step, step - GAP, most) for place, each in enumerate(columns))
    return Chart(bars, _keys(columns), most, summary)


def beside(columns: Sequence[Column], summary: str) -> Chart:
    """Return columns whose parts stand side by side, since they are no parts of one whole."""
    most = max(1, *(count for each in columns for _, count in each.parts))
    step = WIDTH / len(columns)
    bars = tuple(_row(each, place * step, step - 2 * GAP, most) for place, each in enumerate(columns))
    return Chart(bars, _keys(columns), most, summary)


def _keys(columns: Sequence[Column]) -> tuple[str, ...]:
    return tuple(kind for kind, _ in columns[0].parts)


def _column(seen: SyncView) -> Column:
    progress = seen.sync.progress
    title = (
        f"{seen.sync.created_at:%-d %b, %H:%M}: {seen.badge.lower()}, {progress.indexed:,} indexed, "
        f"{progress.deleted:,} deleted, {progress.failed:,} failed"
    )
    parts = (("indexed", progress.indexed), ("deleted", progress.deleted), ("failed", progress.failed))
    return Column(title, parts, seen.tone)


def _stack(column: Column, x: float, width: float, most: int) -> Bar:
    pieces, top = [], float(HEIGHT)
    for kind, count in column.parts:
        if count:
            height = _height(count, most)
            top -= height
            pieces.append(_piece(kind, x, top, max(1.0, width), height))
    return _bar(column, x, width, pieces)


def _row(column: Column, x: float, width: float, most: int) -> Bar:
    each_width = width / len(column.parts)
    pieces = [
        _piece(kind, x + place * each_width, HEIGHT - _height(count, most), each_width - 1, _height(count, most))
        for place, (kind, count) in enumerate(column.parts)
        if count
    ]
    return _bar(column, x, width, pieces)


def _height(count: int, most: int) -> float:
    return max(LEAST, count / most * (HEIGHT - 3 * LEAST))


def _piece(kind: str, x: float, y: float, width: float, height: float) -> Piece:
    return Piece(kind, round(x, 1), round(y, 1), round(width, 1), round(height, 1))


def _bar(column: Column, x: float, width: float, pieces: Sequence[Piece]) -> Bar:
    return Bar(round(x, 1), round(max(1.0, width), 1), column.title, column.tone, tuple(pieces))
