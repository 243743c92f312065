"""Which family of formats a file belongs to: its first bytes say it, then its name, then what the source claims."""

from enum import StrEnum
from pathlib import PurePosixPath

from domain.errors import Invalid
from infra.transcript import TRANSCRIPT_TYPE


class Family(StrEnum):
    """The families of formats; one module reads each."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
    PDF = "pdf"
    WORD = "word"
    SLIDES = "slides"
    SHEETS = "sheets"
    CSV = "csv"
    MAIL = "mail"
    JSON = "json"
    TRANSCRIPT = "transcript"


SUFFIXES = {
    ".txt": (Family.TEXT, "text/plain"),
    ".log": (Family.TEXT, "text/plain"),
    ".rst": (Family.TEXT, "text/plain"),
    ".md": (Family.MARKDOWN, "text/markdown"),
    ".markdown": (Family.MARKDOWN, "text/markdown"),
    ".html": (Family.HTML, "text/html"),
    ".htm": (Family.HTML, "text/html"),
    ".xhtml": (Family.HTML, "text/html"),
    ".pdf": (Family.PDF, "application/pdf"),
    ".docx": (Family.WORD, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ".docm": (Family.WORD, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ".pptx": (Family.SLIDES, "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ".pptm": (Family.SLIDES, "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ".xlsx": (Family.SHEETS, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ".xlsm": (Family.SHEETS, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ".csv": (Family.CSV, "text/csv"),
    ".tsv": (Family.CSV, "text/csv"),
    ".eml": (Family.MAIL, "message/rfc822"),
    ".json": (Family.JSON, "application/json"),
    ".jsonl": (Family.JSON, "application/json"),
    ".ndjson": (Family.JSON, "application/json"),
}


MEDIA_TYPES = {media_type: family for family, media_type in SUFFIXES.values()} | {
    "text/x-markdown": Family.MARKDOWN,
    "application/xhtml+xml": Family.HTML,
    TRANSCRIPT_TYPE: Family.TRANSCRIPT,
}

UNSUPPORTED = (
    "This file's type is not supported. Supported are: PDF, Word (.docx), PowerPoint (.pptx), Excel (.xlsx), CSV, "
    "HTML, Markdown, plain text, JSON, mail (.eml, .mbox), and zip archives of these."
)
OLD_OFFICE = "This is a file of an old Office format. Save it as .docx, .pptx or .xlsx and bring it in again."
PROTECTED = "This file is password protected. Save it without a password and bring it in again."
BINARY_MARKS = (
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"II*\x00",
    b"MM\x00*",
    b"\x7fELF",
    b"MZ",
    b"\x1f\x8b",
    b"7z\xbc\xaf",
)
OLE_MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP_END = b"PK\x05\x06"
OFFICE_PARTS = ((b"word/", Family.WORD), (b"ppt/", Family.SLIDES), (b"xl/", Family.SHEETS))


def media_type_of(name: str) -> str:
    """Return the media type that a file's name promises, or "" when it promises none."""
    _, media_type = SUFFIXES.get(PurePosixPath(name.lower()).suffix, (None, ""))
    return media_type


def family_of(name: str, media_type: str, content: bytes) -> Family:
    """Return the family of a file. Raises: Invalid for empty, protected and unknown files, and for archives."""
    if not content.strip(b"\x00 \t\r\n"):
        raise Invalid("The file is empty.")
    by_content = _by_content(content)
    if by_content is not None:
        return by_content
    family, _ = SUFFIXES.get(PurePosixPath(name.lower()).suffix, (None, ""))
    family = family or MEDIA_TYPES.get(media_type.partition(";")[0].strip().lower())
    if family in (Family.PDF, Family.WORD, Family.SLIDES, Family.SHEETS):
        raise Invalid("This file is not what its name says: it is damaged, or has the wrong ending. Bring it in again.")
    if family not in (Family.MAIL, None):
        _refuse_binary(content)
    return family or _by_looks(content)


def _by_content(content: bytes) -> Family | None:
    if b"%PDF-" in content[:1024]:
        return Family.PDF
    if content.startswith(b"PK\x03\x04"):
        return _office(content)
    if content.startswith(OLE_MARK):
        raise Invalid(PROTECTED if "EncryptedPackage".encode("utf-16-le") in content else OLD_OFFICE)
    if content.startswith(BINARY_MARKS):
        raise Invalid(UNSUPPORTED)
    if content.startswith(b'{"format":"knowledgevault.transcript"'):
        return Family.TRANSCRIPT
    return None


def _office(content: bytes) -> Family:
    """A zip names each member beside its content, so even one that was cut off tells what it was."""
    for mark, family in OFFICE_PARTS:
        if mark in content and (b"[Content_Types].xml" in content or b"_rels/" in content):
            return family
    if ZIP_END not in content[-66_000:]:
        raise Invalid("This file is damaged or was cut off on its way. Bring it in again.")
    raise Invalid("This is an archive of a kind we cannot read as a document. Bring in the files inside it.")


def _by_looks(content: bytes) -> Family:
    """Files without a telling name: text of some kind, or nothing we know."""
    _refuse_binary(content)
    head = content[:2048].lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html")):
        return Family.HTML
    if head.startswith((b"return-path:", b"received:", b"from:", b"message-id:", b"delivered-to:", b"date:")):
        return Family.MAIL
    return Family.TEXT


def _refuse_binary(content: bytes) -> None:
    """UTF-16 and UTF-32 are full of zero bytes, but begin with their mark."""
    if b"\x00" in content[:8192] and not content.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")):
        raise Invalid(UNSUPPORTED)
