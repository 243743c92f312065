"""The removal of an integration: out of search and without credentials at once, its rows in the background."""

from typing import Protocol

import msgspec


class Preview(msgspec.Struct, frozen=True):
    """What would go with an integration."""

    n_documents: int
    n_passages: int
    n_answers: int
    """Answers, of whomever, that cite one of its documents; they stay, but the citation leads nowhere any more."""
    n_failures: int
    has_credentials: bool


class Removals(Protocol):
    """Removes integrations of one tenant."""

    async def preview(self, integration_id: int) -> Preview:
        """Return what would go. Raises: NotFound."""

    async def begin(self, integration_id: int) -> None:
        """Take it out of search and out of sight in this transaction, with its credentials, and queue its purge.

        A sync under way loses its hold. The name is free again at once. Raises: NotFound.
        """

    async def purge(self, integration_id: int, size: int) -> bool:
        """Delete a batch of what is left of it; return whether there is more. Safe to call again at any time."""
