"""Word documents, through python-docx: headings by style, lists, tables, tracked insertions, footnotes at the end."""

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import docx
from docx.opc.exceptions import PackageNotFoundError
from docx.oxml.ns import qn
from lxml import etree

from domain.errors import Invalid
from domain.parsing import BlockKind, ParsedDocument
from infra.parsers.builder import TextBuilder
from infra.parsers.office import core_properties

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
HEADING_STYLE = re.compile(r"^heading (\d)$", re.IGNORECASE)

SKIPPED = frozenset({qn("w:del"), qn("w:moveFrom"), qn("w:pPr"), qn("w:rPr"), qn("w:instrText")})
"""What was deleted, and what is formatting."""
FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
"""Word repeats a text box here for older programs."""

Element = Any
"""lxml's elements; python-docx does not type them."""


def parse(name: str, content: bytes) -> ParsedDocument:
    """Return a Word document; pages are counted where Word left its page breaks. Raises: Invalid."""
    try:
        document = docx.Document(io.BytesIO(content))
    except (PackageNotFoundError, KeyError, ValueError, etree.XMLSyntaxError) as error:
        raise Invalid("This Word file is damaged. Save it anew and bring it in again.") from error
    builder = TextBuilder()
    _Body(builder, _levels(document), _has_pages(document.element.body)).visit(document.element.body)
    for number, note in enumerate(_footnotes(content), start=1):
        builder.add(BlockKind.PARAGRAPH, note, label=f"Footnote {number}")
    core = core_properties(content)
    return builder.build(
        name,
        MEDIA_TYPE,
        title=core.title if core.title != "Word Document" else "",
        author=core.author if core.author != "python-docx" else "",
        created_at=core.created_at,
        modified_at=core.modified_at,
    )


class _Style:
    """What a paragraph style means: 1 to 6 for headings; kind of block otherwise."""

    def __init__(self, level: int, kind: BlockKind) -> None:
        self.level = level
        self.kind = kind


class _Body:
    """One walk over the body in reading order."""

    def __init__(self, builder: TextBuilder, styles: dict[str, _Style], has_pages: bool) -> None:
        self._builder = builder
        self._styles = styles
        self._page: int | None = 1 if has_pages else None

    def visit(self, parent: Element) -> None:
        """Append the paragraphs and tables under an element; content controls are looked into."""
        for child in parent:
            if child.tag == qn("w:p"):
                self._add_paragraph(child)
            elif child.tag == qn("w:tbl"):
                self._add_table(child)
            elif child.tag in (qn("w:sdt"), qn("w:sdtContent"), qn("w:ins"), qn("w:moveTo"), qn("w:customXml")):
                self.visit(child)

    def _add_paragraph(self, paragraph: Element) -> None:
        page = self._page
        if self._page is not None:
            self._page += sum(1 for _ in _page_breaks(paragraph))
        text = "".join(_pieces(paragraph))
        properties = paragraph.find(qn("w:pPr"))
        style = self._styles.get(_value(properties, "w:pStyle"), _Style(0, BlockKind.PARAGRAPH))
        if style.level:
            self._builder.heading(text, style.level, page)
            return
        numbering = None if properties is None else properties.find(qn("w:numPr"))
        kind = BlockKind.LIST_ITEM if numbering is not None else style.kind
        depth = _value(numbering, "w:ilvl")
        self._builder.add(kind, text, level=int(depth) if depth.isdigit() else 0, page=page)

    def _add_table(self, table: Element) -> None:
        for row in table.iter(qn("w:tr")):
            cells = [cell for cell in row.iter(qn("w:tc")) if _parent(cell, "w:tr") is row]
            if any(cell.find(f".//{qn('w:tbl')}") is not None for cell in cells):
                continue
            self._builder.row([" ".join(_cell_lines(cell)) for cell in cells], page=self._page)
            if self._page is not None:
                self._page += sum(1 for _ in _page_breaks(row))


def _cell_lines(cell: Element) -> Iterator[str]:
    for paragraph in cell.iter(qn("w:p")):
        yield "".join(_pieces(paragraph))


def _parent(element: Element, tag: str) -> Element:
    return next(element.iterancestors(qn(tag)), None)


def _pieces(element: Element) -> Iterator[str]:
    for child in element:
        if child.tag == qn("w:t"):
            yield child.text or ""
        elif child.tag == qn("w:tab"):
            yield "\t"
        elif child.tag in (qn("w:br"), qn("w:cr")):
            yield "\n"
        elif child.tag == qn("w:noBreakHyphen"):
            yield "-"
        elif child.tag not in SKIPPED and child.tag != FALLBACK:
            yield from _pieces(child)
            if child.tag == qn("w:p"):
                yield "\n"


def _page_breaks(element: Element) -> Iterator[Element]:
    """Word notes where it broke pages when it last laid the document out; breaks set by hand are among these."""
    return iter(element.iter(qn("w:lastRenderedPageBreak")))


def _has_pages(body: Element) -> bool:
    return next(_page_breaks(body), None) is not None


def _value(parent: Element | None, tag: str) -> str:
    found = None if parent is None else parent.find(qn(tag))
    return "" if found is None else found.get(qn("w:val"), "")


def _levels(document: Any) -> dict[str, _Style]:
    """Built-in styles keep their English names in every language; others may follow one, or set an outline level."""
    elements = {style.get(qn("w:styleId"), ""): style for style in document.styles.element.iter(qn("w:style"))}
    return {style_id: _style(style_id, elements) for style_id in elements}


def _style(style_id: str, elements: dict[str, Element], depth: int = 0) -> _Style:
    element = elements.get(style_id)
    if element is None or depth > 20:  # styles that follow each other in a circle
        return _Style(0, BlockKind.PARAGRAPH)
    name = _value(element, "w:name").lower()
    properties = element.find(qn("w:pPr"))
    outline = _value(properties, "w:outlineLvl")
    heading = HEADING_STYLE.match(name)
    if heading or name == "title":
        return _Style(int(heading.group(1)) if heading else 1, BlockKind.HEADING)
    if outline.isdigit() and int(outline) < 6:
        return _Style(int(outline) + 1, BlockKind.HEADING)
    is_numbered = properties is not None and properties.find(qn("w:numPr")) is not None
    kind = _kind(name, is_numbered)
    return _Style(0, kind) if kind else _style(_value(element, "w:basedOn"), elements, depth + 1)


def _kind(name: str, is_numbered: bool) -> BlockKind | None:
    if is_numbered or name.startswith("list "):
        return BlockKind.LIST_ITEM
    if "quote" in name:
        return BlockKind.QUOTE
    return BlockKind.CODE if "code" in name or "preformatted" in name else None


def _footnotes(content: bytes) -> Iterator[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if "word/footnotes.xml" not in archive.namelist():
            return
        root = etree.fromstring(archive.read("word/footnotes.xml"), etree.XMLParser(resolve_entities=False))
    for note in root.iter(qn("w:footnote")):
        yield "".join(_pieces(note)).strip()
