"""The history of syncs as a drawing: one bar for each sync, oldest first, in numbers an SVG can take."""

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


class Piece(msgspec.Struct, frozen=True):
    """A part of a bar."""

    kind: str
    y: float
    height: float


class Bar(msgspec.Struct, frozen=True):
    """One sync."""

    x: float
    width: float
    title: str
    tone: str
    pieces: tuple[Piece, ...]


class Chart(msgspec.Struct, frozen=True):
    """The drawing; `summary` says the same in a sentence."""

    bars: tuple[Bar, ...]
    most: int
    summary: str
    width: int = WIDTH
    height: int = HEIGHT


def history_chart(syncs: Sequence[SyncView]) -> Chart | None:
    """Return the chart of syncs that are given newest first; None where there is nothing to compare."""
    ended = [each for each in reversed(syncs) if each.sync.is_final]
    if len(ended) < 2:
        return None
    most = max(1, *(sum(count for _, count in _parts(each)) for each in ended))
    step = WIDTH / max(len(ended), LEAST_BARS)
    bars = tuple(_bar(each, position * step, step - GAP, most) for position, each in enumerate(ended))
    changed = sum(each.sync.progress.indexed for each in ended)
    failed = sum(each.tone == "bad" for each in ended)
    summary = f"The last {plural(len(ended), 'sync')}: {plural(changed, 'item')} indexed, {failed} failed altogether."
    return Chart(bars, most, summary)


def _parts(seen: SyncView) -> tuple[tuple[str, int], ...]:
    progress = seen.sync.progress
    return (("indexed", progress.indexed), ("deleted", progress.deleted), ("failed", progress.failed))


def _bar(seen: SyncView, x: float, width: float, most: int) -> Bar:
    pieces, top = [], float(HEIGHT)
    for kind, count in _parts(seen):
        if count:
            height = max(LEAST, count / most * (HEIGHT - 3 * LEAST))
            top -= height
            pieces.append(Piece(kind, round(top, 1), round(height, 1)))
    progress = seen.sync.progress
    title = (
        f"{seen.sync.created_at:%-d %b, %H:%M}: {seen.badge.lower()}, {progress.indexed:,} indexed, "
        f"{progress.deleted:,} deleted, {progress.failed:,} failed"
    )
    return Bar(round(x, 1), round(max(1.0, width), 1), title, seen.tone, tuple(pieces))
