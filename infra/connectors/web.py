"""Pages of a web site: those its sitemap names, and those its pages lead to; external ids are the addresses.

A site's robots.txt is followed. Pages whose sitemap says when they changed are asked for only when that has changed;
all others are read anew by every sync, since nothing else tells which they lead to.
"""

import asyncio
import hashlib
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

import httpx
import msgspec

from domain.errors import Forbidden, Invalid, NotFound, Unavailable
from domain.integrations import Connector, Entry, Gone, Item, Page, Unreadable
from domain.kinds import FieldType, Kind, SourceField
from domain.uploads import MAX_FILE_BYTES
from infra.connectors.kinds import Access, ConnectorKind, Reach
from infra.connectors.site import Answer, Site
from infra.connectors.web_links import HtmlPage, Scope, normalised, read_html, scope_of
from infra.connectors.web_map import Mapped, Robots, read_robots, read_sitemaps
from infra.connectors.worth import chosen_readers, holds_words, readers_field
from infra.parsers.detection import MEDIA_TYPES

HTML = frozenset({"text/html", "application/xhtml+xml"})
PAGE_SIZE = 100
MAX_PAGES = 20_000
MAX_DEPTH = 20
MAX_SILENT = 5
"""Pages in a row that do not answer; then the site does not."""
FRESH = timedelta(days=2)
"""Sitemaps often name only the day: what changed so lately may have changed again since."""
NOT_OPEN = "This page wants a password. Only open pages can be read."
UNWELCOME = "The site asks not to be read at this address (robots.txt). Ask whoever runs it, or enter another address."
INWARD = (
    "This page leads to {host}, in a private network, where we do not go. Correct it at the site, or ask the operator "
    "to allow that host, then sync again."
)
HIDDEN = "This page asks not to be found, so it was left out."


class Read(msgspec.Struct, frozen=True):
    """A page that was read."""

    url: str
    media_type: str
    content: bytes
    modified_at: datetime | None
    links: tuple[str, ...] = ()
    is_indexed: bool = True


class WebConnector:
    """Reads one site, or a part of one."""

    is_snapshot = True

    def __init__(self, reach: Reach, principals: tuple[str, ...]) -> None:
        self._reach = reach
        self._principals = principals
        self._start = normalised(reach.settings["url"])
        self._limit = min(int(reach.settings.get("limit") or 500), MAX_PAGES)
        self._depth = min(int(reach.settings.get("depth") or 3), MAX_DEPTH)
        self._site = Site(reach.way_out.client, "The site", NOT_OPEN, n_tries=reach.n_tries)
        self._held: Read | None = None
        """The page that was listed last; its content is fetched next."""

    async def pages(self, cursor: str) -> AsyncIterator[Page]:  # noqa: ARG002 - a snapshot begins anew each time
        """Yield what the sitemap dates, then every other page as it is read.

        Raises: Invalid when the first page cannot be had, or asks not to be read, Unavailable.
        """
        first, scope, robots = await self._open()
        frontier: deque[tuple[str, int]] = deque([(first.url, 0)])
        seen, dated = {first.url}, list[Entry]()
        async for mapped in read_sitemaps(self._site, first.url, robots):
            if mapped.url in seen or len(seen) >= self._limit or not self._is_ours(mapped.url, scope, robots):
                continue
            seen.add(mapped.url)
            if mapped.changed:
                dated.append(self._dated(mapped))
            else:
                frontier.append((mapped.url, 0))
        for start in range(0, len(dated), PAGE_SIZE):
            yield Page(tuple(dated[start : start + PAGE_SIZE]), cursor="")
        listed = {entry.external_id for entry in dated}
        async for page in self._crawl(first, scope, robots, frontier, seen, listed):
            yield page
        if len(seen) >= self._limit:
            yield Page((Unreadable(f"{first.url}#limit", first.url, _too_many(self._limit)),), cursor="")

    async def again(self, external_ids: Sequence[str]) -> AsyncIterator[Page]:
        """Yield these once more."""
        for url in external_ids:
            try:
                read = await self._read(url, scope_of(url))
            except (NotFound, Invalid, Forbidden):
                read = None
            self._held = read
            yield Page((self._item(read) if read else Gone(url),), cursor="")

    async def fetch(self, item: Item) -> bytes:
        """Return a page. Raises: NotFound, Invalid, Unavailable."""
        held, self._held = self._held, None
        if held is None or held.url != item.external_id:
            held = await self._read(item.external_id, scope_of(item.external_id))
        if held is None or not held.is_indexed:
            raise Invalid(HIDDEN)
        return held.content

    async def check(self) -> str:
        """Read the first page, and return the site's name. Raises: Invalid, Unavailable."""
        first, _, _ = await self._open()
        return urlsplit(first.url).netloc

    async def _open(self) -> tuple[Read, Scope, Robots]:
        """The first page, wherever it leads; what is read lies where it is found."""
        if not self._start:
            raise Invalid("This is no address of a page.", {"url": "Enter the whole address, with https://."})
        try:
            first = await self._read(self._start, None)
        except NotFound as error:
            raise Invalid("There is no page at this address. Correct it.", {"url": "There is no page."}) from error
        if first is None:
            raise Invalid("There is no page with words in it at this address.", {"url": "There are no words here."})
        robots = await read_robots(self._site, first.url)
        if not robots.allows(first.url):
            raise Invalid(UNWELCOME, {"url": "The site asks not to be read here."})
        return first, scope_of(first.url), robots

    async def _crawl(
        self,
        first: Read,
        scope: Scope,
        robots: Robots,
        frontier: deque[tuple[str, int]],
        seen: set[str],
        listed: set[str],
    ) -> AsyncIterator[Page]:
        n_silent = 0
        while frontier:
            url, depth = frontier.popleft()
            try:
                read = first if url == first.url else await self._visit(url, scope, robots)
                n_silent = 0
            except Unavailable as error:
                n_silent += 1
                if n_silent >= MAX_SILENT:
                    raise
                yield Page((Unreadable(url, _name(url), error.message),), cursor="")
                continue
            except (Invalid, Forbidden) as error:
                yield Page((Unreadable(url, _name(url), error.message),), cursor="")
                continue
            if read is None or read.url in listed:
                continue
            listed.add(read.url)
            if read.is_indexed:
                self._held = read
                yield Page((self._item(read),), cursor="")
            for link in read.links if depth < self._depth else ():
                if link not in seen and len(seen) < self._limit and self._is_ours(link, scope, robots):
                    seen.add(link)
                    frontier.append((link, depth + 1))

    async def _visit(self, url: str, scope: Scope, robots: Robots) -> Read | None:
        """A page, or None for one that is gone, leads elsewhere, or holds no words."""
        await asyncio.sleep(robots.pause_s)
        try:
            return await self._read(url, scope)
        except NotFound:
            return None

    async def _read(self, url: str, scope: Scope | None) -> Read | None:
        strayed: list[httpx.URL] = []

        def may_follow(target: httpx.URL) -> bool:
            if scope is None or scope.holds(normalised(str(target))):
                return True
            strayed.append(target)
            return False

        try:
            answer = await self._site.ask(
                "GET", url, max_bytes=MAX_FILE_BYTES, may_follow=may_follow, is_wanted=_is_readable
            )
        except Invalid:
            if strayed:
                await self._refuse_private(strayed[-1])
                return None
            raise
        return await asyncio.to_thread(_page_of, answer) if answer.content else None

    async def _refuse_private(self, target: httpx.URL) -> None:
        """Another site is none of ours, and no word is lost on it; a way into a private network is told.

        Raises: Invalid.
        """
        try:
            await self._reach.way_out.guard.address_of(target.host, target.port or 443)
        except Invalid as error:
            raise Invalid(INWARD.format(host=target.host)) from error
        except Unavailable:
            return

    def _is_ours(self, url: str, scope: Scope, robots: Robots) -> bool:
        return scope.holds(url) and holds_words(f"/{_name(url)}") and robots.allows(url)

    def _dated(self, mapped: Mapped) -> Item:
        is_settled = mapped.modified_at is not None and self._reach.now() - mapped.modified_at > FRESH
        return Item(
            external_id=mapped.url,
            name=_name(mapped.url),
            revision=mapped.changed if is_settled else "",
            media_type="text/html",
            url=mapped.url,
            modified_at=mapped.modified_at,
            principals=self._principals,
        )

    def _item(self, read: Read) -> Item:
        return Item(
            external_id=read.url,
            name=_name(read.url),
            revision=hashlib.sha256(read.content).hexdigest(),
            size_bytes=len(read.content),
            media_type=read.media_type,
            url=read.url,
            modified_at=read.modified_at,
            principals=self._principals,
        )


def _page_of(answer: Answer) -> Read:
    url, media_type = normalised(answer.url), _media_type(answer.headers)
    modified_at = _moment(answer.headers.get("last-modified", ""))
    if media_type not in HTML:
        return Read(url, media_type, answer.content, modified_at)
    html: HtmlPage = read_html(answer.content, url, answer.headers)
    return Read(url, media_type, html.content, modified_at, html.links, html.is_indexed)


def _is_readable(headers: Mapping[str, str]) -> bool:
    media_type = _media_type(headers)
    return media_type in HTML or media_type in MEDIA_TYPES or media_type == ""


def _media_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _name(url: str) -> str:
    """The last part of the address, as people read it."""
    parts = urlsplit(url)
    return PurePosixPath(unquote(parts.path)).name or parts.netloc


def _moment(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None


def _too_many(limit: int) -> str:
    return (
        f"The site has more than {limit:,} pages; the others were left out. Raise the limit, or begin further down "
        "in the site."
    )


def _connect(access: Access) -> Connector:
    return WebConnector(access.reach, chosen_readers(access.integration))


async def _check(reach: Reach) -> str:
    return await WebConnector(reach, ()).check()


KIND = ConnectorKind(
    Kind(
        "web",
        "Web site",
        "link",
        "Reads the open pages of a site: those its sitemap names, and those its pages lead to. What a site asks not to "
        "be read is not.",
        (
            SourceField(
                "url",
                "First page",
                FieldType.URL,
                "What lies in the same folder of the site is read, and nothing else.",
            ),
            SourceField("depth", "How many links deep", FieldType.NUMBER, default="3"),
            SourceField("limit", "At most so many pages", FieldType.NUMBER, default="500"),
            readers_field(),
        ),
    ),
    _connect,
    _check,
)
