"""Files, folders and collaborations of Box, as its API lists them."""

from datetime import datetime

import msgspec

from domain.integrations import Entry, Item, Unreadable
from domain.people import email_principal, group_principal
from domain.uploads import MAX_FILE_BYTES
from infra.connectors.site import too_large
from infra.parsers.detection import media_type_of

FIELDS = "id,type,name,etag,sha1,size,content_created_at,content_modified_at,modified_by,has_collaborations"
ACCEPTED = "accepted"
READING = frozenset({"editor", "viewer", "previewer uploader", "previewer", "viewer uploader", "co-owner", "owner"})
"""Roles that may read; who may only upload does not."""


class Person(msgspec.Struct, frozen=True):
    """A person or a group that something is shared with, or who changed it."""

    id: str
    type: str = "user"
    name: str = ""
    login: str = ""


class BoxItem(msgspec.Struct, frozen=True):
    """A file, a folder or a link."""

    id: str
    type: str
    name: str = ""
    etag: str | None = None
    sha1: str = ""
    size: int | None = None
    content_created_at: datetime | None = None
    content_modified_at: datetime | None = None
    modified_by: Person | None = None
    has_collaborations: bool | None = None
    """None where Box does not say; then it is asked."""


class Items(msgspec.Struct, frozen=True):
    """A page of what lies in a folder."""

    entries: tuple[BoxItem, ...] = ()
    next_marker: str | None = None


class Collaboration(msgspec.Struct, frozen=True):
    """That something is shared with somebody."""

    id: str
    role: str = ""
    status: str = ""
    accessible_by: Person | None = None


class Collaborations(msgspec.Struct, frozen=True):
    """A page of these."""

    entries: tuple[Collaboration, ...] = ()
    next_marker: str | None = None


class Membership(msgspec.Struct, frozen=True):
    """That somebody is in a group."""

    id: str
    user: Person | None = None


class Memberships(msgspec.Struct, frozen=True):
    """A page of these."""

    entries: tuple[Membership, ...] = ()
    total_count: int = 0


def shared_with(collaborations: tuple[Collaboration, ...], integration_id: int) -> tuple[str, ...]:
    """Return the principals of those who accepted and may read; an invitation lets nobody in yet."""
    found: list[str] = []
    for each in collaborations:
        grantee = each.accessible_by
        if each.status != ACCEPTED or each.role not in READING or grantee is None:
            continue
        if grantee.type == "group":
            found.append(group_principal(integration_id, grantee.id))
        elif grantee.login:
            found.append(email_principal(grantee.login))
    return tuple(dict.fromkeys(found))


def file_entry(file: BoxItem, principals: tuple[str, ...]) -> Entry:
    """Return a file as the integration lists it."""
    if file.size is not None and file.size > MAX_FILE_BYTES:
        return Unreadable(file.id, file.name, too_large(file.size))
    return Item(
        external_id=file.id,
        name=file.name,
        revision=f"{file.sha1 or file.etag or ''} {file.name}".strip() if file.sha1 or file.etag else "",
        size_bytes=file.size,
        media_type=media_type_of(file.name),
        url=f"https://app.box.com/file/{file.id}",
        author=file.modified_by.name if file.modified_by else "",
        created_at=file.content_created_at,
        modified_at=file.content_modified_at,
        principals=principals,
    )
