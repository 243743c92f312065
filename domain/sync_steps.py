"""What happens to an item on its way in, as values that travel through a sync's queues; and the attempt's own state."""

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
from domain.progress import Progress
from domain.scope import Scope, scope_of
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


Step = Prepared | Unchanged | Failed | LeftOut | Gone | PageEnd


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
        """Add to counters of the progress, by name."""
        summed = {name: getattr(self.progress, name) + amount for name, amount in changes.items()}
        self.progress = msgspec.structs.replace(self.progress, **summed)

    def note(self, **changes: object) -> None:
        """Replace fields of the progress."""
        self.progress = msgspec.structs.replace(self.progress, **changes)
