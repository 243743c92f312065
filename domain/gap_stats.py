"""How the asking goes: what is open of each kind, what was found and closed week by week, and who answers; the port."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Protocol

import msgspec

from domain.gap_kinds import GapKind

N_WEEKS = 12
N_ANSWERERS = 10


class KindStats(msgspec.Struct, frozen=True):
    """How many questions of one kind stand where."""

    kind: GapKind
    n_open: int
    n_answered: int
    n_dismissed: int


class WeekStats(msgspec.Struct, frozen=True):
    """What happened in the week that begins on a Monday, in UTC."""

    week: date
    n_found: int = 0
    n_answered: int = 0
    n_dismissed: int = 0


class Answerer(msgspec.Struct, frozen=True):
    """Somebody who answers."""

    name: str
    n_answers: int
    n_verified: int
    last_at: datetime


class GapStats(msgspec.Struct, frozen=True):
    """The questions as a whole, as far as the viewer may read what they rest on."""

    kinds: tuple[KindStats, ...]
    """Of which there is any, most open first."""
    weeks: tuple[WeekStats, ...]
    """The last N_WEEKS, oldest first, this one at the end."""
    answerers: tuple[Answerer, ...]
    """Who answered most first, N_ANSWERERS at most."""
    median_time: timedelta | None
    """From when a gap was found to when it was answered; None where nothing was answered."""

    @property
    def n_open(self) -> int:
        """How many are open."""
        return sum(each.n_open for each in self.kinds)

    @property
    def n_answered(self) -> int:
        """How many are answered."""
        return sum(each.n_answered for each in self.kinds)

    @property
    def n_all(self) -> int:
        """How many there are, open, answered and dismissed."""
        return self.n_open + self.n_answered + sum(each.n_dismissed for each in self.kinds)


class GapStatistics(Protocol):
    """Counts the gaps of one tenant, none but those that the list shows, or whose answer the viewer may read."""

    async def read(self, now: datetime) -> GapStats:
        """Return how it stands; questions that are asked as one count once."""


def last_weeks(now: datetime) -> list[date]:
    """Return the Mondays of the last N_WEEKS, oldest first."""
    monday = now.date() - timedelta(days=now.weekday())
    return [monday - timedelta(weeks=back) for back in reversed(range(N_WEEKS))]


def filled(weeks: Sequence[WeekStats], now: datetime) -> tuple[WeekStats, ...]:
    """Return the last weeks whole: those in which nothing happened with zeros."""
    held = {each.week: each for each in weeks}
    return tuple(held.get(monday) or WeekStats(monday) for monday in last_weeks(now))
