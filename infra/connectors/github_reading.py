"""Where a run over repositories stands."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from domain.integrations import Entry, Gone, Page


class Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far one repository has been read, and for whom; for other readers it is read again from the start."""

    readers: str = ""
    tree: str = ""
    issues_since: str = ""
    pulls_since: str = ""
    wiki: str = ""
    """The last commit of the wiki."""


@dataclass(slots=True)
class Reading:
    """Where a run stands: marks by repository, and what it has listed."""

    marks: dict[str, Mark]
    n_listed: int = 0

    def page(self, entries: Sequence[Entry], total: int | None = None) -> Page:
        """Return a page whose cursor is the marks as they are now."""
        self.n_listed += sum(not isinstance(entry, Gone) for entry in entries)
        return Page(tuple(entries), msgspec.json.encode(self.marks).decode(), total)
