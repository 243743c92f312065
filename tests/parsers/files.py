"""Small files of each family, made here so that the tests need nothing from elsewhere."""

import io
import zipfile

import docx
import openpyxl
import pptx


def word() -> bytes:
    document = docx.Document()
    document.core_properties.title = ""
    document.core_properties.author = "Ann Lee"
    document.add_heading("Travel policy", level=1)
    document.add_paragraph("Book trains, not planes.")
    document.add_heading("Limits", level=2)
    document.add_paragraph("Hotels up to 150 EUR.", style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip((*table.rows[0].cells, *table.rows[1].cells), ("City", "Limit", "Oslo", "200"), strict=True):
        cell.text = text
    document.add_paragraph("As agreed.", style="Quote")
    return _saved(document)


def slides() -> bytes:
    presentation = pptx.Presentation()
    for title, lines in (("Roadmap", ("Ship search", "Ship answers")), ("Risks", ("One person knows billing",))):
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = "\n".join(lines)
    presentation.slides[1].notes_slide.notes_text_frame.text = "Ask Ben to write it down."
    return _saved(presentation)


def workbook() -> bytes:
    book = openpyxl.Workbook()
    book.active.title = "People"
    for row in (("Name", "Role", "Since"), ("Ann", "Lead", 2024), ("Ben", None, 2025.5)):
        book.active.append(row)
    second = book.create_sheet("Costs")
    second.append((1, 2))
    return _saved(book)


def pdf(*pages: list[tuple[int, str]]) -> bytes:
    """A PDF of lines, each with its size in points, from the top of the page down."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for lines in pages:
        y, stream = 780, ""
        for size, line in lines:
            y -= round(size * 1.2) if line else 30
            stream += f"BT /F1 {size} Tf 50 {y} Td ({line}) Tj ET\n" if line else ""
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}endstream")
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] "
            f"/Resources << /Font << /F1 3 0 R >> >> /Contents {len(objects)} 0 R >>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    return _assembled(objects)


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 3, 4, 10, 12, 0)), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def password_protected_zip() -> bytes:
    """The standard library cannot encrypt; the flag alone is what every reader looks at."""
    content = bytearray(zipped({"secret.md": b"# Secret"}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1
    return bytes(content)


def bomb(size_bytes: int) -> bytes:
    """A Word file of zeros."""
    members = {"[Content_Types].xml": b"<Types/>", "word/document.xml": b"\x00" * size_bytes}
    return zipped(members)


def lying_bomb(size_bytes: int) -> bytes:
    """The same, announcing ten bytes."""
    content = bytearray(bomb(size_bytes))
    true_size = size_bytes.to_bytes(4, "little")
    while (at := content.find(true_size)) != -1:
        content[at : at + 4] = (10).to_bytes(4, "little")
    return bytes(content)


def _saved(document: object) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)  # type: ignore[attr-defined]
    return buffer.getvalue()


def _assembled(objects: list[str]) -> bytes:
    content, offsets = "%PDF-1.4\n", []
    for number, each in enumerate(objects, start=1):
        offsets.append(len(content))
        content += f"{number} 0 obj\n{each}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    trailer = f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(content)}\n%%EOF"
    return f"{content}xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{trailer}".encode("latin-1")
