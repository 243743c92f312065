"""The statistics of gaps: what is open by kind, what happened week by week, how fast answers come and from whom."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
from litestar import get

from domain.gap_kinds import wording
from domain.gap_stats import GapStats, KindStats, WeekStats
from domain.vault import Tools, Vault
from web.charts import Chart, Column, beside
from web.filters import duration, plural
from web.rendering import Page, page

BAR_WIDTH = 100
DAY = timedelta(days=1)


class ShownKind(msgspec.Struct, frozen=True):
    """A kind with its bar, which leads to the list."""

    stats: KindStats
    name: str
    width: float
    """Of BAR_WIDTH, for what is open."""


@get("/gaps/stats", include_in_schema=False)
async def index(vault: Vault, tools: Tools) -> Page:
    """Show how the asking goes, over nothing but what the viewer may read."""
    stats = await vault.gap_stats.read(tools.now())
    return page(
        "gaps/stats.html",
        stats=stats,
        kinds=shown_kinds(stats.kinds),
        bar_width=BAR_WIDTH,
        chart=weekly_chart(stats.weeks) if stats.n_all else None,
        share=f"{round(100 * stats.n_answered / stats.n_all)} %" if stats.n_all else "",
        median=pace(stats),
    )


def shown_kinds(kinds: Sequence[KindStats]) -> list[ShownKind]:
    """Return the kinds with bars, the longest for the one of which most are open."""
    most = max([1, *(each.n_open for each in kinds)])
    return [ShownKind(each, wording(each.kind).name, round(each.n_open / most * BAR_WIDTH, 1)) for each in kinds]


def weekly_chart(weeks: Sequence[WeekStats]) -> Chart:
    """Return the weeks as columns: found, answered, dismissed."""
    found, answered = sum(each.n_found for each in weeks), sum(each.n_answered for each in weeks)
    dismissed = sum(each.n_dismissed for each in weeks)
    summary = (
        f"The last {len(weeks)} weeks: {plural(found, 'gap')} found, {answered:,} answered, {dismissed:,} dismissed."
    )
    return beside([_column(each) for each in weeks], summary)


def _column(week: WeekStats) -> Column:
    parts = (("found", week.n_found), ("answered", week.n_answered), ("dismissed", week.n_dismissed))
    return Column(f"Week of {week.week:%-d %b}: {', '.join(f'{count:,} {kind}' for kind, count in parts)}", parts)


def pace(stats: GapStats) -> str:
    """Return the median time to an answer in words, in days once it is longer than two."""
    if stats.median_time is None:
        return "none yet"
    return duration(stats.median_time) if stats.median_time < 2 * DAY else plural(round(stats.median_time / DAY), "day")


routes = [index]
