"""Files of a repository: which are worth reading, and their bytes."""

import base64
from pathlib import PurePosixPath

import msgspec

from domain.errors import Invalid
from domain.integrations import Entry, Item, Unreadable
from domain.uploads import MAX_FILE_BYTES
from infra.connectors.http import Source
from infra.connectors.members import short_id
from infra.parsers.detection import media_type_of

MEBIBYTE = 1024 * 1024
LINK_MODE = "120000"
BINARY = frozenset({
    ".7z", ".a", ".bin", ".bmp", ".class", ".dll", ".dylib", ".eot", ".exe", ".gif", ".gz", ".ico", ".jar",
    ".jpeg", ".jpg", ".mo", ".mov", ".mp3", ".mp4", ".o", ".otf", ".png", ".pyc", ".so", ".svg", ".tar",
    ".tgz", ".tiff", ".ttf", ".wasm", ".webm", ".webp", ".whl", ".woff", ".woff2", ".xz", ".zip",
})  # fmt: skip
"""Endings of files that hold no words; a repository is full of them, and each would be a failure nobody can mend."""
MADE_BY_MACHINES = (".lock", ".min.js", ".min.css", ".map", "-lock.json", "-lock.yaml", ".sum")
FOREIGN_FOLDERS = frozenset({"node_modules", "vendor", "third_party", ".git", "__pycache__"})


class BlobEntry(msgspec.Struct, frozen=True):
    """One line of a tree: a file (`blob`), a folder (`tree`) or another repository (`commit`)."""

    path: str
    type: str
    sha: str
    mode: str = ""
    size: int | None = None


class Blob(msgspec.Struct, frozen=True):
    """The content of a file, as GitHub packs it."""

    content: str
    encoding: str


def file_entry(repository: str, blob: BlobEntry, url: str, principals: tuple[str, ...]) -> Entry | None:
    """Return a file as the integration lists it; None for what holds nothing a person wrote."""
    path = PurePosixPath(blob.path)
    if blob.mode == LINK_MODE or blob.size == 0 or _is_skipped(path):
        return None
    external_id = short_id(f"{repository}/blob/{blob.path}")
    if blob.size is not None and blob.size > MAX_FILE_BYTES:
        size, limit = blob.size // MEBIBYTE, MAX_FILE_BYTES // MEBIBYTE
        reason = f"It is {size} MB large; files over {limit} MB are not read. Split it and commit the parts."
        return Unreadable(external_id, path.name, reason)
    return Item(
        external_id=external_id,
        name=path.name,
        revision=blob.sha,
        size_bytes=blob.size,
        media_type=media_type_of(path.name),
        url=url,
        principals=principals,
    )


async def read_blob(source: Source, repository: str, sha: str) -> bytes:
    """Return a file's bytes, by its git hash. Raises: NotFound, Invalid, Unavailable, Forbidden."""
    answer = await source.get(f"/repos/{repository}/git/blobs/{sha}")
    blob = msgspec.json.decode(answer.content, type=Blob)
    if blob.encoding != "base64":
        raise Invalid(f"GitHub sent this file in an encoding we do not know ({blob.encoding}).")
    return base64.b64decode(blob.content)


def _is_skipped(path: PurePosixPath) -> bool:
    name = path.name.lower()
    is_foreign = not FOREIGN_FOLDERS.isdisjoint(path.parts)
    return is_foreign or path.suffix.lower() in BINARY or name.endswith(MADE_BY_MACHINES)
