"""Who may see what, mirrored from the sources: groups with their members, and why somebody may read a document."""

from collections.abc import Sequence
from typing import Protocol

import msgspec


class Group(msgspec.Struct, frozen=True):
    """A group at a source (a channel, a shared drive, a team) as it stands now; it replaces what was known of it."""

    principal: str
    """See `domain.people.group_principal`."""
    title: str
    """As people know it there: #platform."""
    members: tuple[str, ...]
    """Principals of its members."""


class Reason(msgspec.Struct, frozen=True):
    """Why one member of the vault may read a document."""

    user_id: int
    name: str
    email: str
    why: tuple[str, ...]
    """In words, the most general first."""


class Readers(msgspec.Struct, frozen=True):
    """Who may read a document: members of the vault with the reasons, and shares that reach nobody here."""

    principals: tuple[str, ...]
    reasons: tuple[Reason, ...]
    unmatched: tuple[str, ...]
    """People, groups and domains it is shared with at the source in which no member of the vault is."""


class Access(Protocol):
    """Mirrored permissions of one tenant."""

    async def replace_groups(self, integration_id: int, groups: Sequence[Group]) -> None:
        """Make these groups of an integration stand as they are given, in force from this commit on."""

    async def forget_groups(self, integration_id: int, principals: Sequence[str]) -> None:
        """Forget groups that are gone at the source."""

    async def group_principals(self, integration_id: int) -> list[str]:
        """Return the groups that are known of an integration."""

    async def prove(self, user_id: int, email: str) -> None:
        """Remember that an address is a member's, as a provider said who gave consent."""

    async def readers(self, document_id: int) -> Readers:
        """Return who may read a document that the viewer may read. Raises: NotFound."""
