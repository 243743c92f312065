"""Integrations: a tenant's connected accounts, and the port through which their items arrive."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from domain.access import Group
from domain.people import EVERYONE, user_principal


class IntegrationKind(StrEnum):
    """The kinds that the product itself speaks of; the list of all is the registry in `infra.connectors`."""

    UPLOAD = "upload"
    FOLDER = "folder"
    GITHUB = "github"


class Integration(msgspec.Struct, frozen=True):
    """A connected account: what a sync reads."""

    id: int
    kind: str
    """Which connector reads it, by the name in the registry."""
    name: str
    settings: dict[str, str]
    cursor: str
    owner_id: int | None
    """The user whose account it is; None when it belongs to the tenant."""
    created_at: datetime
    last_synced_at: datetime | None
    n_documents: int = 0
    sync_every_minutes: int = 15
    """0: only when somebody asks."""
    is_paused: bool = False
    access_problem: str = ""
    """Why the source no longer lets us in, for people; "" when it does."""
    access_ends_at: datetime | None = None
    """When access ends unless it is given anew, as far as that is known."""


def readers_of(integration: Integration) -> tuple[str, ...]:
    """Return who may read items about which the source says nothing: the owner, or everyone where there is none."""
    return (EVERYONE,) if integration.owner_id is None else (user_principal(integration.owner_id),)


class Item(msgspec.Struct, frozen=True, tag="item"):
    """Something at the source that may become a document; its content is fetched when it is needed."""

    external_id: str
    """Stable and unique within the integration; at most 1,000 characters."""
    name: str
    revision: str
    """Changes when the content may have changed (an etag, a hash, size and time); "" when the source cannot tell."""
    size_bytes: int | None = None
    media_type: str = ""
    url: str = ""
    author: str = ""
    created_at: datetime | None = None
    modified_at: datetime | None = None
    principals: tuple[str, ...] = ()
    """Who may read it; nobody when empty."""
    blob_id: int | None = None
    labels: tuple[str, ...] = ()
    """Labels or folders the owner has put it under at the source, where it has such."""


class Gone(msgspec.Struct, frozen=True, tag="gone"):
    """An item that was deleted at the source."""

    external_id: str


class Unreadable(msgspec.Struct, frozen=True, tag="unreadable"):
    """An item the source lists but nobody can read; `reason` is for people."""

    external_id: str
    name: str
    reason: str


Entry = Item | Gone | Unreadable


class Page(msgspec.Struct, frozen=True):
    """A page of entries; after its last entry is stored, the sync may resume from `cursor`."""

    entries: tuple[Entry, ...]
    cursor: str
    total: int | None = None
    """How many entries the source announces in all, where it tells."""
    groups: tuple[Group, ...] = ()
    """Groups as they stand at the source now; they hold from the same commit on as the cursor."""
    gone_groups: tuple[str, ...] = ()
    """Principals of groups that are gone there."""


class Connector(Protocol):
    """Reads one integration at its source."""

    is_snapshot: bool
    """Whether a run from the start lists everything, so that what is not listed has vanished."""

    def pages(self, cursor: str) -> AsyncIterator[Page]:
        """Yield what has changed since `cursor` ("" means: everything), page by page.

        Raises: Unavailable when the source does not answer, Forbidden when it refuses us.
        """

    def again(self, external_ids: Sequence[str]) -> AsyncIterator[Page]:
        """Yield these items once more, whatever the cursor says; those that are gone come as Gone."""

    async def fetch(self, item: Item) -> bytes:
        """Return an item's content. Raises: Invalid when it cannot be read, Unavailable when the source is away."""


class Integrations(Protocol):
    """The integrations of one tenant."""

    async def all(self) -> list[Integration]:
        """Return those the viewer may see, by name, with their number of documents."""

    async def get(self, integration_id: int) -> Integration:
        """Return one. Raises: NotFound."""

    async def find(self, kind: str, name: str) -> Integration | None:
        """Return the integration of this kind and name, if there is one."""

    async def add(self, kind: str, name: str, settings: dict[str, str], owner_id: int | None) -> Integration:
        """Add one. Raises: Conflict when the kind and name are taken."""

    async def rename(self, integration_id: int, name: str) -> None:
        """Give it another name. Raises: NotFound, Conflict."""

    async def become(self, integration_id: int, kind: str) -> None:
        """Have it read as another kind of source, one that names things alike. Raises: NotFound, Conflict."""

    async def configure(self, integration_id: int, settings: dict[str, str]) -> None:
        """Give it other settings, which its next sync follows. Raises: NotFound."""

    async def advance(self, integration_id: int, cursor: str) -> None:
        """Remember how far the source has been read; called in the transaction of a page's last document."""
