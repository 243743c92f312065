"""Box: each file with words in it is a document, for those its folders are shared with; external ids are Box's own.

Every sync walks the folders, a thousand items a request, and fetches only files whose hash is new. What a folder is
shared with holds for all that lies in it, so a changed collaboration is in force with the sync that meets it.
"""

from collections.abc import AsyncIterator, Sequence

import msgspec

from domain.access import Group
from domain.errors import Invalid, NotFound, Unavailable
from domain.integrations import Connector, Entry, Integration, Item, Page, Unreadable, readers_of
from domain.kinds import Kind, Proof
from domain.people import Viewer, email_principal, group_principal
from domain.vault import OpenVault
from infra.connectors.box_consent import BOX, TERMS
from infra.connectors.box_items import (
    FIELDS,
    BoxItem,
    Collaboration,
    Collaborations,
    Items,
    Memberships,
    file_entry,
    shared_with,
)
from infra.connectors.http import MAX_PAGES, Source
from infra.connectors.kinds import Access, ConnectorKind
from infra.connectors.paging import Paging
from infra.connectors.worth import holds_words

API = "/2.0"
TOP = "0"
LISTED_AT_ONCE = "1000"
MAX_FOLDERS = 50_000
DOWNLOADS = "https://dl.boxcloud.com"


class BoxConnector:
    """Reads what one account of Box can read."""

    is_snapshot = True

    def __init__(self, integration: Integration, source: Source, viewer: Viewer, open_vault: OpenVault) -> None:
        self._integration = integration
        self._source = source
        self._viewer = viewer
        self._open_vault = open_vault
        self._groups: dict[str, Group] = {}

    async def pages(self, cursor: str) -> AsyncIterator[Page]:  # noqa: ARG002 - a snapshot begins anew each time
        """Yield the files, folder by folder, with the groups they are shared with. Raises: Forbidden, Unavailable."""
        own = readers_of(self._integration)
        chosen = self._integration.settings.get("chosen", "").split() or [TOP]
        waiting = [(each, await self._with_collaborators(each, own, None)) for each in chosen]
        met = set[str]()
        while waiting:
            folder, readers = waiting.pop()
            if folder in met:
                continue
            met.add(folder)
            if len(met) > MAX_FOLDERS:
                raise Unavailable("Box lists folders within folders without end. Choose fewer of them.")
            try:
                async for items in self._items(folder):
                    entries = [await self._entry(each, readers) for each in items if _is_read(each)]
                    yield Page(tuple(entries), "", groups=tuple(self._groups.values()))
                    waiting += [await self._inside(each, readers) for each in items if each.type == "folder"]
            except NotFound:
                continue  # it went, or is no longer ours to see, and so does what lies in it
            except Invalid as error:
                yield Page((Unreadable(f"folder/{folder}", "folder", error.message),), "")
        async with self._open_vault(self._viewer) as vault:
            known = await vault.access.group_principals(self._integration.id)
        yield Page((), "", gone_groups=tuple(each for each in known if each not in self._groups))

    async def again(self, external_ids: Sequence[str]) -> AsyncIterator[Page]:
        """Yield these files once more: a snapshot meets them anyway."""
        for _ in external_ids:
            yield Page((), "")

    async def fetch(self, item: Item) -> bytes:
        """Return a file's bytes. Raises: NotFound, Invalid, Unavailable, Forbidden."""
        return (await self._source.get(f"{API}/files/{item.external_id}/content")).content

    async def _entry(self, file: BoxItem, readers: tuple[str, ...]) -> Entry:
        if not file.has_collaborations:
            return file_entry(file, readers)
        shared = await self._collaborations(f"{API}/files/{file.id}/collaborations")
        await self._learn_groups(shared)
        return file_entry(file, _joined(readers, shared_with(shared, self._integration.id)))

    async def _inside(self, folder: BoxItem, readers: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
        return folder.id, await self._with_collaborators(folder.id, readers, folder.has_collaborations)

    async def _with_collaborators(
        self, folder: str, readers: tuple[str, ...], has_collaborations: bool | None
    ) -> tuple[str, ...]:
        """Those who may read a folder: whoever may read the one above it, and whom it is shared with itself."""
        if folder == TOP or has_collaborations is False:
            return readers
        shared = await self._collaborations(f"{API}/folders/{folder}/collaborations")
        await self._learn_groups(shared)
        return _joined(readers, shared_with(shared, self._integration.id))

    async def _collaborations(self, path: str) -> tuple[Collaboration, ...]:
        """Those of a folder or file; none where this account may not see them."""
        found: list[Collaboration] = []
        params, paging = {"limit": LISTED_AT_ONCE, "usemarker": "true"}, Paging("Box")
        while True:
            try:
                answer = await self._source.get(path, params)
            except (NotFound, Invalid):
                return tuple(found)
            page = msgspec.json.decode(answer.content, type=Collaborations)
            found += page.entries
            if not page.next_marker:
                return tuple(found)
            params["marker"] = paging.turn(page.next_marker, len(page.entries))

    async def _items(self, folder: str) -> AsyncIterator[tuple[BoxItem, ...]]:
        params, paging = {"limit": LISTED_AT_ONCE, "usemarker": "true", "fields": FIELDS}, Paging("Box")
        while True:
            answer = await self._source.get(f"{API}/folders/{folder}/items", params)
            page = msgspec.json.decode(answer.content, type=Items)
            yield page.entries
            if not page.next_marker:
                return
            params["marker"] = paging.turn(page.next_marker, len(page.entries))

    async def _learn_groups(self, shared: tuple[Collaboration, ...]) -> None:
        """Learn who is in the groups something is shared with; one whose members are not told lets nobody in."""
        for each in shared:
            grantee = each.accessible_by
            if grantee is None or grantee.type != "group":
                continue
            principal = group_principal(self._integration.id, grantee.id)
            if principal not in self._groups:
                members = await self._members(grantee.id)
                self._groups[principal] = Group(principal, f"the group {grantee.name} at Box", members)

    async def _members(self, group: str) -> tuple[str, ...]:
        found: list[str] = []
        for start in range(0, MAX_PAGES * 1000, 1000):
            try:
                params = {"limit": LISTED_AT_ONCE, "offset": str(start)}
                answer = await self._source.get(f"{API}/groups/{group}/memberships", params)
            except (NotFound, Invalid):
                break
            page = msgspec.json.decode(answer.content, type=Memberships)
            found += [email_principal(each.user.login) for each in page.entries if each.user and each.user.login]
            if not page.entries or start + 1000 >= page.total_count:
                break
        return tuple(found)


def _is_read(item: BoxItem) -> bool:
    return item.type == "file" and item.size != 0 and holds_words(item.name)


def _joined(readers: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*readers, *more)))


def _connect(access: Access) -> Connector:
    source = access.source(DOWNLOADS)
    return BoxConnector(access.integration, source, access.viewer, access.open_vault)


KIND = ConnectorKind(
    Kind(
        BOX,
        "Box",
        "folder",
        "Your files with words in them; colleagues will see those that Box shares with them.",
        is_personal=True,
        proof=Proof.SCHEMA,
        n_readers=4,
    ),
    _connect,
    consent=TERMS,
)
