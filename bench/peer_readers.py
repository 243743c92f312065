"""Other libraries that read a format, peers of `bench.formats`; none is needed, one that is missing is None."""

# ruff: noqa: PLC0415 -- who does not measure a format does not need its peer

import io
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec


@dataclass(frozen=True)
class PeerReader:
    """A library, and what it does with a file."""

    name: str
    read: Callable[[bytes], object]


def pypdf_reader() -> PeerReader | None:
    """Read PDF with pypdf."""
    if find_spec("pypdf") is None:
        return None
    import pypdf

    return PeerReader(
        "pypdf", lambda content: [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages]
    )


def openpyxl_reader() -> PeerReader | None:
    """Read Excel with openpyxl."""
    if find_spec("openpyxl") is None:
        return None
    import openpyxl

    return PeerReader(
        "openpyxl",
        lambda content: [
            list(sheet.values) for sheet in openpyxl.load_workbook(io.BytesIO(content), read_only=True).worksheets
        ],
    )


def markitdown_reader(ending: str) -> Callable[[], PeerReader | None]:
    """Return what makes a reader of files with this ending from markitdown, which turns all formats into Markdown."""

    def make() -> PeerReader | None:
        if find_spec("markitdown") is None:
            return None
        from markitdown import MarkItDown, StreamInfo

        converter = MarkItDown()
        return PeerReader(
            "markitdown",
            lambda content: converter.convert_stream(io.BytesIO(content), stream_info=StreamInfo(extension=ending)),
        )

    return make


READERS: dict[str, Callable[[], PeerReader | None]] = {
    "Markdown": markitdown_reader(".md"),
    "plain text": markitdown_reader(".txt"),
    "HTML": markitdown_reader(".html"),
    "mail": markitdown_reader(".eml"),
    "JSON": markitdown_reader(".json"),
    "CSV": markitdown_reader(".csv"),
    "Excel": openpyxl_reader,
    "Word": markitdown_reader(".docx"),
    "PowerPoint": markitdown_reader(".pptx"),
    "PDF": pypdf_reader,
}
"""By format, as `bench.written_files` names them."""
