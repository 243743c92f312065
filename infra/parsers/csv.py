"""CSV and its cousins with semicolons, tabs or bars."""

import csv
import io

from domain.parsing import ParsedDocument
from infra.parsers.builder import TextBuilder, stem
from infra.parsers.charset import decode
from infra.parsers.rows import add_rows

DELIMITERS = ",;\t|"


def parse(name: str, content: bytes) -> ParsedDocument:
    """Return a table of text. Raises: Invalid when it holds no text."""
    text = decode(content).replace("\x00", "")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    builder = TextBuilder()
    add_rows(builder, reader)
    return builder.build(name, "text/csv", title=stem(name))


def _delimiter(text: str) -> str:
    """The one that is most frequent in the first lines; the sniffer of the standard library often guesses letters."""
    head = text[:20_000]
    return max(DELIMITERS, key=head.count)
