"""What a site says to readers such as us: which pages not to read (RFC 9309), and which there are (sitemaps.org)."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from domain.errors import Forbidden, Invalid, NotFound, Unavailable
from infra.connectors.site import Site
from infra.connectors.web_links import normalised

if TYPE_CHECKING:
    from lxml import etree

AGENT = "KnowledgeVault"
MAX_ROBOTS_BYTES = 512 * 1024
MAX_SITEMAP_BYTES = 50 * 1024 * 1024
"""Unpacked; the protocol allows no more."""
MAX_SITEMAPS = 100
MAX_PAUSE_S = 10.0
GZIP_MARK = b"\x1f\x8b"


class Mapped(msgspec.Struct, frozen=True):
    """A page of a sitemap; `changed` is as the site writes it, "" where it does not say."""

    url: str
    changed: str
    modified_at: datetime | None


class Robots:
    """The wishes of one site."""

    def __init__(self, text: str) -> None:
        from protego import Protego  # noqa: PLC0415  # only who reads sites pays for it

        self._rules = Protego.parse(text)

    def allows(self, url: str) -> bool:
        """Whether a page may be read."""
        return bool(self._rules.can_fetch(url, AGENT))

    @property
    def pause_s(self) -> float:
        """How long to wait between two pages; longer than ten seconds we do not."""
        return min(float(self._rules.crawl_delay(AGENT) or 0.0), MAX_PAUSE_S)

    @property
    def sitemaps(self) -> list[str]:
        """Where the site's maps lie."""
        return [str(each) for each in self._rules.sitemaps]


async def read_robots(site: Site, url: str) -> Robots:
    """Return a site's wishes; one that has none, or keeps them to itself, has none. Raises: Unavailable."""
    try:
        answer = await site.ask("GET", _at_root(url, "/robots.txt"), max_bytes=MAX_ROBOTS_BYTES)
    except (NotFound, Invalid, Forbidden):
        return Robots("")
    return Robots(answer.content.decode("utf-8", "replace"))


async def read_sitemaps(site: Site, url: str, robots: Robots) -> AsyncIterator[Mapped]:
    """Yield the pages of a site's maps, and of the maps those name; a map that cannot be read is passed over.

    Raises: Unavailable when the site itself does not answer, lest all its pages look as if they were gone.
    """
    left, seen = robots.sitemaps or [_at_root(url, "/sitemap.xml")], set[str]()
    while left and len(seen) < MAX_SITEMAPS:
        address = normalised(left.pop(0), url)
        if not address or address in seen:
            continue
        seen.add(address)
        try:
            answer = await site.ask("GET", address, max_bytes=MAX_SITEMAP_BYTES)
            pages, maps = await asyncio.to_thread(_read, answer.content)
        except (NotFound, Invalid, Forbidden):
            continue
        except Unavailable:
            if urlsplit(address).netloc == urlsplit(url).netloc:
                raise
            continue
        left += maps
        for page in pages:
            yield page


def _at_root(url: str, path: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{path}"


def _unpacked(content: bytes) -> bytes:
    if not content.startswith(GZIP_MARK):
        return content
    unpacker = zlib.decompressobj(wbits=31)
    try:
        return unpacker.decompress(content, MAX_SITEMAP_BYTES)
    except zlib.error as error:
        raise Invalid("The sitemap is damaged.") from error


def _read(content: bytes) -> tuple[list[Mapped], list[str]]:
    """The pages of a map, and the maps it names; a list of plain addresses is a map too. Raises: Invalid."""
    content = _unpacked(content)
    if not content.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        lines = content[:MAX_SITEMAP_BYTES].decode("utf-8", "replace").split()
        return [Mapped(url, "", None) for line in lines if (url := normalised(line))], []
    from lxml import etree  # noqa: PLC0415  # megabytes that only who uses them pays for

    try:
        root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True, recover=True))
    except etree.XMLSyntaxError as error:
        raise Invalid("The sitemap is damaged.") from error
    if root is None:
        return [], []
    maps = [(node.text or "").strip() for node in root.iterfind("{*}sitemap/{*}loc")]
    return list(_pages(root)), maps


def _pages(root: "etree._Element") -> Iterator[Mapped]:
    for node in root.iterfind("{*}url"):
        if url := normalised(node.findtext("{*}loc") or ""):
            changed = (node.findtext("{*}lastmod") or "").strip()
            yield Mapped(url, changed, _moment(changed))


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
