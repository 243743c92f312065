"""A guard at the door of everything that is a zip inside: archives and Office files."""

import io
import zipfile
import zlib

from domain.errors import Invalid

MAX_RATIO = 200
"""Text packs to a tenth; deflate's own limit is 1032. Members under MIN_SUSPECT_BYTES may be as dense as they like."""
MIN_SUSPECT_BYTES = 10 * 1024 * 1024

BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError, ValueError, KeyError)
"""What zipfile and the packers under it raise over damaged or unknown archives."""


def open_guarded(content: bytes, max_unpacked_bytes: int) -> zipfile.ZipFile:
    """Return the open archive after its announced sizes were found acceptable.

    Raises: Invalid when it is damaged, protected by a password, or would unpack to too much.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except BROKEN as error:
        raise Invalid("This file is damaged or was cut off on its way. Bring it in again.") from error
    infos = archive.infolist()
    if any(info.flag_bits & 1 for info in infos):
        raise Invalid("This file is password protected. Save it without a password and bring it in again.")
    if sum(info.file_size for info in infos) > max_unpacked_bytes or any(is_bomb(info) for info in infos):
        raise _too_large(max_unpacked_bytes)
    return archive


def check_unpacked(content: bytes, max_unpacked_bytes: int) -> None:
    """Unpack everything once, a piece at a time, and count: announced sizes can lie. Raises: Invalid."""
    n_left = max_unpacked_bytes
    with open_guarded(content, max_unpacked_bytes) as archive:
        for info in archive.infolist():
            n_left = _drain(archive, info, n_left)
            if n_left < 0:
                raise _too_large(max_unpacked_bytes)


def is_bomb(info: zipfile.ZipInfo) -> bool:
    """Whether a member unpacks to suspiciously much."""
    return info.file_size > MIN_SUSPECT_BYTES and info.file_size > MAX_RATIO * max(info.compress_size, 1)


def _drain(archive: zipfile.ZipFile, info: zipfile.ZipInfo, n_left: int) -> int:
    try:
        with archive.open(info) as member:
            while n_left >= 0 and (piece := member.read(1 << 20)):
                n_left -= len(piece)
    except BROKEN as error:
        raise Invalid("This file is damaged or was cut off on its way. Bring it in again.") from error
    return n_left


def _too_large(max_unpacked_bytes: int) -> Invalid:
    size = max_unpacked_bytes // (1024 * 1024)
    return Invalid(f"This file unpacks to more than {size} MB, so it was left closed. Bring in its parts one by one.")
