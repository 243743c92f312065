"""The public mailmaps as records in other forms than one to a name and address: repeated, nameless, one side only."""

import re
from collections.abc import Iterator
from pathlib import Path

from domain.identities import Record

LINE = re.compile(r"([^<>]*)<([^<>]+)>\s*([^<>]*)(?:<([^<>]+)>)?")
Row = tuple[str, str, str]
"""Name, address and the person."""


def read_lines(path: Path) -> list[tuple[str, str, str, str]]:
    """Return the proper name and address and the commit's, of each line; "" where one is absent."""
    matches = [LINE.match(line.strip()) for line in path.read_text().splitlines() if not line.startswith("#")]
    return [tuple((part or "").strip() for part in match.groups()) for match in matches if match]  # type: ignore[misc]


def forms(path: Path) -> Iterator[tuple[str, list[Record], list[str]]]:
    """Yield record sets with what they are called, and the person of each record."""
    lines = read_lines(path)
    people = {email.lower(): name or email.lower() for name, email, _, _ in lines}
    sides: list[Row] = []
    bare: list[Row] = []
    for name, email, second_name, second in lines:
        person = people[email.lower()]
        sides += [(name, email, person)] + ([(second_name or name, second, person)] if second else [])
        bare += [(name, email, person)] + ([(second_name, second, person)] if second else [])
    once = list(dict.fromkeys(sides))
    yield "each line, repeated", *_records(sides)
    yield "each pair once", *_records(once)
    yield "addresses in small letters", *_records(list(dict.fromkeys((a, b.lower(), who) for a, b, who in sides)))
    yield "names only where written", *_records(list(dict.fromkeys(bare)))
    yield "every third without name", *_records([row if n % 3 else ("", *row[1:]) for n, row in enumerate(once)])
    yield "addresses alone", *_records([("", email, person) for _, email, person in once])


def _records(rows: list[Row]) -> tuple[list[Record], list[str]]:
    return [Record(str(n), name, email) for n, (name, email, _) in enumerate(rows)], [person for *_, person in rows]
