"""What happens to an item on its way in, as values that travel through a sync's queues; and the attempt's own state."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from domain.access import Group
from domain.chunking import Chunk
from domain.documents import Kept
from domain.embedding import Matrix
from domain.integrations import Gone, Integration, Item
from domain.parsing import ParsedDocument
from domain.people import Viewer
from domain.privacy import Judge
from domain.progress import Progress, plus
from domain.scope import Scope, scope_of
from domain.sync_parts import Part, PartState, Sharing
from domain.syncs import Sync
from domain.trails import Reached
from domain.vault import OpenVault, Tools


class Prepared(msgspec.Struct, frozen=True):
    """A document on its way in; `vectors` is filled by the embedding stage."""

    item: Item
    content_hash: str
    parsed: ParsedDocument
    chunks: list[Chunk]
    size_bytes: int
    vectors: Matrix | None = None
    next_vectors: Matrix | None = None
    """By the next model, where there is one."""


class Unchanged(msgspec.Struct, frozen=True):
    """An item whose document stands already."""

    kept: Kept
    external_id: str
    is_from_this_sync: bool
    """An earlier attempt of this very sync has written it."""


class Failed(msgspec.Struct, frozen=True):
    """An item that cannot be brought in; what was known of it before stays as it was."""

    external_id: str
    name: str
    reason: str
    document_id: int | None = None


class LeftOut(msgspec.Struct, frozen=True):
    """An item that nobody has chosen; what was known of it before goes."""

    external_id: str
    name: str
    reason: str
    is_held: bool


class PageEnd(msgspec.Struct, frozen=True):
    """Everything up to this cursor is in the queue before this mark; `cursor` is None where there is none to keep."""

    cursor: str | None
    groups: tuple[Group, ...] = ()
    gone_groups: tuple[str, ...] = ()
    n_found: int = 0
    """Items listed up to here."""
    last_part: int = 0
    """Number of the last part that holds items of this page, or of one before; 0: none does."""


class PartStart(msgspec.Struct, frozen=True):
    """What follows belongs to this part."""

    part: Part


class PartEnd(msgspec.Struct, frozen=True):
    """Everything of the part is in the queue before this mark."""


Step = Prepared | Unchanged | Failed | LeftOut | Gone | PageEnd | PartStart | PartEnd


def in_runs(steps: Iterable[Step]) -> Iterator[Step | list[Prepared]]:
    """Part a batch, in its order: documents that follow each other are stored together, none of them twice."""
    together: dict[str, Prepared] = {}
    for step in steps:
        if together and (not isinstance(step, Prepared) or step.item.external_id in together):
            yield list(together.values())
            together = {}
        if isinstance(step, Prepared):
            together[step.item.external_id] = step
        else:
            yield step
    if together:
        yield list(together.values())


@dataclass(slots=True)
class Run:
    """One attempt's own state: what was counted, what waits to be written; nothing of it outlives the attempt."""

    sync: Sync
    integration: Integration
    viewer: Viewer
    tools: Tools
    open_vault: OpenVault
    progress: Progress
    unchanged: list[Unchanged] = field(default_factory=list)
    """Met since the last page's end; written together there."""
    succeeded: list[str] = field(default_factory=list)
    """External ids that are to leave the list of failures there."""
    judge: Judge | None = None
    """What to tell work from personal by, where the integration is a person's own."""
    lines: dict[str, Reached] = field(default_factory=dict)
    """How far items have come, by external id, as far as that is not written yet."""
    sharing: Sharing | None = None
    """The parts of the sync; None where this attempt only helps, or shares nothing."""
    ends: deque[tuple[PageEnd, Progress]] = field(default_factory=deque)
    """Pages whose parts are not all done, each with the progress up to it."""
    held: dict[int, Part] = field(default_factory=dict)
    """Parts this worker is busy with, by number."""
    part: Part | None = None
    """The one that is being stored."""
    tally: Progress = field(default_factory=Progress)
    """What was counted in it."""
    n_put: int = 0
    """Items of no part that were put into the queue."""
    looked_at: float = 0.0
    """When its worker last said that it is alive, and saw how the parts stand."""

    @property
    def shown(self) -> Progress:
        """Progress as people see it, that of all parts included."""
        return self.sharing.shown(self.progress) if self.sharing else self.progress

    @property
    def n_ahead(self) -> int:
        """Items that were read here, or are to be, and are not stored yet."""
        n_held = sum(len(part.items) for part in self.held.values())
        return self.n_put - self.progress.processed + n_held - self.tally.processed

    @property
    def is_shared(self) -> bool:
        """Whether parts are under way, here or elsewhere."""
        return bool(self.held) or (self.sharing is not None and self.sharing.is_open)

    def begin(self, part: Part) -> None:
        """Count for this part from now on; a helper's own counts, which nobody else adds up, go with it."""
        self.part, self.tally = part, Progress()
        if self.sharing is None:
            self.tally, self.progress = self.progress, Progress()

    def end_part(self) -> None:
        """Leave the part that is done."""
        if self.part and self.sharing:
            self.sharing.note([PartState(self.part.ordinal, is_waiting=False, is_done=True, counts=self.tally)])
        if self.part:
            self.held.pop(self.part.ordinal, None)
        self.part, self.tally = None, Progress()

    @property
    def scope(self) -> Scope:
        """What of the integration is to be read."""
        return scope_of(self.integration.settings)

    def trace(self, *steps: Reached) -> None:
        """Note how far items have come."""
        self.lines |= {step.external_id: step for step in steps}

    def take_lines(self) -> list[Reached]:
        """Return the notes that are not written yet, once."""
        taken, self.lines = list(self.lines.values()), {}
        return taken

    def count(self, **changes: int) -> None:
        """Add to counters of the progress, or of the part that is being stored, by name."""
        added = msgspec.structs.replace(Progress(), **changes)
        if self.part:
            self.tally = plus(self.tally, added)
        else:
            self.progress = plus(self.progress, added)

    def note(self, **changes: object) -> None:
        """Replace fields of the progress."""
        self.progress = msgspec.structs.replace(self.progress, **changes)
