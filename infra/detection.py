"""Detection outside the vault: documents given as lines of JSON, read by the product's own code."""

import codecs
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from domain.cells import cell_claims
from domain.claims import claims
from domain.contradictions import Conflict, Placed, conflicts
from domain.detection import Detected, detect
from domain.errors import Invalid
from domain.parsing import Block
from domain.search import Analyzer
from domain.statements import plain_blocks, statements
from domain.surroundings import Source, Surroundings, survey
from domain.triggers import Matcher
from infra.analysis import WordAnalyzer
from infra.triggers import make_matcher


class DocumentLine(msgspec.Struct, frozen=True):
    """A line of the file: one document."""

    id: str | int
    text: str
    title: str | None = None
    date: str | None = None
    author: str | None = None

    @property
    def source(self) -> Source:
        """The document as detectors read it; its id may be its path."""
        return Source(self.text, self.title or "", self.author or "", _read_date(self.date), str(self.id))


class ReadDocument(msgspec.Struct, frozen=True):
    """A document and its blocks, where a parser has seen them."""

    id: str | int
    source: Source
    blocks: tuple[Block, ...] | None = None


def read_lines(path: Path) -> list[ReadDocument]:
    """Return the documents of a file. Raises: Invalid, naming the line that cannot be read."""
    found = []
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Invalid(f"{path} cannot be read. Check the path.") from error
    for number, line in enumerate(content.removeprefix(codecs.BOM_UTF8).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            each = msgspec.json.decode(line, type=DocumentLine)
        except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Invalid(f"Line {number} of {path} is not a document with id and text: {error}.") from error
        found.append(ReadDocument(each.id, each.source))
    return found


def detect_all(documents: Sequence[ReadDocument], matcher: Matcher, analyzer: Analyzer) -> Iterator[Detected]:
    """Yield what each document holds, in order, in the surroundings of all; a single line has none to speak of."""
    around = survey([each.source for each in documents]) if len(documents) > 1 else Surroundings()
    for each in documents:
        yield detect(each.source, around, matcher, analyzer, each.blocks)


def find_conflicts(documents: Sequence[ReadDocument], analyzer: Analyzer) -> list[Conflict]:
    """Return the conflicts between documents, surest first."""
    placed: list[Placed] = []
    for each in documents:
        found = statements(each.source.text, each.blocks or plain_blocks(each.source.text), analyzer)
        stated = [claim for statement in found for claim in claims(statement, analyzer)]
        placed += [Placed(each.id, claim) for claim in (*stated, *cell_claims(found, analyzer))]
    return conflicts(placed)


def conflict_as_json(conflict: Conflict) -> dict[str, Any]:
    """Return one line of output of `knowledgevault contradictions`."""
    return {
        side: {"id": placed.document, "start": placed.claim.start, "end": placed.claim.end}
        for side, placed in (("a", conflict.a), ("b", conflict.b))
    } | {"kind": conflict.kind.value, "score": conflict.score}


def print_detections(path: Path) -> None:
    """Print one line of JSON a document. Raises: Invalid."""
    documents = read_lines(path)
    detected = zip(documents, detect_all(documents, make_matcher(), WordAnalyzer()), strict=True)
    _print(as_json(each.id, found) for each, found in detected)


def print_conflicts(path: Path) -> None:
    """Print one line of JSON a conflict. Raises: Invalid."""
    _print(conflict_as_json(each) for each in find_conflicts(read_lines(path), WordAnalyzer()))


def _print(lines: Iterable[dict[str, Any]]) -> None:
    """Print line by line, until whoever reads has enough."""
    try:
        for line in lines:
            sys.stdout.write(f"{json.dumps(line, ensure_ascii=False)}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the exit of Python complains again


def as_json(document_id: str | int, detected: Detected) -> dict[str, Any]:
    """Return one line of output of `knowledgevault detect`."""
    return {
        "id": document_id,
        "frames": [
            {
                "type": frame.type.value,
                "start": frame.start,
                "end": frame.end,
                "slots": {slot.name: slot.value for slot in frame.slots},
                "negated": frame.is_negated,
                "modality": frame.modality.value,
            }
            for frame in detected.frames
        ],
        "gaps": [
            {"kind": gap.kind.value, "start": gap.start, "end": gap.end, "question": gap.question, "score": gap.score}
            for gap in detected.gaps
        ],
    }


def _read_date(written: str | None) -> datetime | None:
    if not written:
        return None
    try:
        read = datetime.fromisoformat(written)
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)
