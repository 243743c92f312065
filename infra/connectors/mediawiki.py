"""MediaWiki: each page with content is a document, and so is each uploaded file with words; external ids are titles.

The first sync lists all pages; later ones ask for the recent changes and look only at the titles these name. A wiki
keeps recent changes for 90 days unless it says otherwise, so after a month of silence all is listed again.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from itertools import islice
from typing import Any

import msgspec

from domain.integrations import Connector, Entry, Gone, Integration, Item, Page, Unreadable
from domain.kinds import FieldType, Kind, SourceField
from domain.people import Viewer
from domain.uploads import MAX_FILE_BYTES
from domain.vault import OpenVault
from infra.connectors.kinds import Access, ConnectorKind, Reach
from infra.connectors.mediawiki_api import Wiki
from infra.connectors.paging import Paging
from infra.connectors.site import too_large
from infra.connectors.worth import chosen_readers, readers_field
from infra.parsers.detection import MEDIA_TYPES

PAGE_TITLES = 50
"""The most titles a question may name."""
PAGE_CHANGES = 500
FILES = 6
ALSO_READ = frozenset({4, FILES, 12})
"""Pages about the wiki itself, files, and help; besides the namespaces that the wiki counts as content."""
KEPT_FOR = timedelta(days=30)
OVERLAP = timedelta(seconds=30)
"""Changes are dated when they begin, and seen when they are done."""
ABOUT = {
    "prop": "info|revisions|imageinfo",
    "inprop": "url",
    "rvprop": "timestamp|user",
    "iiprop": "url|size|mime|sha1",
}


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far the wiki has been read, and for whom; for other readers all is listed anew."""

    readers: tuple[str, ...] = ()
    since: str = ""
    namespace: int | None = None
    """Where a listing of everything was left; None when it was finished."""
    following: str = ""

    @property
    def is_listing(self) -> bool:
        """Whether everything is still being listed."""
        return self.namespace is not None


class MediaWikiConnector:
    """Reads one wiki."""

    is_snapshot = False

    def __init__(
        self, wiki: Wiki, now: datetime, integration: Integration, viewer: Viewer, open_vault: OpenVault
    ) -> None:
        self._wiki = wiki
        self._now = now
        self._integration = integration
        self._viewer = viewer
        self._open_vault = open_vault
        self._principals = chosen_readers(integration)

    async def pages(self, cursor: str) -> AsyncIterator[Page]:
        """Yield what has changed, or everything where nothing tells that. Raises: Forbidden, Invalid, Unavailable."""
        held = msgspec.json.decode(cursor, type=Cursor) if cursor else Cursor()
        if held.readers != self._principals or not held.since or _moment(held.since) < self._now - KEPT_FOR:
            held = Cursor(self._principals, _text(self._now - OVERLAP), namespace=-1)
        namespaces = await self._namespaces()
        reading = self._everything(held, namespaces) if held.is_listing else self._changes(held, namespaces)
        async for page in reading:
            yield page

    async def again(self, external_ids: Sequence[str]) -> AsyncIterator[Page]:
        """Yield these once more."""
        async for entries in self._about(external_ids):
            yield Page(tuple(entries), "")

    async def fetch(self, item: Item) -> bytes:
        """Return a page as HTML, or a file. Raises: NotFound, Invalid, Unavailable."""
        if item.media_type != "text/html":
            return await self._wiki.file(item.url, MAX_FILE_BYTES)
        said = await self._wiki.ask(
            action="parse",
            page=item.external_id,
            prop="text|displaytitle",
            disableeditsection="1",
            disablelimitreport="1",
            disabletoc="1",
        )
        text = str(said.get("parse", {}).get("text", ""))
        return f"<!doctype html><meta charset=utf-8><title>{escape(item.external_id)}</title>{text}".encode()

    async def _namespaces(self) -> list[int]:
        said = await self._wiki.ask(action="query", meta="siteinfo", siprop="namespaces")
        found = said["query"]["namespaces"].values()
        return sorted(int(each["id"]) for each in found if each.get("content") or each["id"] in ALSO_READ)

    async def _everything(self, held: Cursor, namespaces: Sequence[int]) -> AsyncIterator[Page]:
        listed: set[str] = set()
        for namespace in namespaces:
            if held.namespace is not None and namespace < held.namespace:
                continue
            following = held.following if namespace == held.namespace else ""
            asked = {"generator": "allpages", "gapnamespace": str(namespace), "gaplimit": str(PAGE_TITLES)}
            asked |= {"gapfilterredir": "nonredirects"} | ABOUT
            async for said, left_off in self._continued(asked, "gapcontinue", following):
                entries = [entry for each in _pages(said) if (entry := self._entry(each)) is not None]
                listed.update(entry.external_id for entry in entries)
                number = namespace if left_off else namespace + 1
                left = msgspec.structs.replace(held, namespace=number, following=left_off)
                yield Page(tuple(entries), msgspec.json.encode(left).decode())
        async with self._open_vault(self._viewer) as vault:
            ours = await vault.documents.listed(self._integration.id, "")
        async for entries in self._about([each for each in ours if each not in listed]):
            yield Page(tuple(each for each in entries if isinstance(each, Gone)), msgspec.json.encode(held).decode())
        yield Page((), msgspec.json.encode(Cursor(held.readers, held.since)).decode())

    async def _changes(self, held: Cursor, namespaces: Sequence[int]) -> AsyncIterator[Page]:
        asked = {"list": "recentchanges", "rcdir": "newer", "rcstart": held.since, "rclimit": str(PAGE_CHANGES)}
        asked |= {
            "rcnamespace": "|".join(map(str, namespaces)),
            "rctype": "edit|new|log",
            "rcprop": "title|timestamp|loginfo",
        }
        async for said, _ in self._continued(asked, "rccontinue", ""):
            changes = said.get("query", {}).get("recentchanges", [])
            titles = dict.fromkeys(title for change in changes for title in _titles(change))
            async for entries in self._about(list(titles)):
                yield Page(tuple(entries), msgspec.json.encode(held).decode())
            if changes:
                since = _text(_moment(str(changes[-1]["timestamp"])) - OVERLAP)
                held = msgspec.structs.replace(held, since=max(since, held.since))
        yield Page((), msgspec.json.encode(held).decode())

    async def _continued(
        self, asked: Mapping[str, str], name: str, following: str
    ) -> AsyncIterator[tuple[dict[str, Any], str]]:
        """Yield answers, each with where the next one begins. Raises: Unavailable when they go in a circle."""
        paging = Paging("The wiki")
        while True:
            more = {name: following} if following else {}
            said = await self._wiki.ask(action="query", **asked, **more)
            following = str(said.get("continue", {}).get(name, ""))
            yield said, following
            if not following:
                return
            paging.turn(following, len(said.get("query", {})))

    async def _about(self, titles: Iterable[str]) -> AsyncIterator[list[Entry]]:
        """Yield these as they stand now, a question at a time; what is no page any more comes as Gone."""
        left = iter(titles)
        while batch := list(islice(left, PAGE_TITLES)):
            said = await self._wiki.ask(action="query", titles="|".join(batch), **ABOUT)
            found = {str(each.get("title", "")): self._entry(each) for each in _pages(said)}
            yield [found.get(title) or Gone(title) for title in batch]

    def _entry(self, page: Mapping[str, Any]) -> Entry | None:
        """A page as the integration lists it; None for one that is gone, leads to another, or holds no words."""
        if page.get("missing") or page.get("redirect") or page.get("invalid") or "title" not in page:
            return None
        if page.get("ns") == FILES:
            return self._file(page)
        latest: dict[str, Any] = next(iter(page.get("revisions", ())), {})
        return Item(
            external_id=str(page["title"]),
            name=f"{page['title']}.html",
            revision=str(page.get("lastrevid", "")),
            media_type="text/html",
            url=str(page.get("fullurl", "")),
            author=str(latest.get("user", "")),
            modified_at=_moment(str(latest["timestamp"])) if latest.get("timestamp") else None,
            principals=self._principals,
        )

    def _file(self, page: Mapping[str, Any]) -> Entry | None:
        title = str(page["title"])
        file: dict[str, Any] = next(iter(page.get("imageinfo", ())), {})
        media_type, size_bytes = str(file.get("mime", "")), int(file.get("size", 0))
        if media_type not in MEDIA_TYPES or not file.get("url"):
            return None
        name = title.partition(":")[2]
        if size_bytes > MAX_FILE_BYTES:
            return Unreadable(title, name, too_large(size_bytes))
        return Item(
            external_id=title,
            name=name,
            revision=str(file.get("sha1", "")),
            size_bytes=size_bytes,
            media_type=media_type,
            url=str(file["url"]),
            principals=self._principals,
        )


def _pages(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = said.get("query", {}).get("pages", [])
    return sorted(found, key=_title) if isinstance(found, list) else []


def _title(page: Mapping[str, Any]) -> str:
    return str(page.get("title", ""))


def _titles(change: Mapping[str, Any]) -> list[str]:
    """The titles a change is about: a page that was moved leaves one and takes another."""
    target = change.get("logparams", {}).get("target_title", "") if isinstance(change.get("logparams"), dict) else ""
    return [title for title in (str(change.get("title", "")), str(target)) if title]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _connect(access: Access) -> Connector:
    wiki, now = Wiki(access.reach), access.reach.now()
    return MediaWikiConnector(wiki, now, access.integration, access.viewer, access.open_vault)


async def _check(reach: Reach) -> str:
    said = await Wiki(reach).ask(action="query", meta="siteinfo", siprop="general|namespaces")
    return str(said["query"]["general"]["sitename"])


KIND = ConnectorKind(
    Kind(
        "mediawiki",
        "MediaWiki",
        "documents",
        "Reads the pages of a wiki, as they are shown, and the files in it that hold words.",
        (
            SourceField("url", "Address of the wiki", FieldType.URL, "That of any of its pages."),
            SourceField(
                "user",
                "Bot name",
                hint="For closed wikis: made under Special:BotPasswords.",
                is_required=False,
            ),
            SourceField("password", "Bot password", FieldType.SECRET, is_required=False),
            readers_field(),
        ),
    ),
    _connect,
    _check,
)
