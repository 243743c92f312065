"""OneDrive and SharePoint libraries by Microsoft Graph's delta: each file with words in it is a document.

External ids are Graph's own, in SharePoint behind the library's and a slash. Delta tells what changed, but not what
lies in a folder that was moved, shared or deleted; so the cursor remembers the folders, and after such a change all is
listed again, as it is once a week. Those a folder is shared with are a group, which all that lies in it is open to, and
so are those a file is shared with by itself. Delta keeps still about sharing that changed, so each sync asks anew about
the shared folders, and about fifty shared files, round and round.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from domain.access import Group
from domain.errors import Invalid, NotFound
from domain.integrations import Connector, Entry, Gone, Integration, Page, readers_of
from domain.integrations import Item as Listed
from domain.kinds import Kind, Proof
from domain.people import Viewer, group_principal
from domain.vault import OpenVault
from infra.connectors.http import Source
from infra.connectors.kinds import Access, ConnectorKind
from infra.connectors.onedrive_consent import ONEDRIVE, ONEDRIVE_TERMS, SHAREPOINT, SHAREPOINT_TERMS
from infra.connectors.onedrive_items import Delta, DriveItem, Permissions, file_entry, shared_with
from infra.connectors.paging import Paging

OWN = ""
"""The drive of whoever gave consent."""
SWEPT_EVERY = timedelta(days=7)
FILES_A_SYNC = 50
"""Shared files of which each sync asks whom they are shared with, besides those that changed."""


class Mark(msgspec.Struct, frozen=True):
    """How far a drive has been read, and how its folders stood then."""

    delta: str
    folders: dict[str, str]
    """Of each folder what it lies in."""
    shared: frozenset[str] = frozenset()
    """Folders that are shared."""
    shared_files: frozenset[str] = frozenset()
    """Files that are shared by themselves."""


class Cursor(msgspec.Struct, frozen=True):
    """How far all drives have been read."""

    drives: dict[str, Mark]
    swept_at: datetime
    chosen: str
    asked_up_to: str = ""
    """The shared file that was asked about last, in the order of their ids."""


class Tree:
    """The folders of one drive, as they come to be known."""

    def __init__(self, mark: Mark | None = None) -> None:
        self.folders = dict(mark.folders) if mark else {}
        self.shared = set(mark.shared) if mark else set[str]()
        self.shared_files = set(mark.shared_files) if mark else set[str]()
        self.met = set[str]()
        """Shared files that this run has met."""

    def mark(self, delta: str) -> Mark:
        """Return how the drive stands now."""
        return Mark(delta, self.folders, frozenset(self.shared), frozenset(self.shared_files))

    def take_file(self, item: DriveItem, *, is_read: bool) -> None:
        """Learn of a file, and whether it is shared by itself."""
        is_shared = is_read and item.deleted is None and item.shared is not None
        for known in (self.shared_files, self.met):
            (known.add if is_shared else known.discard)(item.id)

    def take(self, item: DriveItem) -> bool:
        """Learn of a folder; return whether what lies in it has to be looked at anew."""
        was_shared, lay_in = item.id in self.shared, self.folders.get(item.id)
        if item.deleted is not None:
            self.shared.discard(item.id)
            return self.folders.pop(item.id, None) is not None
        self.folders[item.id] = item.parent
        (self.shared.add if item.shared is not None else self.shared.discard)(item.id)
        return lay_in is not None and (lay_in != item.parent or was_shared != (item.id in self.shared))

    def above(self, item: DriveItem) -> Iterator[str]:
        """Yield the folders an item lies in, the nearest first."""
        folder, met = item.parent, set[str]()
        while folder and folder not in met:
            yield folder
            met.add(folder)
            folder = self.folders.get(folder, "")


class OneDriveConnector:
    """Reads one account's own drive, or the libraries that were chosen."""

    is_snapshot = False

    def __init__(
        self,
        integration: Integration,
        source: Source,
        viewer: Viewer,
        open_vault: OpenVault,
        now: datetime,
        *,
        are_drives_chosen: bool = False,
    ) -> None:
        self._integration = integration
        self._source = source
        self._viewer = viewer
        self._open_vault = open_vault
        self._now = now
        chosen = tuple(integration.settings.get("chosen", "").split())
        self._chosen = " ".join(sorted(chosen))
        self._drives = chosen if are_drives_chosen else (OWN,)
        self._within = frozenset() if are_drives_chosen else frozenset(chosen)

    async def pages(self, cursor: str) -> AsyncIterator[Page]:
        """Yield what has changed. Raises: Forbidden when our access has ended, Unavailable."""
        held = msgspec.json.decode(cursor, type=Cursor) if cursor else None
        if held and held.chosen == self._chosen and self._now - held.swept_at < SWEPT_EVERY:
            trees: dict[str, Tree] = {}
            marks: dict[str, Mark] = {}
            try:
                async for page in self._since(held, cursor, marks, trees):
                    yield page
            except NotFound:
                marks = {}
            if len(marks) == len(held.drives):
                yield await self._end(msgspec.structs.replace(held, drives=marks), trees)
                return
        async for page in self._everything(cursor):
            yield page

    async def again(self, external_ids: Sequence[str]) -> AsyncIterator[Page]:
        """Yield these files once more."""
        held = msgspec.json.decode(self._integration.cursor, type=Cursor) if self._integration.cursor else None
        for external_id in external_ids:
            drive = external_id.rpartition("/")[0]
            tree = Tree(held.drives.get(drive) if held else None)
            yield Page((await self._entry_again(external_id, tree),), "")

    async def fetch(self, item: Listed) -> bytes:
        """Return a file's bytes. Raises: NotFound, Invalid, Unavailable, Forbidden."""
        return (await self._source.download(f"{_path(item.external_id)}/content")).content

    async def _since(
        self, held: Cursor, cursor: str, marks: dict[str, Mark], trees: dict[str, Tree]
    ) -> AsyncIterator[Page]:
        """Yield changes; a drive whose files must be looked at anew is missing in `marks` afterwards."""
        for drive, mark in held.drives.items():
            tree, delta, is_moved = Tree(mark), mark.delta, False
            trees[drive] = tree
            async for page in self._deltas(mark.delta):
                delta = page.delta_link or delta
                latest = {each.id: each for each in page.value}
                for item in latest.values():
                    if item.is_folder or item.id in tree.folders:
                        is_moved |= tree.take(item)
                files = [each for each in latest.values() if not each.is_folder]
                yield Page(tuple([self._changed(drive, each, tree) for each in files]), cursor)
            if not is_moved:
                marks[drive] = tree.mark(delta)

    async def _everything(self, cursor: str) -> AsyncIterator[Page]:
        """List each drive: the folders first, since what they are shared with holds for the files in them."""
        listed, marks, trees = set[str](), dict[str, Mark](), {drive: Tree() for drive in self._drives}
        for drive, tree in trees.items():
            first, n_pages, delta = Delta(), 0, ""
            async for page in self._deltas(f"{_base(drive)}/root/delta"):
                n_pages, first, delta = n_pages + 1, page, page.delta_link or delta
                for item in page.value:
                    if item.is_folder and item.deleted is None:
                        tree.take(item)
            async for page in _one(first) if n_pages == 1 else self._deltas(f"{_base(drive)}/root/delta"):
                wanted = [each for each in page.value if each.deleted is None and self._is_wanted(each, tree)]
                entries = [self._entry(drive, each, tree) for each in wanted]
                listed.update(each.external_id for each in entries)
                yield Page(tuple(entries), cursor)
            marks[drive] = tree.mark(delta)
        async with self._open_vault(self._viewer) as vault:
            held = await vault.documents.listed(self._integration.id, "")
        yield Page(tuple(Gone(each) for each in held if each not in listed), cursor, len(listed))
        yield await self._end(Cursor(marks, self._now, self._chosen), trees)

    async def _end(self, cursor: Cursor, trees: Mapping[str, Tree]) -> Page:
        """Return the last page: whom folders and files are shared with now, and the cursor."""
        folders = [_id(drive, each) for drive, mark in cursor.drives.items() for each in sorted(mark.shared)]
        files = sorted(_id(drive, each) for drive, mark in cursor.drives.items() for each in mark.shared_files)
        met = {_id(drive, each) for drive, tree in trees.items() for each in tree.met}
        in_turn = [*(each for each in files if each > cursor.asked_up_to), *files][: min(FILES_A_SYNC, len(files))]
        cursor = msgspec.structs.replace(cursor, asked_up_to=in_turn[-1] if in_turn else "")
        groups = [await self._shared(each, "folder") for each in folders]
        groups += [await self._shared(each, "file") for each in sorted(met.union(in_turn))]
        async with self._open_vault(self._viewer) as vault:
            known = await vault.access.group_principals(self._integration.id)
        kept = {self._group(each.rpartition("/")[2]) for each in (*folders, *files)}
        gone = tuple(each for each in known if each not in kept)
        return Page((), msgspec.json.encode(cursor).decode(), groups=tuple(groups), gone_groups=gone)

    async def _deltas(self, address: str) -> AsyncIterator[Delta]:
        """Yield pages until one says where to begin next time. Raises: NotFound when the address is too old."""
        paging = Paging("Microsoft")
        while address:
            page = msgspec.json.decode((await self._source.get(address)).content, type=Delta)
            yield page
            address = page.next_link and paging.turn(page.next_link, len(page.value))

    def _changed(self, drive: str, item: DriveItem, tree: Tree) -> Entry:
        if item.deleted is not None or not self._is_wanted(item, tree):
            tree.take_file(item, is_read=False)
            return Gone(_id(drive, item.id))
        return self._entry(drive, item, tree)

    async def _entry_again(self, external_id: str, tree: Tree) -> Entry:
        try:
            answer = await self._source.get(_path(external_id))
        except NotFound:
            return Gone(external_id)
        item = msgspec.json.decode(answer.content, type=DriveItem)
        return self._changed(external_id.rpartition("/")[0], item, tree)

    def _entry(self, drive: str, item: DriveItem, tree: Tree) -> Entry:
        tree.take_file(item, is_read=True)
        shared = [
            *(each for each in tree.above(item) if each in tree.shared),
            *([item.id] if item.shared is not None else []),
        ]
        principals = dict.fromkeys((*readers_of(self._integration), *map(self._group, shared)))
        return file_entry(item, _id(drive, item.id), tuple(principals))

    async def _shared(self, external_id: str, noun: str) -> Group:
        """Return whom a folder or file is shared with."""
        principal = self._group(external_id.rpartition("/")[2])
        return Group(principal, f"a shared {noun} at Microsoft", await self._permissions(_path(external_id)))

    async def _permissions(self, path: str) -> tuple[str, ...]:
        """Whom something is shared with; nobody where this account may not see that."""
        found, address, paging = list[str](), f"{path}/permissions", Paging("Microsoft")
        while True:
            try:
                page = msgspec.json.decode((await self._source.get(address)).content, type=Permissions)
            except (NotFound, Invalid):
                break
            found += shared_with(page.value)
            if not page.next_link:
                break
            address = paging.turn(page.next_link, len(page.value))
        return tuple(dict.fromkeys(found))

    def _is_wanted(self, item: DriveItem, tree: Tree) -> bool:
        return item.is_read and (not self._within or not self._within.isdisjoint(tree.above(item)))

    def _group(self, folder: str) -> str:
        return group_principal(self._integration.id, folder)


async def _one(page: Delta) -> AsyncIterator[Delta]:
    yield page


def _base(drive: str) -> str:
    return f"/v1.0/drives/{drive}" if drive else "/v1.0/me/drive"


def _id(drive: str, item: str) -> str:
    return f"{drive}/{item}" if drive else item


def _path(external_id: str) -> str:
    drive, _, item = external_id.rpartition("/")
    return f"{_base(drive)}/items/{item}"


def _connect(access: Access) -> Connector:
    return OneDriveConnector(
        access.integration,
        access.source(),
        access.viewer,
        access.open_vault,
        access.reach.now(),
        are_drives_chosen=access.integration.kind == SHAREPOINT,
    )


KIND = ConnectorKind(
    Kind(
        ONEDRIVE,
        "OneDrive",
        "folder",
        "Your files with words in them; colleagues will see those that OneDrive shares with them by name.",
        is_personal=True,
        n_readers=4,
    ),
    _connect,
    consent=ONEDRIVE_TERMS,
)
SHAREPOINT_KIND = ConnectorKind(
    Kind(
        SHAREPOINT,
        "SharePoint",
        "folder",
        "Files of the libraries you choose, for you and those they are shared with by name.",
        is_personal=True,
        proof=Proof.NONE,
        n_readers=4,
    ),
    _connect,
    consent=SHAREPOINT_TERMS,
)
