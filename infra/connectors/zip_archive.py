"""A zip archive as a container; nothing in it is ever written to disk, so paths cannot lead anywhere."""

import stat
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import PurePosixPath

from domain.errors import Invalid, NotFound
from domain.uploads import MAX_FILE_BYTES
from infra.connectors.members import Member, short_id
from infra.parsers.detection import media_type_of
from infra.parsers.zips import BROKEN, is_bomb

MAX_MEMBERS = 10_000
MAX_TOTAL_BYTES = 4 * 1024 * 1024 * 1024
"""Of all members together; they are unpacked one at a time, so this bounds time, not memory."""
UTF8_NAME = 0x800
ENCRYPTED = 0x1
MEBIBYTE = 1024 * 1024

LEADS_OUT = "Its path leads out of the archive. Pack the archive anew with plain paths."
PROTECTED = "It is password protected. Pack it without a password and bring it in again."
BOMB = "It unpacks to suspiciously much, so it was left packed. Bring it in by itself."
DAMAGED = "It is damaged in the archive. Pack the archive anew and bring it in again."
LINK = "It is a link, not a file. Pack the file itself and bring it in again."


class ZipArchive:
    """An open archive."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._infos = _by_id(archive)

    @property
    def names(self) -> list[str]:
        """The paths of its files."""
        return [_name(info) for info in self._infos.values()]

    def members(self) -> Iterator[Member]:
        """Yield the files, by path; folders and hidden files are left out. The check sum tells what has changed."""
        for member_id, info in self._infos.items():
            name = _name(info)
            reason = _fault(info, name)
            yield Member(
                id=member_id,
                name=PurePosixPath(name).name or name,
                revision="" if reason else f"{info.CRC:08x}-{info.file_size}",
                size_bytes=info.file_size,
                media_type=media_type_of(name),
                modified_at=_moment(info),
                reason=reason,
            )

    def read(self, member_id: str) -> bytes:
        """Unpack a member, at most to the size that it announces. Raises: NotFound, Invalid."""
        info = self._infos.get(member_id)
        if info is None:
            raise NotFound("This file is no longer in its archive.")
        reason = _fault(info, _name(info))
        if reason:
            raise Invalid(reason)
        try:
            with self._archive.open(info) as member:
                return member.read(info.file_size + 1)
        except BROKEN as error:
            raise Invalid(DAMAGED) from error

    def read_name(self, name: str) -> bytes:
        """Unpack the file at a path. Raises: NotFound, Invalid."""
        return self.read(short_id(f"!{name}"))


def _by_id(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Raises: Invalid for archives with no files, with too many, or with too much in them."""
    infos = [info for info in archive.infolist() if not info.is_dir() and not _is_hidden(_name(info))]
    if not infos:
        raise Invalid("This archive holds no files. Pack what should be in it, and bring it in again.")
    if len(infos) > MAX_MEMBERS:
        raise Invalid(f"This archive holds {len(infos):,} files, more than {MAX_MEMBERS:,}. Split it and try again.")
    if sum(info.file_size for info in infos) > MAX_TOTAL_BYTES:
        limit = MAX_TOTAL_BYTES // (1024 * MEBIBYTE)
        raise Invalid(f"This archive unpacks to more than {limit} GB. Split it and try again.")
    found: dict[str, zipfile.ZipInfo] = {}
    for info in sorted(infos, key=_name):
        member_id, n_same = short_id(f"!{_name(info)}"), 1
        while member_id in found:
            n_same += 1
            member_id = short_id(f"!{_name(info)}~{n_same}")
        found[member_id] = info
    return found


def _name(info: zipfile.ZipInfo) -> str:
    """The path; programs that write UTF-8 without saying so are understood."""
    if info.flag_bits & UTF8_NAME:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def _is_hidden(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return any((part.startswith(".") and part != "..") or part in ("__MACOSX", "__pycache__") for part in parts)


def _fault(info: zipfile.ZipInfo, name: str) -> str:
    """Why a member stays packed, or ""."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or name[1:2] == ":":
        return LEADS_OUT
    if info.flag_bits & ENCRYPTED:
        return PROTECTED
    if stat.S_ISLNK(info.external_attr >> 16):
        return LINK
    if info.file_size > MAX_FILE_BYTES:
        size, limit = info.file_size // MEBIBYTE, MAX_FILE_BYTES // MEBIBYTE
        return f"It is {size} MB large; files over {limit} MB are not read. Split it and bring in the parts."
    return BOMB if is_bomb(info) else ""


def _moment(info: zipfile.ZipInfo) -> datetime | None:
    """Zips know local time only; it is taken as UTC."""
    try:
        return datetime(*info.date_time, tzinfo=UTC)
    except ValueError:
        return None
