"""Parsing: what a file becomes, one text and the blocks that point into it, and the port of the parser that does it."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec


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


class ParseSettings(msgspec.Struct, frozen=True):
    """Limits a parser works under; a new value is a new parser."""

    version: int = 1
    timeout_s: float = 60.0
    max_memory_bytes: int = 1024 * 1024 * 1024
    max_unpacked_bytes: int = 512 * 1024 * 1024
    max_characters: int = 10_000_000


class Parser(Protocol):
    """Reads files of any known format; made for one job, so it shares nothing."""

    async def parse(self, name: str, media_type: str, content: bytes) -> ParsedDocument:
        """Return what the file says.

        Raises: Invalid when it cannot be read, with a message for people (encrypted, truncated, empty, unknown type,
        too large, took too long).
        """
