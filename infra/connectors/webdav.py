"""Files on Nextcloud, ownCloud and every other WebDAV server: external ids are the paths under the address.

Folders are listed one by one, each time all of them; only files with a new ETag, or size and time, are fetched.
"""

from collections.abc import AsyncIterator, Sequence
from pathlib import PurePosixPath
from urllib.parse import quote, urlsplit

import httpx

from domain.errors import Invalid, NotFound, Unavailable
from domain.integrations import Connector, Entry, Gone, Item, Page, Unreadable
from domain.kinds import FieldType, Kind, SourceField
from domain.uploads import MAX_FILE_BYTES
from infra.connectors.kinds import Access, ConnectorKind, Reach
from infra.connectors.members import fitted
from infra.connectors.site import MAX_LISTING_BYTES, Answer, Site, require_encryption, too_large
from infra.connectors.webdav_listing import ASKED, NO_SERVER, Resource, read_listing
from infra.connectors.worth import chosen_readers, holds_words, readers_field
from infra.parsers.detection import media_type_of

MAX_DEPTH = 60
MAX_FOLDERS = 50_000
NOT_ACCEPTED = (
    "The server does not accept this user name and password. Where signing in takes a second step, enter an app "
    "password, made in the account's security settings."
)
ENDLESS = "The server lists folders within folders without end. Name a folder further down on the integration's page."


class WebdavConnector:
    """Reads what lies under one address."""

    is_snapshot = True

    def __init__(self, reach: Reach, principals: tuple[str, ...]) -> None:
        self._reach = reach
        self._principals = principals
        self._root = reach.settings["url"].rstrip("/") + "/"
        self._site: Site | None = None
        self._hrefs: dict[str, str] = {}
        """Of the last page, by external id."""

    async def pages(self, cursor: str) -> AsyncIterator[Page]:  # noqa: ARG002 - a snapshot begins anew each time
        """Yield the files, folder by folder."""
        folders, n_folders = [Resource("", urlsplit(self._root).path, is_folder=True)], 0
        while folders:
            folder, n_folders = folders.pop(), n_folders + 1
            if n_folders > MAX_FOLDERS or folder.path.count("/") > MAX_DEPTH:
                raise Unavailable(ENDLESS)
            try:
                listed = await self._list(folder.href, "1")
            except NotFound:
                if not folder.path:
                    raise
                continue  # it went while we read
            except Invalid as error:
                if not folder.path:
                    raise
                yield Page((Unreadable(fitted(folder.path), PurePosixPath(folder.path).name, error.message),), "")
                continue
            below = [each for each in listed if _is_in(each, folder)]
            folders += reversed([each for each in below if each.is_folder and not _is_hidden(each)])
            yield self._page([each for each in below if not each.is_folder])

    async def again(self, external_ids: Sequence[str]) -> AsyncIterator[Page]:
        """Yield these once more."""
        for external_id in external_ids:
            try:
                found = await self._list(urlsplit(self._root).path + quote(external_id), "0")
            except (NotFound, Invalid):
                found = []
            page = self._page([each for each in found if not each.is_folder])
            yield page if page.entries else Page((Gone(external_id),), "")

    async def fetch(self, item: Item) -> bytes:
        """Return a file's content. Raises: NotFound, Invalid, Unavailable."""
        href = self._hrefs.get(item.external_id, urlsplit(self._root).path + quote(item.external_id))
        return (await self._ask("GET", href, max_bytes=MAX_FILE_BYTES)).content

    async def check(self) -> str:
        """List the first folder, and return what it is called. Raises: Forbidden, Invalid, Unavailable."""
        try:
            await self._list(urlsplit(self._root).path, "0")
        except NotFound as error:
            raise Invalid(NO_SERVER, {"url": "There is nothing at this address."}) from error
        host = urlsplit(self._root).hostname or ""
        return f"{host}: {self._reach.settings['user']}" if self._reach.settings.get("user") else host

    async def _list(self, href: str, depth: str) -> list[Resource]:
        answer = await self._ask("PROPFIND", href, {"Depth": depth, "Content-Type": "application/xml"}, ASKED)
        return read_listing(answer.content, self._root)

    def _page(self, files: Sequence[Resource]) -> Page:
        self._hrefs = {fitted(each.path): each.href for each in files}
        return Page(tuple(entry for each in files if (entry := self._entry(each))), cursor="")

    def _entry(self, file: Resource) -> Entry | None:
        name = PurePosixPath(file.path).name
        if file.size_bytes == 0 or not holds_words(file.path):
            return None
        if file.size_bytes is not None and file.size_bytes > MAX_FILE_BYTES:
            return Unreadable(fitted(file.path), name, too_large(file.size_bytes))
        return Item(
            external_id=fitted(file.path),
            name=name,
            revision=file.etag or (f"{file.size_bytes}-{file.modified_at.isoformat()}" if file.modified_at else ""),
            size_bytes=file.size_bytes,
            media_type=media_type_of(name) or file.media_type,
            modified_at=file.modified_at,
            principals=self._principals,
        )

    async def _ask(
        self,
        method: str,
        href: str,
        headers: dict[str, str] | None = None,
        content: bytes | None = None,
        max_bytes: int = MAX_LISTING_BYTES,
    ) -> Answer:
        if self._site is None:
            user, password = self._reach.settings.get("user", ""), (await self._reach.secrets()).get("password", "")
            auth = httpx.BasicAuth(user, password) if user else None
            if auth is not None:
                require_encryption(self._reach.way_out.guard, self._root)
            self._site = Site(self._reach.way_out.client, "The server", NOT_ACCEPTED, auth, self._reach.n_tries)
        root = urlsplit(self._root)
        url = f"{root.scheme}://{root.netloc}{href}"
        return await self._site.ask(method, url, headers=headers, content=content, max_bytes=max_bytes)


def _is_in(resource: Resource, folder: Resource) -> bool:
    """Whether it lies in the folder itself: a server that lists others, or the folder, leads nowhere."""
    parent, _, name = resource.path.rpartition("/")
    return parent == folder.path and name != ""


def _is_hidden(folder: Resource) -> bool:
    return PurePosixPath(folder.path).name.startswith(".")


def _connect(access: Access) -> Connector:
    return WebdavConnector(access.reach, chosen_readers(access.integration))


async def _check(reach: Reach) -> str:
    return await WebdavConnector(reach, ()).check()


KIND = ConnectorKind(
    Kind(
        "webdav",
        "Nextcloud, WebDAV",
        "folder",
        "Reads the files with words in them from a folder of Nextcloud, ownCloud or any other WebDAV server.",
        (
            SourceField(
                "url",
                "Address of the folder",
                FieldType.URL,
                "In Nextcloud it stands under Files settings, as the WebDAV address; add the folder's name to it.",
            ),
            SourceField("user", "User name", is_required=False),
            SourceField("password", "Password", FieldType.SECRET, "An app password is best.", is_required=False),
            readers_field("owner"),
        ),
        has_paths=True,
    ),
    _connect,
    _check,
)
