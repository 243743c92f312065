"""The one text and its blocks, as every family of formats builds them.

Blocks are parted by an empty line, so an empty line is always an end: of a sentence, of a row, of a message.
"""

import re
from datetime import UTC, datetime
from pathlib import PurePosixPath

from domain.errors import Invalid
from domain.parsing import Block, BlockKind, ParsedDocument

UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f\u200b\ufeff\ufffe\uffff\ud800-\udfff]")
"""Control characters, byte order marks, zero-width spaces and halves of surrogate pairs: nothing a person reads."""

MAX_TITLE_CHARACTERS = 160

NO_TEXT = (
    "This file contains no text we can read. If it is a scan or holds only pictures, bring in a version with text."
)


class TextBuilder:
    """Collects blocks in reading order; each lands in the text at the span it is given."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._blocks: list[Block] = []
        self._end = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been added yet."""
        return not self._blocks

    def add(self, kind: BlockKind, text: str, *, level: int = 0, page: int | None = None, label: str = "") -> None:
        """Append a block; text without a visible character is left out."""
        text = cleaned(text)
        if not text:
            return
        if self._blocks:
            self._parts.append("\n\n")
            self._end += 2
        self._parts.append(text)
        start, self._end = self._end, self._end + len(text)
        self._blocks.append(Block(kind, start, self._end, level, page, one_line(label)))

    def heading(self, text: str, level: int, page: int | None = None) -> None:
        """Append a heading as one line; levels beyond 6 count as 6."""
        self.add(BlockKind.HEADING, one_line(text), level=min(max(level, 1), 6), page=page)

    def row(self, cells: list[str], page: int | None = None) -> None:
        """Append a table row; rows whose cells are all empty are left out."""
        if any(cell.strip() for cell in cells):
            self.add(BlockKind.TABLE_ROW, " | ".join(one_line(cell) for cell in cells), page=page)

    def build(
        self,
        name: str,
        media_type: str,
        *,
        title: str = "",
        author: str = "",
        created_at: datetime | None = None,
        modified_at: datetime | None = None,
        metadata: dict[str, str] | None = None,
    ) -> ParsedDocument:
        """Return the document; without a title, the first heading is it, or else the file's name.

        Raises: Invalid when there is no text.
        """
        if self.is_empty:
            raise Invalid(NO_TEXT)
        text = "".join(self._parts)
        return ParsedDocument(
            title=_shortened(one_line(title) or self._first_heading(text) or stem(name)),
            text=text,
            blocks=tuple(self._blocks),
            media_type=media_type,
            author=one_line(author),
            created_at=in_utc(created_at),
            modified_at=in_utc(modified_at),
            metadata={key: cleaned(value) for key, value in (metadata or {}).items() if value},
        )

    def _first_heading(self, text: str) -> str:
        first = next((block for block in self._blocks if block.kind is BlockKind.HEADING), None)
        return text[first.start : first.end] if first else ""


def cleaned(text: str) -> str:
    """Return the text with `\\n` line ends, plain spaces, no invisible characters, and no empty lines around it."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0b", "\n").replace("\x0c", "\n")
    text = UNWANTED.sub("", text.replace("\xa0", " ").replace("\u2028", "\n").replace("\u2029", "\n"))
    return re.sub(r"[ \t]+(?=\n)", "", text).strip("\n").rstrip() if text.strip() else ""


def one_line(text: str) -> str:
    """Return the text with all white space folded."""
    return " ".join(cleaned(text).split())


def stem(name: str) -> str:
    """Return a file's name without its folders and its ending, as a title of last resort."""
    path = PurePosixPath(name.replace("\\", "/"))
    return one_line(path.stem) or one_line(name) or "Untitled"


def _shortened(title: str) -> str:
    return title if len(title) <= MAX_TITLE_CHARACTERS else f"{title[: MAX_TITLE_CHARACTERS - 1].rstrip()}…"


def in_utc(moment: datetime | None) -> datetime | None:
    """Return the moment in UTC; one without a zone is taken as UTC, one outside the calendar as unknown."""
    if moment is None or moment.tzinfo is None:
        return moment and moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
