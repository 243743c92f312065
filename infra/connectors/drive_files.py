"""Files of Google Drive: which are worth reading, in what form they are exported, and who may read them."""

from datetime import datetime

import msgspec

from domain.integrations import Entry, Item, Unreadable
from domain.people import EVERYONE, domain_principal, email_principal
from domain.uploads import MAX_FILE_BYTES
from infra.parsers.detection import media_type_of

MEBIBYTE = 1024 * 1024
GOOGLE = "application/vnd.google-apps."
FOLDER_TYPE = f"{GOOGLE}folder"
OFFICE = "application/vnd.openxmlformats-officedocument."
EXPORTS = {
    f"{GOOGLE}document": (f"{OFFICE}wordprocessingml.document", ".docx"),
    f"{GOOGLE}spreadsheet": (f"{OFFICE}spreadsheetml.sheet", ".xlsx"),
    f"{GOOGLE}presentation": (f"{OFFICE}presentationml.presentation", ".pptx"),
}
"""What Google's own kinds of files are exported as, which keeps headings, tables and notes."""
WORDLESS = ("image/", "video/", "audio/", "font/")
FIELDS = (
    "id,name,mimeType,md5Checksum,size,createdTime,modifiedTime,webViewLink,parents,driveId,trashed,"
    "owners(displayName,emailAddress),permissions(type,role,emailAddress,domain,allowFileDiscovery,deleted),"
    "hasAugmentedPermissions"
)


class Owner(msgspec.Struct, frozen=True, rename="camel"):
    """Whose file it is."""

    display_name: str = ""
    email_address: str = ""


class Permission(msgspec.Struct, frozen=True, rename="camel"):
    """Whom something is shared with."""

    type: str = ""
    email_address: str = ""
    domain: str = ""
    allow_file_discovery: bool = False
    deleted: bool = False


class DriveFile(msgspec.Struct, frozen=True, rename="camel"):
    """A file or folder."""

    id: str
    name: str = ""
    mime_type: str = ""
    md5_checksum: str = ""
    size: str | None = None
    created_time: datetime | None = None
    modified_time: datetime | None = None
    web_view_link: str = ""
    parents: tuple[str, ...] = ()
    drive_id: str = ""
    trashed: bool = False
    owners: tuple[Owner, ...] = ()
    permissions: tuple[Permission, ...] | None = None
    """None where this account may not see them."""
    has_augmented_permissions: bool = False
    """Whether an item of a shared drive is shared with more than the drive's members."""

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.mime_type == FOLDER_TYPE

    @property
    def size_bytes(self) -> int | None:
        """How large it is; None for Google's own kinds."""
        return int(self.size) if self.size and self.size.isdecimal() else None


def is_read(file: DriveFile) -> bool:
    """Whether a file may hold words; folders, shortcuts, forms, maps, pictures and films do not."""
    if file.mime_type.startswith(GOOGLE):
        return file.mime_type in EXPORTS
    return not file.mime_type.startswith(WORDLESS)


def file_entry(file: DriveFile, principals: tuple[str, ...]) -> Entry:
    """Return a file as the integration lists it."""
    exported, ending = EXPORTS.get(file.mime_type, ("", ""))
    if file.size_bytes is not None and file.size_bytes > MAX_FILE_BYTES:
        limit = MAX_FILE_BYTES // MEBIBYTE
        reason = f"It is {file.size_bytes // MEBIBYTE} MB large; files over {limit} MB are not read. Split it."
        return Unreadable(file.id, file.name, reason)
    return Item(
        external_id=file.id,
        name=file.name + ending,
        revision=f"{file.md5_checksum or file.modified_time} {file.name}",
        size_bytes=file.size_bytes,
        media_type=exported or media_type_of(file.name) or file.mime_type,
        url=file.web_view_link,
        author=file.owners[0].display_name if file.owners else "",
        created_at=file.created_time,
        modified_at=file.modified_time,
        principals=principals,
    )


def shared_with(permissions: tuple[Permission, ...]) -> tuple[str, ...]:
    """Return the principals of permissions.

    A group stands under its address; whoever has only a link is not among those who find it. Google does not tell
    who is in a group to whom does not manage it, so a group without a known member lets nobody in.
    """
    found = [_principal(each) for each in permissions if not each.deleted]
    return tuple(dict.fromkeys(each for each in found if each))


def _principal(permission: Permission) -> str:
    match permission.type:
        case "user" | "group" if permission.email_address:
            return email_principal(permission.email_address)
        case "domain" if permission.domain and permission.allow_file_discovery:
            return domain_principal(permission.domain)
        case "anyone" if permission.allow_file_discovery:
            return EVERYONE
        case _:
            return ""
