"""Google Drive: each file is one document, with the readers Drive gives it; Google's own kinds are exported.

What changed is read from the list of changes, which names what was deleted, moved or shared otherwise as well. What a
changed folder means for the files in it does not always reach that list: when a folder is in it everything is listed
again, five hundred files a request, so that what a folder is no longer shared with is closed at once; and so it is once
a week. The first sync lists everything in the same way; whatever interrupts it, what stands unchanged is not fetched
again.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import msgspec

from domain.access import Group
from domain.errors import Invalid, NotFound
from domain.integrations import Connector, Entry, Gone, Integration, Item, Page, readers_of
from domain.kinds import Kind
from domain.people import Viewer, group_principal
from domain.vault import OpenVault
from infra.connectors.drive_consent import DRIVE, TERMS
from infra.connectors.drive_files import (
    EXPORTS,
    FIELDS,
    FOLDER_TYPE,
    DriveFile,
    Permission,
    file_entry,
    is_read,
    shared_with,
)
from infra.connectors.http import Source
from infra.connectors.kinds import Access, ConnectorKind
from infra.connectors.paging import Paging

API = "/drive/v3"
ALL_DRIVES = {"supportsAllDrives": "true", "includeItemsFromAllDrives": "true"}
LISTED_AT_ONCE = "500"
SWEPT_EVERY = timedelta(days=7)
TYPES = {exported: kind for kind, (exported, _) in EXPORTS.items()}


class Listing(msgspec.Struct, frozen=True, rename="camel"):
    """A page of files."""

    files: tuple[DriveFile, ...] = ()
    next_page_token: str = ""


class Change(msgspec.Struct, frozen=True, rename="camel"):
    """Something that happened to a file."""

    file_id: str = ""
    removed: bool = False
    file: DriveFile | None = None


class Changes(msgspec.Struct, frozen=True, rename="camel"):
    """A page of changes."""

    changes: tuple[Change, ...] = ()
    next_page_token: str = ""
    new_start_page_token: str = ""


class Start(msgspec.Struct, frozen=True, rename="camel"):
    """Where changes from now on will begin."""

    start_page_token: str


class SharedDrive(msgspec.Struct, frozen=True):
    """A drive that belongs to a team."""

    id: str
    name: str = ""


class Drives(msgspec.Struct, frozen=True, rename="camel"):
    """A page of shared drives."""

    drives: tuple[SharedDrive, ...] = ()
    next_page_token: str = ""


class Permissions(msgspec.Struct, frozen=True, rename="camel"):
    """A page of permissions."""

    permissions: tuple[Permission, ...] = ()
    next_page_token: str = ""


class Mark(msgspec.Struct, frozen=True):
    """How far the drive has been read."""

    changes: str
    swept_at: datetime
    chosen: str


class DriveConnector:
    """Reads what one account of Drive can read."""

    is_snapshot = False

    def __init__(
        self, integration: Integration, source: Source, viewer: Viewer, open_vault: OpenVault, now: datetime
    ) -> None:
        self._integration = integration
        self._source = source
        self._viewer = viewer
        self._open_vault = open_vault
        self._now = now
        self._chosen = frozenset(integration.settings.get("chosen", "").split())
        self._parents: dict[str, tuple[str, ...]] = {}

    async def pages(self, cursor: str) -> AsyncIterator[Page]:
        """Yield what has changed. Raises: Forbidden when our access has ended, Unavailable."""
        mark = msgspec.json.decode(cursor, type=Mark) if cursor else None
        yield await self._drives_page(cursor)
        await self._learn_folders()
        if mark and mark.chosen == self._chosen_text and self._now - mark.swept_at < SWEPT_EVERY:
            is_sweep_needed = False
            try:
                async for page, is_moved in self._since(mark):
                    is_sweep_needed |= is_moved
                    yield page
            except NotFound:
                is_sweep_needed = True
            if not is_sweep_needed:
                return
        async for page in self._everything(cursor):
            yield page

    async def again(self, external_ids: Sequence[str]) -> AsyncIterator[Page]:
        """Yield these files once more."""
        await self._learn_folders()
        yield Page(tuple([await self._entry_again(each) for each in external_ids]), "")

    async def fetch(self, item: Item) -> bytes:
        """Return a file's bytes, or its export. Raises: NotFound, Invalid, Unavailable, Forbidden."""
        if item.media_type in TYPES and item.size_bytes is None:
            return await self._exported(item)
        answer = await self._source.get(
            f"{API}/files/{item.external_id}", {"alt": "media", "supportsAllDrives": "true"}
        )
        return answer.content

    @property
    def _chosen_text(self) -> str:
        return " ".join(sorted(self._chosen))

    async def _exported(self, item: Item) -> bytes:
        try:
            answer = await self._source.get(f"{API}/files/{item.external_id}/export", {"mimeType": item.media_type})
        except Invalid as error:
            raise Invalid(
                f"Google did not export this file: {error.message} Files whose export is over 10 MB are not read."
            ) from error
        return answer.content

    async def _everything(self, cursor: str) -> AsyncIterator[Page]:
        start = await self._source.get(f"{API}/changes/startPageToken", {"supportsAllDrives": "true"})
        token = msgspec.json.decode(start.content, type=Start).start_page_token
        listed: set[str] = set()
        async for files in self._files("trashed = false"):
            entries = [await self._entry(each) for each in files if self._is_wanted(each)]
            listed.update(each.external_id for each in entries)
            yield Page(tuple(entries), cursor)
        async with self._open_vault(self._viewer) as vault:
            held = await vault.documents.listed(self._integration.id, "")
        gone = tuple(Gone(each) for each in held if each not in listed)
        mark = Mark(token, self._now, self._chosen_text)
        yield Page(gone, msgspec.json.encode(mark).decode(), len(listed))

    async def _since(self, mark: Mark) -> AsyncIterator[tuple[Page, bool]]:
        """Yield changes, and whether a folder was among them, so that all must be listed again."""
        token, paging = mark.changes, Paging("Google Drive")
        while token:
            fields = f"nextPageToken,newStartPageToken,changes(fileId,removed,file({FIELDS}))"
            params = {"pageToken": token, "pageSize": LISTED_AT_ONCE, "fields": fields, **ALL_DRIVES}
            answer = await self._source.get(f"{API}/changes", {**params, "includeRemoved": "true"})
            page = msgspec.json.decode(answer.content, type=Changes)
            latest = {each.file_id: each for each in page.changes if each.file_id}
            entries = [await self._changed(each) for each in latest.values()]
            is_moved = any(each.file and each.file.is_folder for each in latest.values())
            reached = page.next_page_token or page.new_start_page_token or token
            cursor = msgspec.json.encode(msgspec.structs.replace(mark, changes=reached)).decode()
            yield Page(tuple(entries), cursor), is_moved
            token = page.next_page_token and paging.turn(page.next_page_token, len(page.changes))

    async def _changed(self, change: Change) -> Entry:
        file = change.file
        if change.removed or file is None or file.trashed or not self._is_wanted(file):
            return Gone(change.file_id)
        return await self._entry(file)

    async def _entry_again(self, file_id: str) -> Entry:
        try:
            answer = await self._source.get(f"{API}/files/{file_id}", {"fields": FIELDS, "supportsAllDrives": "true"})
        except NotFound:
            return Gone(file_id)
        return await self._changed(Change(file_id, file=msgspec.json.decode(answer.content, type=DriveFile)))

    async def _entry(self, file: DriveFile) -> Entry:
        return file_entry(file, await self._principals(file))

    async def _principals(self, file: DriveFile) -> tuple[str, ...]:
        """Return whoever connected the drive, since they can read it there, and those it is shared with."""
        own = readers_of(self._integration)
        if not file.drive_id:
            return tuple(dict.fromkeys((*own, *shared_with(file.permissions or ()))))
        team = group_principal(self._integration.id, file.drive_id)
        more = await self._permissions(file.id) if file.has_augmented_permissions else ()
        return tuple(dict.fromkeys((*own, team, *shared_with(more))))

    async def _permissions(self, file_id: str) -> tuple[Permission, ...]:
        params = {"fields": "nextPageToken,permissions(type,role,emailAddress,domain,allowFileDiscovery,deleted)"}
        try:
            answer = await self._source.get(
                f"{API}/files/{file_id}/permissions", {**params, "pageSize": "100", "supportsAllDrives": "true"}
            )
        except (NotFound, Invalid):
            return ()
        return msgspec.json.decode(answer.content, type=Permissions).permissions

    async def _drives_page(self, cursor: str) -> Page:
        """Return who is in each shared drive."""
        drives = [each async for each in self._shared_drives()]
        groups = [
            Group(
                group_principal(self._integration.id, drive.id),
                f"the shared drive {drive.name} at Google",
                shared_with(await self._permissions(drive.id)),
            )
            for drive in drives
        ]
        async with self._open_vault(self._viewer) as vault:
            known = await vault.access.group_principals(self._integration.id)
        kept = {group.principal for group in groups}
        return Page((), cursor, groups=tuple(groups), gone_groups=tuple(each for each in known if each not in kept))

    async def _shared_drives(self) -> AsyncIterator[SharedDrive]:
        params, paging = {"pageSize": "100"}, Paging("Google Drive")
        while True:
            try:
                answer = await self._source.get(f"{API}/drives", params)
            except NotFound:
                return
            page = msgspec.json.decode(answer.content, type=Drives)
            for drive in page.drives:
                yield drive
            if not page.next_page_token:
                return
            params["pageToken"] = paging.turn(page.next_page_token, len(page.drives))

    async def _files(self, query: str) -> AsyncIterator[tuple[DriveFile, ...]]:
        paging = Paging("Google Drive")
        fields = f"nextPageToken,files({FIELDS})"
        params = {"q": query, "pageSize": LISTED_AT_ONCE, "fields": fields, "corpora": "allDrives", **ALL_DRIVES}
        while True:
            answer = await self._source.get(f"{API}/files", params)
            page = msgspec.json.decode(answer.content, type=Listing)
            yield page.files
            if not page.next_page_token:
                return
            params["pageToken"] = paging.turn(page.next_page_token, len(page.files))

    async def _learn_folders(self) -> None:
        """Learn what lies in what, where only some folders are read."""
        if self._chosen:
            async for folders in self._files(f"mimeType = '{FOLDER_TYPE}' and trashed = false"):
                self._parents.update({each.id: each.parents for each in folders})

    def _is_wanted(self, file: DriveFile) -> bool:
        return is_read(file) and not file.trashed and (not self._chosen or self._is_within(file))

    def _is_within(self, file: DriveFile) -> bool:
        if file.drive_id in self._chosen:
            return True
        waiting, met = list(file.parents), set[str]()
        while waiting:
            folder = waiting.pop()
            if folder in self._chosen:
                return True
            if folder not in met:
                met.add(folder)
                waiting += self._parents.get(folder, ())
        return False


def _connect(access: Access) -> Connector:
    source, now = access.source(), access.reach.now()
    return DriveConnector(access.integration, source, access.viewer, access.open_vault, now)


KIND = ConnectorKind(
    Kind(
        DRIVE,
        "Google Drive",
        "documents",
        "Your files and the shared drives you are in; colleagues will see those that Drive shares with them.",
        is_personal=True,
        n_readers=4,
    ),
    _connect,
    consent=TERMS,
)
