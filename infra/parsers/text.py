"""Plain text: paragraphs parted by empty lines, lists, and headings that are underlined."""

import re

from domain.parsing import BlockKind, ParsedDocument
from infra.parsers.builder import TextBuilder, cleaned
from infra.parsers.charset import decode

LIST_LINE = re.compile(r"^(\s*)(?:[-*•‣·–]|\d{1,3}[.)])\s+(?=\S)")
WRAPPED_CHARACTERS = 55
"""Mail is broken at 65 to 80 characters; the last word of a line may be long."""
UNDERLINES = {"=": 1, "-": 2, "~": 3}


def parse(name: str, content: bytes) -> ParsedDocument:
    """Return a plain text file. Raises: Invalid when it holds no text."""
    builder = TextBuilder()
    add_paragraphs(builder, decode(content))
    return builder.build(name, "text/plain")


def add_paragraphs(builder: TextBuilder, text: str) -> None:
    """Append plain text as paragraphs, list items and headings."""
    for paragraph in re.split(r"\n[ \t]*\n", cleaned(text)):
        lines = [line.rstrip() for line in paragraph.split("\n") if line.strip()]
        if len(lines) > 1 and _is_underline(lines[1], lines[0]):
            builder.heading(lines[0], UNDERLINES[lines[1].strip()[0]])
            lines = lines[2:]
        _add_lines(builder, lines)


def _add_lines(builder: TextBuilder, lines: list[str]) -> None:
    """Lines before the first list line are a paragraph; lines after one belong to its item."""
    held: list[str] = []
    kind, level = BlockKind.PARAGRAPH, 0
    for line in lines:
        mark = LIST_LINE.match(line)
        if mark:
            builder.add(kind, _unwrapped(held), level=level)
            held, kind, level = [], BlockKind.LIST_ITEM, len(mark.group(1).expandtabs(4)) // 2
            line = line[mark.end() :] if not mark.group().strip()[0].isdigit() else line.strip()  # noqa: PLW2901
        held.append(line)
    builder.add(kind, _unwrapped(held), level=level)


def _unwrapped(lines: list[str]) -> str:
    """Join lines that were broken for width only; short ones, as in addresses and signatures, stay apart."""
    text = ""
    for number, line in enumerate(lines):
        is_broken_for_width = number > 0 and len(lines[number - 1]) >= WRAPPED_CHARACTERS and not line.startswith(" ")
        text += (" " if is_broken_for_width else "\n" if number else "") + line.rstrip()
    return text


def _is_underline(line: str, above: str) -> bool:
    marks = line.strip()
    return len(marks) >= max(3, len(above.strip()) // 2) and len(set(marks)) == 1 and marks[0] in UNDERLINES
