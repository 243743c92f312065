"""Addresses of pages: brought into one form, kept within a part of a site, and found in the pages themselves."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

import msgspec

from infra.parsers.charset import decode

MAX_URL_CHARACTERS = 1_000
"""Addresses are external ids as they stand."""
PORTS = {("http", 80), ("https", 443)}
TRACKING = re.compile(r"^(utm_\w+|gclid|fbclid|mc_[ce]id)$")
"""Parameters that say how somebody came to a page, not which page it is."""
VOLATILE = "script, style, noscript, template, meta[charset], meta[http-equiv], input[type=hidden], link"
"""What no person reads, and what often differs from one visit to the next."""
CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)


class HtmlPage(msgspec.Struct, frozen=True):
    """What a page of HTML says, and where it leads."""

    content: bytes
    """UTF-8, without what no person reads."""
    links: tuple[str, ...]
    is_indexed: bool
    """False where the page asks not to be found."""


class Scope(msgspec.Struct, frozen=True):
    """The part of a site that is read: everything in the folder in which its first page lies."""

    host: str
    folder: str

    def holds(self, url: str) -> bool:
        """Whether an address lies in it."""
        parts = urlsplit(url)
        is_web = parts.scheme in ("http", "https")
        return is_web and parts.netloc == self.host and (parts.path or "/").startswith(self.folder)


def scope_of(url: str) -> Scope:
    """Return what is read when reading begins at an address."""
    parts = urlsplit(url)
    return Scope(parts.netloc, f"{parts.path.rpartition('/')[0]}/")


def normalised(url: str, base: str = "") -> str:
    """Return an address in the one form it is known by; "" for what is no address of a page."""
    try:
        parts = urlsplit(urljoin(base, url.strip()))
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    netloc = host if port is None or (parts.scheme, port) in PORTS else f"{host}:{port}"
    query = urlencode([each for each in parse_qsl(parts.query, keep_blank_values=True) if not TRACKING.match(each[0])])
    path = quote(parts.path, safe="/%:@!$&'()*+,;=~-._") or "/"
    found = urlunsplit((parts.scheme, netloc, path, query, ""))
    return found if len(found) <= MAX_URL_CHARACTERS else ""


def read_html(content: bytes, url: str, headers: Mapping[str, str]) -> HtmlPage:
    """Return what a page says, with its links in order."""
    named = CHARSET.search(headers.get("content-type", "")) or CHARSET.search(content[:4096].decode("latin-1"))
    from selectolax.lexbor import LexborHTMLParser  # noqa: PLC0415  # only who reads pages pays for it

    tree = LexborHTMLParser(decode(content, named.group(1) if named else ""))
    base = tree.css_first("base[href]")
    root = urljoin(url, base.attributes.get("href") or "") if base is not None else url
    links = (normalised(node.attributes.get("href") or "", root) for node in tree.css("a[href], area[href]"))
    wishes = [node.attributes.get("content") or "" for node in tree.css("meta[name=robots], meta[name=knowledgevault]")]
    wishes.append(headers.get("x-robots-tag", ""))
    said = ",".join(wishes).lower()
    found = () if "nofollow" in said or "none" in said else tuple(dict.fromkeys(link for link in links if link))
    for node in tree.css(VOLATILE):
        node.decompose()
    markup = b'<!doctype html><meta charset="utf-8">' + (tree.html or "").encode("utf-8", "replace")
    return HtmlPage(markup, found, not ("noindex" in said or "none" in said))
