"""What all Office files share: the core properties beside their content (ECMA-376, part 2, section 11)."""

import io
import zipfile
from datetime import datetime

import msgspec
from lxml import etree

PATH = "docProps/core.xml"


class CoreProperties(msgspec.Struct, frozen=True):
    """Who wrote a file and when, as the program that wrote it says."""

    title: str = ""
    author: str = ""
    created_at: datetime | None = None
    modified_at: datetime | None = None


def core_properties(content: bytes) -> CoreProperties:
    """Return an Office file's properties; empty where it has none."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            root = etree.fromstring(archive.read(PATH), etree.XMLParser(resolve_entities=False, no_network=True))
    except (KeyError, zipfile.BadZipFile, etree.XMLSyntaxError):
        return CoreProperties()
    texts = {etree.QName(node).localname: (node.text or "").strip() for node in root if isinstance(node.tag, str)}
    return CoreProperties(
        title=texts.get("title", ""),
        author=texts.get("creator", ""),
        created_at=_moment(texts.get("created", "")),
        modified_at=_moment(texts.get("modified", "")),
    )


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
