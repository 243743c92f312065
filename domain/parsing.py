"""Parsing: what a file becomes, one text and the blocks that point into it, and the port of the parser that does it."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from domain.errors import Invalid


class BlockKind(StrEnum):
    """What a stretch of a document is."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list_item"
    TABLE_ROW = "table_row"
    CODE = "code"
    QUOTE = "quote"
    MESSAGE = "message"
    """One message of a conversation; `label` says who wrote it and when."""


class Block(msgspec.Struct, frozen=True, omit_defaults=True):
    """A stretch `text[start:end]` of a document's text; blocks are in order and do not overlap."""

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    """Depth of a heading (1 to 6) or of a list item (0 at the margin)."""
    page: int | None = None
    """Page, slide or sheet, counted from 1, where the format has such."""
    label: str = ""


class ParsedDocument(msgspec.Struct, frozen=True):
    """What a parser makes of a file: one text (characters, `\\n` line ends, no NUL), and its structure."""

    title: str
    text: str
    blocks: tuple[Block, ...]
    media_type: str
    author: str = ""
    created_at: datetime | None = None
    modified_at: datetime | None = None
    metadata: dict[str, str] = msgspec.field(default_factory=dict)


MEGABYTE = 1024 * 1024


class ParseSettings(msgspec.Struct, frozen=True):
    """Limits a parser works under; a new value is a new parser, made with the next job."""

    version: int = 1
    """Grows with each change of a tenant's settings."""
    timeout_s: float = 60.0
    max_memory_bytes: int = 1024 * MEGABYTE
    max_unpacked_bytes: int = 512 * MEGABYTE
    max_characters: int = 10_000_000


class Parser(Protocol):
    """Reads files of any known format; made for one job, so it shares nothing."""

    async def parse(self, name: str, media_type: str, content: bytes) -> ParsedDocument:
        """Return what the file says.

        Raises: Invalid when it cannot be read, with a message for people (encrypted, truncated, empty, unknown type,
        too large, took too long).
        """


class ParseSettingsStore(Protocol):
    """How files are read in one tenant."""

    async def get(self) -> ParseSettings:
        """Return the tenant's settings, or those that hold where nobody has chosen others."""

    async def change(self, settings: ParseSettings) -> ParseSettings:
        """Keep other settings, under the next version; the next job of any worker reads by them."""


class Bounds(msgspec.Struct, frozen=True):
    """What a limit may be set to, in the unit people enter it in."""

    least: int
    most: int


BOUNDS = (
    ("timeout_s", Bounds(1, 600)),
    ("max_memory_mb", Bounds(128, 4_096)),
    ("max_unpacked_mb", Bounds(1, 4_096)),
    ("max_characters", Bounds(1_000, 50_000_000)),
)
"""By the name of the field people enter."""


def settings_from(entered: Mapping[str, str]) -> ParseSettings:
    """Return the settings somebody entered, field by field. Raises: Invalid, with a text for each wrong field."""
    wrong = {name: text for name, bounds in BOUNDS if (text := _wrong(entered.get(name, ""), bounds))}
    if wrong:
        raise Invalid("These limits cannot be kept. Look at the marked fields.", wrong)
    return ParseSettings(
        timeout_s=float(entered["timeout_s"]),
        max_memory_bytes=int(entered["max_memory_mb"]) * MEGABYTE,
        max_unpacked_bytes=int(entered["max_unpacked_mb"]) * MEGABYTE,
        max_characters=int(entered["max_characters"]),
    )


def _wrong(entered: str, bounds: Bounds) -> str:
    digits = entered.strip()
    if digits.isascii() and digits.isdecimal() and bounds.least <= int(digits[:12]) <= bounds.most:
        return ""
    return f"Enter a whole number from {bounds.least} to {bounds.most}."
