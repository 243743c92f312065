"""What a source holds, counted before it is read, and how much work that is, by past syncs of this deployment."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from datetime import UTC, date
from typing import Protocol, runtime_checkable

import msgspec

from domain.errors import Unavailable
from domain.integrations import Connector, Item
from domain.scope import NO_TYPE, Scope, file_type

MAX_ITEMS = 50_000
"""More than these are not counted; a preview is to be there at once."""
COUNTED_FOR_S = 8.0
"""A source is counted no longer than this while a person waits; what was counted by then is shown as that."""
SILENT = "The source does not say in time how much it holds."
DEPTH = 2
"""Folders are offered down to this depth."""
SPREAD = 0.4
"""Time depends on what is in the items; the estimate is given as a range of so much around its middle."""


class Counted(msgspec.Struct, frozen=True):
    """So many items of one type, in one folder, last changed on one day."""

    folder: str
    """Down to DEPTH; "" at the root."""
    file_type: str
    day: date | None
    n_items: int


class Survey(msgspec.Struct, frozen=True):
    """What was counted, and where."""

    counted: tuple[Counted, ...]
    is_of_source: bool
    """At the source itself; else among what the vault holds of it."""
    is_cut: bool = False
    """Whether counting stopped before its end, so that there is more."""
    is_total: bool = False
    """Whether the source told totals alone, with the chosen days left out already."""


class Pace(msgspec.Struct, frozen=True):
    """What past syncs took, in all."""

    n_items: int = 0
    n_chunks: int = 0
    seconds: float = 0.0
    is_of_tenant: bool = True
    """Whether they were the tenant's own; else the whole deployment's, before it has any."""


class Work(msgspec.Struct, frozen=True):
    """How much there is to do; chunks and minutes are None while no sync has shown its pace."""

    n_items: int
    n_chunks: int | None
    least_minutes: float | None
    most_minutes: float | None


class Option(msgspec.Struct, frozen=True):
    """Something that can be chosen, with how many items it stands for."""

    value: str
    name: str
    n_items: int
    depth: int = 0


class Surveys(Protocol):
    """Counts of what the vault holds, and the pace of its syncs."""

    async def held(self, integration_id: int) -> Survey:
        """Return what is held of an integration, counted."""

    async def pace(self, kind: str) -> Pace:
        """Return what the newest successful syncs took: the tenant's own of this kind of source, else of any kind.

        Before the tenant has any, those of the whole deployment stand in for them.
        """

    async def note_pace(self, sync_id: int) -> None:
        """Let a sync that has succeeded count for the pace of the whole deployment."""

    async def held_under(self, integration_id: int, prefixes: Sequence[str]) -> dict[str, int]:
        """Return how many documents are held whose external ids lie under each of these."""


@runtime_checkable
class TellsTotals(Protocol):
    """A connector that has to fetch what it lists, but whose source tells how much there is."""

    def totals(self, scope: Scope) -> AsyncIterator[int]:
        """Yield numbers of items, part by part, of what was changed within the days of a scope.

        Raises: what asking the source raises.
        """


async def survey(connector: Connector, scope: Scope, limit_s: float = COUNTED_FOR_S) -> Survey:
    """Count what a source lists or tells, without fetching anything, as far as it comes in the time.

    Raises: Unavailable when it says nothing in the time; what its listing raises.
    """
    counts: Counter[tuple[str, str, date | None]] = Counter()
    is_total, is_cut = isinstance(connector, TellsTotals), False
    counting = _told(connector, scope, counts) if isinstance(connector, TellsTotals) else _listed(connector, counts)
    try:
        async with asyncio.timeout(limit_s), aclosing(counting) as steps:
            async for _ in steps:
                if is_cut := counts.total() >= MAX_ITEMS:
                    break
    except TimeoutError as error:
        is_cut = True
        if not counts:
            raise Unavailable(SILENT) from error
    counted = tuple(Counted(*key, n_items) for key, n_items in counts.items())
    return Survey(counted, is_of_source=True, is_cut=is_cut, is_total=is_total)


async def _listed(connector: Connector, counts: Counter[tuple[str, str, date | None]]) -> AsyncGenerator[None, None]:
    async for page in connector.pages(""):
        for entry in page.entries:
            if isinstance(entry, Item):
                changed_at = entry.modified_at or entry.created_at
                day = changed_at.astimezone(UTC).date() if changed_at else None
                counts[folder_of(entry.external_id), file_type(entry.name), day] += 1
        yield


async def _told(
    source: TellsTotals, scope: Scope, counts: Counter[tuple[str, str, date | None]]
) -> AsyncGenerator[None, None]:
    async for n_items in source.totals(scope):
        counts["", "", None] += n_items
        yield


def folder_of(external_id: str) -> str:
    """Return the folder of an item, down to DEPTH."""
    return "/".join(external_id.split("/")[:-1][:DEPTH])


def n_in_scope(counted: Iterable[Counted], scope: Scope) -> int:
    """Return how many of the counted items a scope takes in."""
    return sum(each.n_items for each in counted if _is_in(each, scope))


def _is_in(each: Counted, scope: Scope) -> bool:
    is_in_folder = not scope.folders or any(f"{each.folder}/".startswith(f"{folder}/") for folder in scope.folders)
    is_of_type = not scope.file_types or each.file_type in scope.file_types
    is_late = not scope.since or each.day is None or each.day >= scope.since
    is_early = not scope.until or each.day is None or each.day <= scope.until
    return is_in_folder and is_of_type and is_late and is_early


def folder_options(counted: Sequence[Counted]) -> list[Option]:
    """Return the folders as a tree, parents before children, each with all that lies below it."""
    totals: Counter[str] = Counter()
    for each in counted:
        parts = each.folder.split("/") if each.folder else []
        for depth in range(1, len(parts) + 1):
            totals["/".join(parts[:depth])] += each.n_items
    ordered = sorted(totals, key=lambda path: path.lower().split("/"))
    return [Option(path, _folder_name(path), totals[path], path.count("/")) for path in ordered]


def _folder_name(path: str) -> str:
    """The last part of a path; what lies in an archive follows behind a "!"."""
    return path.rpartition("/")[2].replace("!", " › ")


def type_options(counted: Sequence[Counted]) -> list[Option]:
    """Return the types of files, most frequent first."""
    totals: Counter[str] = Counter()
    for each in counted:
        totals[each.file_type] += each.n_items
    return [
        Option(name, "no ending" if name == NO_TYPE else name, n_items)
        for name, n_items in sorted(totals.items(), key=lambda pair: (-pair[1], pair[0]))
    ]


def work(n_items: int, pace: Pace) -> Work:
    """Return what reading so many items would take, at the pace of the past."""
    if not pace.n_items or pace.seconds <= 0:
        return Work(n_items, None, None, None)
    minutes = n_items * pace.seconds / pace.n_items / 60
    n_chunks = round(n_items * pace.n_chunks / pace.n_items)
    return Work(n_items, n_chunks, minutes * (1 - SPREAD), minutes * (1 + SPREAD))
