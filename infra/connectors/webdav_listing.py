"""What a WebDAV server says of a folder (RFC 4918, section 9.1)."""

from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import msgspec

from domain.errors import Invalid

if TYPE_CHECKING:
    from lxml import etree

DAV = "{DAV:}"
ASKED = (
    b'<?xml version="1.0" encoding="utf-8"?><d:propfind xmlns:d="DAV:"><d:prop><d:resourcetype/><d:getetag/>'
    b"<d:getcontentlength/><d:getlastmodified/><d:getcontenttype/></d:prop></d:propfind>"
)
NO_SERVER = "No WebDAV server answers at this address. Correct it on the integration's page."


class Resource(msgspec.Struct, frozen=True):
    """A file or a folder; `path` is under the root, without slashes at its ends."""

    path: str
    href: str
    is_folder: bool
    etag: str = ""
    size_bytes: int | None = None
    media_type: str = ""
    modified_at: datetime | None = None


def read_listing(content: bytes, root_url: str) -> list[Resource]:
    """Return what a server lists, in order of the paths; what lies outside of the root is left out.

    Raises: Invalid for what is no listing.
    """
    from lxml import etree  # noqa: PLC0415  # megabytes that only who uses them pays for

    try:
        document = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False))
    except etree.XMLSyntaxError as error:
        raise Invalid(NO_SERVER, {"url": "No WebDAV server answers here."}) from error
    if document.tag != f"{DAV}multistatus":
        raise Invalid(NO_SERVER, {"url": "No WebDAV server answers here."})
    root = unquote(urlsplit(root_url).path).strip("/")
    found = [_resource(node, root) for node in document.iter(f"{DAV}response")]
    return sorted((each for each in found if each is not None), key=lambda each: each.path)


def _resource(node: "etree._Element", root: str) -> Resource | None:
    href = (node.findtext(f"{DAV}href") or "").strip()
    path = unquote(urlsplit(href).path).strip("/")
    if path != root and not path.startswith(f"{root}/" if root else ""):
        return None
    said = next((each for each in node.iter(f"{DAV}propstat") if " 200" in (each.findtext(f"{DAV}status") or "")), None)
    if said is None:
        return None
    size = (said.findtext(f".//{DAV}getcontentlength") or "").strip()
    return Resource(
        path=path[len(root) :].strip("/"),
        href=urlsplit(href).path,
        is_folder=said.find(f".//{DAV}collection") is not None,
        etag=(said.findtext(f".//{DAV}getetag") or "").strip(),
        size_bytes=int(size) if size.isdecimal() else None,
        media_type=said.findtext(f".//{DAV}getcontenttype") or "",
        modified_at=_moment(said.findtext(f".//{DAV}getlastmodified") or ""),
    )


def _moment(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text.strip())
    except (ValueError, TypeError):
        return None
