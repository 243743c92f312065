"""Files, folders and permissions of OneDrive and SharePoint, as Microsoft Graph tells of them."""

from datetime import datetime

import msgspec

from domain.integrations import Entry, Item, Unreadable
from domain.people import email_principal
from domain.uploads import MAX_FILE_BYTES
from infra.connectors.site import too_large
from infra.connectors.worth import holds_words
from infra.parsers.detection import media_type_of

Facet = dict[str, object]
"""A part of an item whose presence says something."""


class Person(msgspec.Struct, frozen=True, rename="camel"):
    """A person, a group or an app."""

    id: str | None = None
    display_name: str | None = None
    email: str | None = None
    login_name: str | None = None


class Identity(msgspec.Struct, frozen=True, rename="camel"):
    """Whom a permission is for."""

    user: Person | None = None
    site_user: Person | None = None
    group: Person | None = None


class Permission(msgspec.Struct, frozen=True, rename="camel"):
    """Whom something is shared with."""

    granted_to_v2: Identity | None = msgspec.field(default=None, name="grantedToV2")
    granted_to_identities_v2: tuple[Identity, ...] = msgspec.field(default=(), name="grantedToIdentitiesV2")
    granted_to: Identity | None = None
    granted_to_identities: tuple[Identity, ...] = ()
    roles: tuple[str, ...] = ()


class Permissions(msgspec.Struct, frozen=True):
    """A page of permissions."""

    value: tuple[Permission, ...] = ()
    next_link: str = msgspec.field(default="", name="@odata.nextLink")


class Parent(msgspec.Struct, frozen=True):
    """What an item lies in."""

    id: str | None = None


class DriveItem(msgspec.Struct, frozen=True, rename="camel"):
    """A file, a folder, or something else that lies in a drive."""

    id: str
    name: str = ""
    size: int | None = None
    c_tag: str | None = None
    e_tag: str | None = None
    created_date_time: datetime | None = None
    last_modified_date_time: datetime | None = None
    last_modified_by: Identity | None = None
    web_url: str = ""
    parent_reference: Parent | None = None
    file: Facet | None = None
    folder: Facet | None = None
    root: Facet | None = None
    package: Facet | None = None
    deleted: Facet | None = None
    shared: Facet | None = None

    @property
    def is_folder(self) -> bool:
        """Whether other items lie in it."""
        return self.folder is not None or self.root is not None

    @property
    def is_read(self) -> bool:
        """Whether it is a file that may hold words; notebooks and links to others' items are not."""
        return self.file is not None and self.package is None and self.size != 0 and holds_words(self.name)

    @property
    def parent(self) -> str:
        """The id of the folder it lies in; "" for the top."""
        return (self.parent_reference and self.parent_reference.id) or ""


class Delta(msgspec.Struct, frozen=True):
    """A page of what changed, and how it goes on: another page now, or a place to begin from next time."""

    value: tuple[DriveItem, ...] = ()
    next_link: str = msgspec.field(default="", name="@odata.nextLink")
    delta_link: str = msgspec.field(default="", name="@odata.deltaLink")


def shared_with(permissions: tuple[Permission, ...]) -> tuple[str, ...]:
    """Return the principals of people something is shared with by name.

    Graph does not tell who is in a group without a scope that we do not ask for, so groups let nobody in; whoever has
    only a link is not among those who find it.
    """
    found: list[str] = []
    for each in permissions:
        named = (each.granted_to_v2, each.granted_to, *each.granted_to_identities_v2, *each.granted_to_identities)
        found += [address for identity in named if each.roles and identity and (address := _address(identity))]
    return tuple(dict.fromkeys(map(email_principal, found)))


def file_entry(file: DriveItem, external_id: str, principals: tuple[str, ...]) -> Entry:
    """Return a file as the integration lists it."""
    if file.size is not None and file.size > MAX_FILE_BYTES:
        return Unreadable(external_id, file.name, too_large(file.size))
    tag = file.c_tag or file.e_tag or ""
    author = file.last_modified_by.user if file.last_modified_by else None
    return Item(
        external_id=external_id,
        name=file.name,
        revision=f"{tag} {file.name}" if tag else "",
        size_bytes=file.size,
        media_type=media_type_of(file.name),
        url=file.web_url,
        author=(author and author.display_name) or "",
        created_at=file.created_date_time,
        modified_at=file.last_modified_date_time,
        principals=principals,
    )


def _address(identity: Identity) -> str:
    """A person's address; SharePoint's own names end in it, behind a bar."""
    for person in (identity.user, identity.site_user):
        if person is None:
            continue
        address = person.email or (person.login_name or "").rpartition("|")[2]
        if "@" in address and "#ext#" not in address.lower():
            return address
    return ""
