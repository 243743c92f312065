"""Parts of a sync: items that any worker may bring in, so that several share a large sync."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

import msgspec

from domain.errors import Conflict
from domain.integrations import Item
from domain.progress import Progress, plus

ALONE = 64
"""So many items that have to be fetched are brought in before any is shared: small syncs stay with one worker."""
PART_ITEMS = 32
"""About a second's work: little is done twice when a worker dies, and other work does not wait long for its end."""
HELD_ITEMS = 4 * PART_ITEMS
"""Items that a worker holds when it takes another part: enough for two batches that are embedded at once."""
WAITING_AHEAD = 2
"""Parts that lie ready at least; for each part under way, as many more."""
LOOK_S = 0.2
"""How often a worker looks at the parts, and says that it is alive."""
ROOM_S = 0.05
"""How often a worker looks whether it has stored enough to take another part."""
CALL_S = 2.0
"""How often other workers are called while parts wait."""
LINGER_S = 3.0
"""How long a helper waits for another part before it turns to other work."""


class PartLost(Conflict):
    """Another worker has taken a part over, or its sync has ended; what its holder wrote last was not kept."""


class Part(msgspec.Struct, frozen=True):
    """A few items of a sync, as one worker holds them."""

    id: int
    ordinal: int
    claim: int
    """Grows each time a worker takes it up: a fencing token."""
    items: tuple[Item, ...]


class PartState(msgspec.Struct, frozen=True):
    """How far a part is."""

    ordinal: int
    is_waiting: bool = True
    is_done: bool = False
    counts: Progress = Progress()
    """What has been counted in it by whoever holds it now."""


class Parts(Protocol):
    """The parts of one tenant's syncs. All that is written for a part is fenced by its claim and the sync's attempt."""

    async def add(self, sync_id: int, attempt: int, first: int, parts: Sequence[Sequence[Item]]) -> None:
        """Write parts, numbered from `first` on; call it in a transaction that holds the sync."""

    async def call(self, sync_id: int, n_helpers: int) -> None:
        """Ask other workers for help in this transaction, at most so many at a time, those that help already included.

        All other work goes before it.
        """

    async def n_workers(self) -> int:
        """Return how many worker processes are alive, whatever they do."""

    async def is_other_work_waiting(self) -> bool:
        """Return whether there is anything else that a worker could begin with."""

    async def take(self, sync_id: int, attempt: int, *, is_leader: bool = False) -> Part | None:
        """Claim the first part that nobody holds, or whose holder was silent for too long; None where there is none.

        What a helper could not do is for the leader alone. Raises: Conflict when the sync is not this attempt's now.
        """

    async def hold(self, part: Part) -> None:
        """Make sure that nobody takes the part, or its sync, over before this transaction ends. Raises: PartLost."""

    async def beat(self, parts: Sequence[Part], current: Part | None, counts: Progress) -> None:
        """Say that their holder is alive, and what it has counted in the current one. Raises: PartLost."""

    async def finish(self, part: Part, counts: Progress) -> None:
        """Mark a part as done, with what was counted in it. Raises: PartLost."""

    async def give_back(self, parts: Sequence[Part], *, is_refused: bool) -> None:
        """Let others take these parts; those that were refused only the leader. What is lost already is left alone."""

    async def states(self, sync_id: int) -> list[PartState]:
        """Return how the parts stand, by number."""

    async def remove(self, sync_id: int, last: int) -> None:
        """Remove the parts up to this number, in the transaction that adds their counts to the sync's."""


@dataclass(slots=True)
class Sharing:
    """What the leader of a sync knows of its parts."""

    n_helpers: int
    """Workers that may help at the same time."""
    n_fetched: int = 0
    """Items to be fetched that were met so far."""
    last: int = 0
    """Number of the part that was written last."""
    states: dict[int, PartState] = field(default_factory=dict)
    """Those that are not yet added to the sync's own progress."""
    external_ids: dict[int, frozenset[str]] = field(default_factory=dict)
    """Of parts that are not done."""
    folded: Progress = field(default_factory=Progress)
    """What was counted in the parts that are gone."""
    called_at: float = 0.0

    @property
    def is_open(self) -> bool:
        """Whether a part is not done."""
        return bool(self.external_ids)

    @property
    def n_waiting(self) -> int:
        """Parts that nobody has taken, as far as is known."""
        return sum(each.is_waiting for each in self.states.values())

    @property
    def has_enough_waiting(self) -> bool:
        """Whether the leader is to work on a part rather than list more."""
        n_taken = sum(not each.is_waiting and not each.is_done for each in self.states.values())
        return self.n_waiting > WAITING_AHEAD * (1 + n_taken)

    def note(self, states: Iterable[PartState]) -> None:
        """Take in how parts stand now; one that was begun anew is shown as far as it was, so that nothing goes back."""
        for new in states:
            old = self.states.get(new.ordinal)
            is_behind = old is not None and not new.is_done and new.counts.processed < old.counts.processed
            self.states[new.ordinal] = msgspec.structs.replace(new, counts=old.counts) if old and is_behind else new
            if new.is_done:
                self.external_ids.pop(new.ordinal, None)

    def is_done(self, last: int) -> bool:
        """Whether all parts up to this number are done."""
        return all(ordinal > last for ordinal in self.external_ids)

    def fold(self, last: int) -> None:
        """Add up what was counted in the parts up to this number, and forget them."""
        gone = [ordinal for ordinal in self.states if ordinal <= last]
        self.folded = plus(self.folded, *(self.states.pop(ordinal).counts for ordinal in gone))

    def shown(self, own: Progress) -> Progress:
        """Return a leader's progress with that of all parts."""
        return plus(own, self.folded, *(each.counts for each in self.states.values()))


def split(items: Sequence[Item]) -> list[Sequence[Item]]:
    """Return items in parts of the same size, as nearly as that goes."""
    n_parts = -(-len(items) // PART_ITEMS)
    edges = [len(items) * number // n_parts for number in range(n_parts + 1)]
    return [items[start:end] for start, end in pairwise(edges)]
