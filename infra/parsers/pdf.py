"""PDF, through PDFium: lines become paragraphs by their distance, and headings by their height."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec
import pypdfium2
from pypdfium2 import raw

from domain.errors import Invalid
from domain.parsing import BlockKind, ParsedDocument
from infra.parsers.builder import TextBuilder, one_line
from infra.parsers.text import LIST_LINE

MAX_HEADING_LENGTH = 140
MIN_HEADING_RATIO = 1.12
"""A heading is at least this much higher than the running text."""
GAP = 0.55
"""White space between two lines, as a part of their height, that ends a paragraph."""
N_FURNITURE_PAGES = 3
"""Lines are taken for running heads only in documents of at least this many pages."""
DATE = re.compile(r"^D:(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?([+\-Z])?(\d\d)?'?(\d\d)?")


class Line(msgspec.Struct, frozen=True):
    """A printed line; lengths are in points, upwards from the foot of the page."""

    text: str
    page: int
    top: float
    bottom: float

    @property
    def height(self) -> float:
        """The height of its letters, in half points."""
        return round((self.top - self.bottom) * 2) / 2


def parse(name: str, content: bytes) -> ParsedDocument:
    """Return a PDF; pages are counted from 1. Raises: Invalid when it is damaged, protected, or only pictures."""
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise Invalid(
                "This PDF is password protected. Save it without a password and bring it in again."
            ) from error
        raise Invalid("This PDF is damaged or was cut off on its way. Bring it in again.") from error
    try:
        about = document.get_metadata_dict(skip_empty=True)
        lines = [line for number in range(len(document)) for line in _lines(document, number)]
    finally:
        document.close()
    builder = TextBuilder()
    _add_lines(builder, _without_furniture(lines))
    return builder.build(
        name,
        "application/pdf",
        title=about.get("Title", ""),
        author=about.get("Author", ""),
        created_at=moment(about.get("CreationDate", "")),
        modified_at=moment(about.get("ModDate", "")),
    )


def _lines(document: pypdfium2.PdfDocument, number: int) -> Iterator[Line]:
    try:
        page = document[number]
        text_page = page.get_textpage()
    except pypdfium2.PdfiumError:
        return  # one page that is damaged; the others may be whole
    start = 0
    for text in re.split("\r\n|\n|\r", text_page.get_text_range(errors="replace")):
        n_blank = len(text) - len(text.lstrip())
        if text.strip():
            top, bottom = _extent(text_page, start + n_blank)
            yield Line(text.strip(), number + 1, top, bottom)
        start += len(text) + 2
    text_page.close()
    page.close()


def _extent(text_page: pypdfium2.PdfTextPage, index: int) -> tuple[float, float]:
    """Top and bottom of a line, from the box of one of its letters, which follows the font's size as printed."""
    box = raw.FS_RECTF()
    if index < text_page.count_chars() and raw.FPDFText_GetLooseCharBox(text_page, index, box):
        return max(box.top, box.bottom), min(box.top, box.bottom)
    return 0.0, 0.0


def _without_furniture(lines: Sequence[Line]) -> list[Line]:
    """Drop running heads and page numbers: first and last lines that return, but for digits, on most pages."""
    edges = _edges(lines)
    n_pages = len({line.page for line in lines})
    if n_pages < N_FURNITURE_PAGES:
        return list(lines)
    seen = Counter(_pattern(lines[index]) for index in edges)
    return [
        line for index, line in enumerate(lines) if index not in edges or seen[_pattern(line)] <= max(2, n_pages // 2)
    ]


def _edges(lines: Sequence[Line]) -> set[int]:
    last = len(lines) - 1
    return {
        index
        for index, line in enumerate(lines)
        if index in (0, last) or lines[index - 1].page != line.page or lines[index + 1].page != line.page
    }


def _pattern(line: Line) -> str:
    return re.sub(r"\d+", "0", line.text)


def _add_lines(builder: TextBuilder, lines: Sequence[Line]) -> None:
    levels = _levels(lines)
    held: list[Line] = []
    for line in lines:
        if held and _begins_anew(held[-1], line):
            _add_paragraph(builder, held, levels)
            held = []
        held.append(line)
    _add_paragraph(builder, held, levels)


def _levels(lines: Sequence[Line]) -> dict[float, int]:
    """Heights of headings to their levels, the highest first; the running text's height is the most frequent."""
    letters: Counter[float] = Counter()
    for line in lines:
        letters[line.height] += len(line.text)
    if not letters:
        return {}
    body = letters.most_common(1)[0][0]
    heights = sorted((height for height in letters if height > body * MIN_HEADING_RATIO), reverse=True)
    return {height: min(level, 4) for level, height in enumerate(heights, start=1)}


def _begins_anew(before: Line, line: Line) -> bool:
    if before.page != line.page:
        return before.text.endswith((".", "!", "?", ":")) or before.height != line.height
    gap = before.bottom - line.top
    is_apart = gap > GAP * line.height or line.bottom > before.top
    return is_apart or before.height != line.height or LIST_LINE.match(line.text) is not None


def _add_paragraph(builder: TextBuilder, held: Sequence[Line], levels: dict[float, int]) -> None:
    if not held:
        return
    first, text = held[0], one_line(_joined(held))
    level = levels.get(first.height, 0)
    if level and len(text) <= MAX_HEADING_LENGTH:
        builder.heading(text, level, page=first.page)
        return
    mark = LIST_LINE.match(text)
    if mark and not mark.group().strip()[0].isdigit():
        builder.add(BlockKind.LIST_ITEM, text[mark.end() :], page=first.page)
    else:
        builder.add(BlockKind.LIST_ITEM if mark else BlockKind.PARAGRAPH, text, page=first.page)


def _joined(held: Sequence[Line]) -> str:
    """Lines as running text; a word cut by a hyphen at a line's end is made whole (PDFium marks some by U+FFFE)."""
    text = ""
    for line in held:
        if re.search(r"[^\W\d_][-\x02\ufffe\xad]$", text) and line.text[:1].islower():
            text = text[:-1] + line.text
        else:
            text = f"{text} {line.text}"
    return text


def moment(text: str) -> datetime | None:
    """Return the moment of a PDF date (ISO 32000-1, 7.9.4), or None when it is none."""
    found = DATE.match(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, sign, off_hours, off_minutes = found.groups()
    offset = "+00:00" if sign in (None, "Z") else f"{sign}{off_hours or '00'}:{off_minutes or '00'}"
    clock = f"{hour or '00'}:{minute or '00'}:{second or '00'}"
    try:
        return datetime.fromisoformat(f"{year}-{month or '01'}-{day or '01'}T{clock}{offset}")
    except ValueError:
        return None
