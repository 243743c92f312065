"""The product's normaliser at the terminal: records of people resolved, pairs of names scored, one JSON line each."""

import csv
from collections.abc import Iterator
from pathlib import Path

import msgspec

from domain.errors import Invalid
from domain.identities import Record
from domain.names import match_names
from domain.resolving import resolve
from infra.romanising import romanise


class ResolvedRecord(msgspec.Struct, frozen=True):
    """A record's place."""

    id: str | int
    cluster: str | int


class ScoredPair(msgspec.Struct, frozen=True):
    """A pair of names with the verdict."""

    name1: str
    name2: str
    same: bool
    score: float


class ReadRecord(msgspec.Struct, frozen=True):
    """A record as a file has it."""

    id: str | int
    name: str | None = ""
    email: str | None = ""
    project: str | None = ""


def resolve_lines(path: Path) -> Iterator[str]:
    """Yield a JSON line for each record, in order. Raises: Invalid for a line that is no record, or a second id."""
    read: dict[str, str | int] = {}
    records = []
    for number, line in enumerate(_content(path).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            each = msgspec.json.decode(line, type=ReadRecord)
        except msgspec.DecodeError as error:
            raise Invalid(f"Line {number} of {path.name} is no record with an id. Mend it and try again.") from error
        key = f"{type(each.id).__name__}:{each.id}"
        if key in read:
            raise Invalid(f"Line {number} of {path.name} repeats the id {each.id}. Give each record its own.")
        read[key] = each.id
        records.append(Record(key, each.name or "", each.email or "", each.project or ""))
    for key, cluster in resolve(records, romanise):
        yield msgspec.json.encode(ResolvedRecord(read[key], read[cluster])).decode()


def match_lines(path: Path) -> Iterator[str]:
    """Yield a JSON line for each row, in order. Raises: Invalid when the columns name1 and name2 are missing."""
    rows = csv.DictReader(_content(path).splitlines())
    if not {"name1", "name2"} <= set(rows.fieldnames or ()):
        raise Invalid(f"{path.name} has no columns name1 and name2. Name them in its first line.")
    for row in rows:
        one, other = row["name1"] or "", row["name2"] or ""
        match = match_names(one, other, romanise)
        yield msgspec.json.encode(ScoredPair(one, other, match.is_same, match.score)).decode()


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{path} cannot be read as a text in UTF-8. Check the path and the file.") from error
