"""The port of studies: documents are read for names and gaps after a sync has stored them."""

from typing import Protocol


class Studies(Protocol):
    """Whether a tenant's documents wait to be read for names and gaps."""

    async def request(self) -> None:
        """Queue the reading, unless it waits already."""

    async def is_under_way(self) -> bool:
        """Return whether the reading waits or runs, so that names and gaps may still be missing."""
