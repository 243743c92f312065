"""The corpus in the formats people keep: the same words as PDF, Word, PowerPoint, Excel, CSV, HTML, mail and others."""

import csv
import io
import json
import re
import textwrap
from collections.abc import Callable
from email.message import EmailMessage

import docx
import openpyxl
import pptx

from tests.parsers.files import pdf

LINES_A_PAGE = 40


def _lines(text: str) -> list[str]:
    """Return the words in lines of a page's width, in letters that every format's writer knows."""
    plain = re.sub(r"[()\\]|[^\x20-\x7e\n]", "", text.replace("#", ""))
    return [line for paragraph in plain.splitlines() for line in textwrap.wrap(paragraph, 90)]


def _pdf(text: str) -> bytes:
    lines = _lines(text)
    pages = [lines[at : at + LINES_A_PAGE] for at in range(0, len(lines), LINES_A_PAGE)]
    return pdf(*[[(11, line) for line in page] for page in pages])


def _word(text: str) -> bytes:
    document = docx.Document()
    for paragraph in filter(None, text.split("\n\n")):
        if paragraph.startswith("#"):
            document.add_heading(paragraph.lstrip("# "), level=1 + paragraph.startswith("##"))
        else:
            document.add_paragraph(paragraph)
    return _saved(document.save)


def _slides(text: str) -> bytes:
    presentation = pptx.Presentation()
    for part in filter(None, text.split("## ")):
        title, _, body = part.partition("\n\n")
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text = title.lstrip("# ")
        slide.placeholders[1].text = body
    return _saved(presentation.save)


def _sheets(text: str) -> bytes:
    book = openpyxl.Workbook()
    for row in _rows(text):
        book.active.append(row)
    return _saved(book.save)


def _csv(text: str) -> bytes:
    held = io.StringIO()
    csv.writer(held).writerows(_rows(text))
    return held.getvalue().encode()


def _rows(text: str) -> list[tuple[str, str]]:
    return [("Number", "Statement"), *((str(n), line) for n, line in enumerate(_lines(text)))]


def _html(text: str) -> bytes:
    parts = [f"<p>{each}</p>" for each in text.split("\n\n")]
    return f"<!doctype html><title>Note</title><body><main>{''.join(parts)}</main>".encode()


def _mail(text: str) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Ada <ada@vault.example>", "ben@vault.example", "A note"
    message["Date"] = "Mon, 05 Jan 2026 10:00:00 +0000"
    message.set_content("\n".join(_lines(text)))
    return message.as_bytes()


def _json(text: str) -> bytes:
    return json.dumps([{"statement": line} for line in _lines(text)]).encode()


def _saved(save: Callable[[io.BytesIO], None]) -> bytes:
    held = io.BytesIO()
    save(held)
    return held.getvalue()


WRITERS: dict[str, tuple[str, Callable[[str], bytes]]] = {
    "Markdown": (".md", str.encode),
    "plain text": (".txt", str.encode),
    "HTML": (".html", _html),
    "mail": (".eml", _mail),
    "JSON": (".json", _json),
    "CSV": (".csv", _csv),
    "Excel": (".xlsx", _sheets),
    "Word": (".docx", _word),
    "PowerPoint": (".pptx", _slides),
    "PDF": (".pdf", _pdf),
}
"""By format: how its files' names end, and what writes them."""
