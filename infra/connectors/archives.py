"""Files that hold files: zip archives, mailboxes, Slack exports, and what is attached to mails.

    for entry in entries(name, content, external_id, principals):   # list what is in it
        ...
    content = Archive(name, content).read(member_id)                # external_id == prefix + member_id

A container inside a container is opened; one inside that is listed as unreadable. Everything happens in memory, one
member at a time.
"""

import io
import zipfile
from collections.abc import Callable, Iterator
from functools import partial

import msgspec

from domain.errors import Invalid, NotFound
from domain.integrations import Entry, Item, Unreadable
from infra.connectors.attachments import MailAttachments
from infra.connectors.mailbox import Mailbox, is_mailbox
from infra.connectors.members import Container, Member
from infra.connectors.slack_export import SlackExport, is_slack_export
from infra.connectors.zip_archive import ZipArchive
from infra.parsers.zips import BROKEN

ZIP_MARK = b"PK\x03\x04"
EMPTY_ZIP_MARK = b"PK\x05\x06"
HEAD_BYTES = 4096
"""So much of a file's beginning tells whether it is a container."""
TOO_DEEP = "It is an archive inside an archive inside an archive. Unpack it and bring in what it holds."


def is_container(name: str, head: bytes) -> bool:
    """Whether a file is there for what it holds: a zip, if it is no Office file, or a mailbox; `head` is its start."""
    if head.startswith((ZIP_MARK, EMPTY_ZIP_MARK)):
        return name.lower().endswith(".zip") or not _is_office(head)
    return is_mailbox(head) and not holds_attachments(name)


def holds_attachments(name: str) -> bool:
    """Whether a file is a mail: a document itself, and a container of what is attached."""
    return name.lower().endswith(".eml")


class Archive:
    """A container with the containers in it, as one list of members."""

    def __init__(self, name: str, content: bytes) -> None:
        """Open it. Raises: Invalid when it is damaged, or holds more than is allowed."""
        self._container = _opened(name, content)
        self._inner: tuple[str, Container] | None = None

    def members(self) -> Iterator[Member]:
        """Yield all members in order; a container in it is replaced by its members, or by the reason why not."""
        for member in self._container.members():
            if member.reason:
                yield member
            elif _is_packed(member.name):
                yield from self._members_inside(member)
            else:
                yield member
                if holds_attachments(member.name) and not isinstance(self._container, Mailbox):
                    yield from self._members_inside(member)

    def read(self, member_id: str) -> bytes:
        """Return a member's bytes. Raises: NotFound, Invalid."""
        try:
            return self._container.read(member_id)
        except NotFound:
            for cut in (index for index, letter in enumerate(member_id) if index and letter in "!#"):
                inner = self._inside(member_id[:cut])
                if inner is not None:
                    return inner.read(member_id[cut:])
            raise

    def _members_inside(self, member: Member) -> Iterator[Member]:
        try:
            inner = self._inside(member.id)
        except Invalid as error:
            yield msgspec.structs.replace(member, reason=error.message)
            return
        for each in inner.members() if inner else ():
            reason = each.reason or (TOO_DEEP if _is_packed(each.name) else "")
            yield msgspec.structs.replace(each, id=member.id + each.id, reason=reason)

    def _inside(self, member_id: str) -> Container | None:
        """The container at this id, opened; the last one stays open, since members are read in order."""
        if self._inner is not None and self._inner[0] == member_id:
            return self._inner[1]
        try:
            content = self._container.read(member_id)
        except NotFound:
            return None
        inner = _opened(member_id, content)
        self._inner = (member_id, inner)
        return inner


def entries(
    name: str,
    content: bytes,
    prefix: str,
    principals: Callable[[str], tuple[str, ...]],
    blob_id: int | None = None,
) -> Iterator[Entry]:
    """Yield what a container holds; external ids are `prefix` and the member's id.

    A container that cannot be opened is itself the one unreadable entry.
    """
    try:
        archive = Archive(name, content)
    except Invalid as error:
        yield Unreadable(prefix, name, error.message)
        return
    for member in archive.members():
        yield entry_of(member, prefix, principals, blob_id)


def entry_of(
    member: Member, prefix: str, principals: Callable[[str], tuple[str, ...]], blob_id: int | None = None
) -> Entry:
    """Return a member as an integration lists it."""
    external_id = prefix + member.id
    if member.reason:
        return Unreadable(external_id, member.name, member.reason)
    return Item(
        external_id=external_id,
        name=member.name,
        revision=member.revision,
        size_bytes=member.size_bytes,
        media_type=member.media_type,
        author=member.author,
        created_at=member.modified_at,
        modified_at=member.modified_at,
        principals=principals(external_id),
        blob_id=blob_id,
    )


def _is_packed(name: str) -> bool:
    return name.lower().endswith((".zip", ".mbox"))


def _is_office(head: bytes) -> bool:
    """Office files begin with one of these members."""
    return any(mark in head for mark in (b"[Content_Types].xml", b"_rels/", b"docProps/", b"mimetype"))


def _opened(name: str, content: bytes) -> Container:
    if content.startswith((ZIP_MARK, EMPTY_ZIP_MARK)):
        return _opened_zip(content)
    if holds_attachments(name):
        return MailAttachments(content)
    if is_mailbox(content):
        return Mailbox(content)
    raise Invalid("This archive is empty, damaged, or of a kind we cannot open. Pack it as a zip and try again.")


def _opened_zip(content: bytes) -> Container:
    try:
        archive = ZipArchive(zipfile.ZipFile(io.BytesIO(content)))
    except BROKEN as error:
        raise Invalid("This archive is damaged or was cut off on its way. Bring it in again.") from error
    for folder in _folders(archive.names):
        names = [name.removeprefix(folder) for name in archive.names if name.startswith(folder)]
        if is_slack_export(names):
            return SlackExport(names, partial(_read_in, archive, folder))
    return archive


def _read_in(archive: ZipArchive, folder: str, name: str) -> bytes:
    return archive.read_name(folder + name)


def _folders(names: list[str]) -> tuple[str, ...]:
    """Where an export may begin: at the top, or in the one folder that holds everything."""
    tops = {name.partition("/")[0] for name in names}
    return ("", f"{tops.pop()}/") if len(tops) == 1 else ("",)
