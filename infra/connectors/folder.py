"""A folder on this machine, or one file: read as a snapshot, with archives, mailboxes and Slack exports opened."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from domain.errors import Invalid, NotFound
from domain.integrations import Connector, Entry, Gone, IntegrationKind, Item, Page, Unreadable
from domain.kinds import Kind
from domain.uploads import MAX_FILE_BYTES
from infra.connectors.archives import HEAD_BYTES, Archive, entries, entry_of, holds_attachments, is_container
from infra.connectors.attachments import MailAttachments
from infra.connectors.folder_access import folder_access
from infra.connectors.kinds import Access, ConnectorKind
from infra.connectors.members import Container
from infra.connectors.slack_export import SlackExport, is_slack_export
from infra.parsers.detection import media_type_of

PAGE_SIZE = 100
NOT_DOCUMENTS = frozenset({"access.json", "planted.json"})
"""Files at the root that speak about the folder itself."""
MEBIBYTE = 1024 * 1024


class FolderConnector:
    """Reads what lies under a root; nothing outside it, and nothing hidden.

    External ids are paths under the root with forward slashes; what is packed in a file follows behind "!", what is
    attached to a mail behind "#". `principals` is asked who may read each external id.
    """

    is_snapshot = True

    def __init__(self, root: Path, principals: Callable[[str], tuple[str, ...]]) -> None:
        self._root = root.resolve()
        self._principals = principals
        self._opened: tuple[Path, Container] | None = None

    async def pages(self, cursor: str) -> AsyncIterator[Page]:  # noqa: ARG002 - a snapshot begins anew each time
        """Yield everything, ordered by path; it is counted first, so that the total is known from the first page."""
        total = await asyncio.to_thread(self._count)
        listed = self._entries()
        while batch := await asyncio.to_thread(_batch, listed):
            yield Page(batch, cursor="", total=total)

    async def again(self, external_ids: Sequence[str]) -> AsyncIterator[Page]:
        """Yield these items once more; those that are no longer there come as Gone."""
        wanted = set(external_ids)
        found = await asyncio.to_thread(lambda: [each for each in self._entries() if each.external_id in wanted])
        gone = sorted(wanted - {each.external_id for each in found})
        yield Page((*found, *(Gone(external_id) for external_id in gone)), cursor="", total=len(wanted))

    async def fetch(self, item: Item) -> bytes:
        """Return an item's content. Raises: NotFound when it has gone since, Invalid when it cannot be read."""
        return await asyncio.to_thread(self._read, item.external_id)

    def _count(self) -> int:
        return sum(1 for _ in self._entries())

    def _entries(self) -> Iterator[Entry]:
        if self._root.is_file():
            yield from self._file_entries(self._root, self._root.name)
        else:
            yield from self._folder_entries(self._root, "")

    def _folder_entries(self, folder: Path, prefix: str) -> Iterator[Entry]:
        try:
            names = sorted(path.name for path in folder.iterdir())
        except OSError as error:
            yield Unreadable(prefix.rstrip("/"), folder.name, _refusal(error))
            return
        if is_slack_export(names):
            export = _slack_folder(folder)
            yield from (entry_of(member, prefix.rstrip("/"), self._principals) for member in export.members())
            return
        for name in names:
            if not _is_skipped(name, is_at_root=not prefix):
                yield from self._path_entries(folder / name, prefix + name)

    def _path_entries(self, path: Path, external_id: str) -> Iterator[Entry]:
        if path.is_symlink() and not path.resolve().is_relative_to(self._root):
            reason = "It is a link that leads out of the folder. Put the file itself into the folder."
            yield Unreadable(external_id, path.name, reason)
        elif path.is_dir():
            if not path.is_symlink():  # where the link leads is listed in its own place
                yield from self._folder_entries(path, f"{external_id}/")
        else:
            yield from self._file_entries(path, external_id)

    def _file_entries(self, path: Path, external_id: str) -> Iterator[Entry]:
        try:
            about = path.stat()
            if about.st_size > MAX_FILE_BYTES:
                yield Unreadable(external_id, path.name, _too_large(about.st_size))
                return
            with path.open("rb") as file:
                head = file.read(HEAD_BYTES)
            content = path.read_bytes() if is_container(path.name, head) or holds_attachments(path.name) else b""
        except OSError as error:
            yield Unreadable(external_id, path.name, _refusal(error))
            return
        if is_container(path.name, head):
            yield from entries(path.name, content, external_id, self._principals)
            return
        yield self._item(path, about, external_id)
        for member in MailAttachments(content).members():
            yield entry_of(member, external_id, self._principals)

    def _item(self, path: Path, about: os.stat_result, external_id: str) -> Item:
        modified_at = datetime.fromtimestamp(about.st_mtime, UTC)
        return Item(
            external_id=external_id,
            name=path.name,
            revision=f"{about.st_size}-{about.st_mtime_ns}",
            size_bytes=about.st_size,
            media_type=media_type_of(path.name),
            modified_at=modified_at,
            principals=self._principals(external_id),
        )

    def _read(self, external_id: str) -> bytes:
        path, member_id = self._located(external_id)
        try:
            return self._container(path).read(member_id) if member_id else path.read_bytes()
        except OSError as error:
            raise Invalid(_refusal(error)) from error

    def _located(self, external_id: str) -> tuple[Path, str]:
        """Where an item lies: its file and, within that, its member; the longest path that exists is the file."""
        base = self._root.parent if self._root.is_file() else self._root
        cuts = [len(external_id), *(index for index, letter in enumerate(external_id) if letter in "!#")]
        for cut in sorted(cuts, reverse=True):
            path = base / external_id[:cut]
            is_inside = path.resolve().is_relative_to(self._root)
            if is_inside and (path.is_file() or (cut < len(external_id) and path.is_dir())):
                return path, external_id[cut:]
        raise NotFound("This file is no longer in the folder.")

    def _container(self, path: Path) -> Container:
        """The container at a path; the last one stays open, since its members are read one after the other."""
        if self._opened is None or self._opened[0] != path:
            container = _slack_folder(path) if path.is_dir() else Archive(path.name, path.read_bytes())
            self._opened = (path, container)
        return self._opened[1]


def _batch(listed: Iterator[Entry]) -> tuple[Entry, ...]:
    return tuple(islice(listed, PAGE_SIZE))


def _is_skipped(name: str, *, is_at_root: bool) -> bool:
    return name.startswith(".") or name == "__pycache__" or (is_at_root and name in NOT_DOCUMENTS)


def _slack_folder(folder: Path) -> SlackExport:
    days = (path for path in folder.glob("*/*.json") if path.resolve().is_relative_to(folder.resolve()))
    names = [path.relative_to(folder).as_posix() for path in (*folder.glob("*.json"), *days)]
    return SlackExport(names, lambda name: (folder / name).read_bytes())


def _too_large(size_bytes: int) -> str:
    size, limit = size_bytes // MEBIBYTE, MAX_FILE_BYTES // MEBIBYTE
    return f"It is {size} MB large; files over {limit} MB are not read. Split it and bring in the parts."


def _refusal(error: OSError) -> str:
    return f"It cannot be opened: {error.strerror or error}. Let the server read it, then sync again."


def _connect(access: Access) -> Connector:
    settings = access.integration.settings
    root = Path(settings.get("path", ""))
    if not settings.get("path") or not root.exists():
        raise Invalid(f"The folder {root} is not on this machine. Check its path, then sync again.")
    return FolderConnector(root, folder_access(root, settings.get("admin", "")))


KIND = ConnectorKind(
    Kind(IntegrationKind.FOLDER, "Folder on the server", "folder", n_readers=8, has_paths=True), _connect
)
