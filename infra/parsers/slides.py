"""PowerPoint, through python-pptx: a heading for each slide, its texts and tables, and the speaker's notes."""

import io
from collections.abc import Iterable, Iterator
from typing import Any

import pptx
from lxml import etree
from pptx.exc import PackageNotFoundError

from domain.errors import Invalid
from domain.parsing import BlockKind, ParsedDocument
from infra.parsers.builder import TextBuilder, one_line
from infra.parsers.office import core_properties

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.presentationml.presentation"

Shape = Any
"""python-pptx does not type what its shapes can do."""


def parse(name: str, content: bytes) -> ParsedDocument:
    """Return a presentation; pages are its slides. Raises: Invalid when it is damaged or says nothing."""
    try:
        presentation = pptx.Presentation(io.BytesIO(content))
    except (PackageNotFoundError, KeyError, ValueError, etree.XMLSyntaxError) as error:
        raise Invalid("This presentation is damaged. Save it anew and bring it in again.") from error
    builder = TextBuilder()
    for number, slide in enumerate(presentation.slides, start=1):
        _add_slide(builder, slide, number)
    core = core_properties(content)
    return builder.build(
        name,
        MEDIA_TYPE,
        title=core.title if core.title != "PowerPoint Presentation" else "",
        author=core.author,
        created_at=core.created_at,
        modified_at=core.modified_at,
    )


def _add_slide(builder: TextBuilder, slide: Any, number: int) -> None:
    title = slide.shapes.title
    if title is not None:
        builder.heading(title.text_frame.text, 1, page=number)
    for shape in _flat(slide.shapes):
        if title is None or shape.shape_id != title.shape_id:
            _add_shape(builder, shape, number)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        notes = slide.notes_slide.notes_text_frame.text
        builder.add(BlockKind.PARAGRAPH, notes, page=number, label="Speaker notes")


def _flat(shapes: Iterable[Shape]) -> Iterator[Shape]:
    """Shapes in the order a person reads them, from the top and the left; groups are looked into."""
    for shape in sorted(shapes, key=lambda shape: (shape.top or 0, shape.left or 0)):
        if hasattr(shape, "shapes"):
            yield from _flat(shape.shapes)
        else:
            yield shape


def _add_shape(builder: TextBuilder, shape: Shape, number: int) -> None:
    if getattr(shape, "has_table", False):
        for row in shape.table.rows:
            builder.row([cell.text_frame.text for cell in row.cells], page=number)
    if not shape.has_text_frame:
        return
    paragraphs = [paragraph for paragraph in shape.text_frame.paragraphs if one_line(paragraph.text)]
    for paragraph in paragraphs:
        kind = BlockKind.LIST_ITEM if len(paragraphs) > 1 else BlockKind.PARAGRAPH
        builder.add(kind, paragraph.text, level=paragraph.level, page=number)
