"""What the cells of a table claim: the entity is the head of the row, the attribute the head of the column.

`| kettle | Mick Tarrant |` below `| service | owner |` claims that Mick Tarrant owns kettle. Only what can be
compared is read: a figure, a day, or a name where the column says whose something is.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from domain.claims import DATE, DURATIONS, MEANT, NUMBER, PERIOD, Claim, claim_of
from domain.parsing import BlockKind
from domain.search import Analyzer
from domain.statements import Statement

MAX_CELLS = 200
"""Of one document; what goes on longer is a record of many things, and no statement about each."""
MAX_HEAD = 60
MAX_KEY_WORDS = 6
UNITS = frozenset(
    ("eur usd gbp chf percent c kg g km m mb gb tb kb ms w v hz % € $ £ °c".split())  # noqa: SIM905
    + [f"{name}{end}" for name, _ in DURATIONS for end in ("", "s")]
)
SAYS_NOTHING = frozenset(
    "value amount number count total note comment statu state date description detail what name id result type".split()  # noqa: SIM905
)
"""Heads of columns that are no attribute by themselves."""
OWNERSHIP = frozenset(("owner", "maintainer"))
RULE = re.compile(r":?-{2,}:?")
LABELLED = re.compile(r"(?P<name>[^:|]{1,60}): +(?P<value>.+)", re.DOTALL)
BOUND = r"(?:(?:up to|at least|at most|max\.?|min\.?) |[~<>≤≥] ?)?"
FIGURE = re.compile(rf"{BOUND}(?:[€$£] ?)?{NUMBER} ?(?:%|€|°C|[^\W\d_]+)?(?: [^\W\d_]+)?", re.IGNORECASE)
VERSION = re.compile(r"\d\.\d+\.\d")
PERSON = re.compile(r"[A-ZÀ-Þ][\w'’.-]+(?: [A-ZÀ-Þ][\w'’.-]+){1,3}")
UNIT_IN_HEAD = re.compile(r"(?P<name>.*?)(?: ?[(\[](?P<bracketed>[^()\[\]]+)[)\]]| (?:in )?(?P<last>\S+))\s*")


class Cell(msgspec.Struct, frozen=True):
    """One value of a table, at `start:end` of the document, where it stands in the row."""

    start: int
    end: int
    row: str
    entity: str
    attribute: str
    value: str
    heading: str


def cell_claims(found: Sequence[Statement], analyzer: Analyzer) -> list[Claim]:
    """Return what the tables among a document's statements claim, in order, MAX_CELLS at most."""
    claimed = (_claim(cell, analyzer) for table in _tables(found) for cell in _cells(table))
    return [claim for claim in claimed if claim is not None][:MAX_CELLS]


def _tables(found: Sequence[Statement]) -> Iterator[list[Statement]]:
    """Yield rows that stand below one another, each table by itself."""
    rows: list[Statement] = []
    for each in found:
        is_next = bool(rows) and each.heading == rows[-1].heading and each.block == rows[-1].block + 1
        if rows and not (each.kind is BlockKind.TABLE_ROW and is_next):
            yield rows
            rows = []
        if each.kind is BlockKind.TABLE_ROW:
            rows.append(each)
    if rows:
        yield rows


def _cells(table: Sequence[Statement]) -> Iterator[Cell]:
    heads = [text for text, _, _ in _parts(table[0])]
    if not _are_heads(heads):
        return
    rows = [(row, _by_head(heads, _parts(row))) for row in table[1:]]
    keys = Counter(cells[0][1] for _, cells in rows if cells and cells[0][0] == heads[0])
    for row, cells in rows:
        if not cells or cells[0][0] != heads[0] or keys[cells[0][1]] > 1 or not _is_key(cells[0][1]):
            continue
        for head, value, start, end in cells[1:]:
            attribute, stated = _with_unit(head, value)
            if _is_comparable(attribute, stated):
                yield Cell(start, end, row.text.strip("| "), cells[0][1], attribute, stated, row.heading)


def _parts(row: Statement) -> list[tuple[str, int, int]]:
    """The cells of a row with their places in the document."""
    inner = row.text.strip()
    begin = row.start + row.text.index(inner)
    if inner.startswith("|"):
        inner, begin = inner[1:], begin + 1
    inner = inner.removesuffix("|")
    found, at = [], begin
    for cell in inner.split("|"):
        text = cell.strip()
        start = at + (cell.index(text) if text else 0)
        found.append((text, start, start + len(text)))
        at += len(cell) + 1
    return found


def _are_heads(heads: Sequence[str]) -> bool:
    return (
        len(heads) > 1
        and len(set(heads)) == len(heads)
        and all(len(head) <= MAX_HEAD and not head[:1].isdigit() for head in heads)
        and all(re.search(r"[^\W\d_]", head) for head in heads[1:])
    )


def _by_head(heads: Sequence[str], parts: Sequence[tuple[str, int, int]]) -> list[tuple[str, str, int, int]]:
    """The cells under their heads: those that name them, as spreadsheets are read, else one for each."""
    named = [LABELLED.fullmatch(text) for text, _, _ in parts]
    if all(each is not None and each.group("name") in heads for each in named):
        pairs = zip(named, parts, strict=True)
        return [(each.group("name"), each.group("value"), start, end) for each, (_, start, end) in pairs if each]
    if len(parts) != len(heads) or all(RULE.fullmatch(text) for text, _, _ in parts if text):
        return []
    return [(head, *part) for head, part in zip(heads, parts, strict=True)]


def _is_key(written: str) -> bool:
    """Whether the head of a row names something: not a day, a period or a bare number."""
    is_time = DATE.search(written) or PERIOD.search(written)
    return bool(re.search(r"[^\W\d_]{2}", written)) and not is_time and len(written.split()) <= MAX_KEY_WORDS


def _with_unit(head: str, value: str) -> tuple[str, str]:
    """The attribute in words, and the value with the unit that the head of its column holds."""
    words = " ".join(head.replace("_", " ").split())
    found = UNIT_IN_HEAD.fullmatch(words)
    unit = (found.group("bracketed") or found.group("last") or "") if found else ""
    unit = unit.lower().removeprefix("in ")
    if not found or unit not in UNITS:
        return words, value
    return found.group("name"), f"{value} {'°C' if unit == 'c' else unit}" if re.fullmatch(NUMBER, value) else value


def _is_comparable(attribute: str, value: str) -> bool:
    words = attribute.lower().split()
    if not words or all(word.removesuffix("s") in SAYS_NOTHING for word in words):
        return False
    if words[-1] in OWNERSHIP:
        return PERSON.fullmatch(value) is not None
    is_figure = FIGURE.fullmatch(value) is not None and VERSION.search(value) is None
    return is_figure or DATE.fullmatch(value) is not None


def _claim(cell: Cell, analyzer: Analyzer) -> Claim | None:
    """What the cell claims, as the sentence that says so would."""
    said = f"{cell.attribute[:1].lower()}{cell.attribute[1:]} of {cell.entity} is {cell.value}."
    claim = claim_of(said, analyzer)
    if claim is None:
        return None
    about = {MEANT.get(word.lexeme, word.lexeme) for word in analyzer.words(cell.entity)} & (claim.words | claim.names)
    subject = about | {name for name in claim.entities if name in cell.entity.lower() and re.search(r"\d", name)}
    if not subject or not claim.words - subject:
        return None
    periods = {" ".join(each.group().lower().split()) for each in PERIOD.finditer(cell.heading)}
    return msgspec.structs.replace(
        claim,
        start=cell.start,
        end=cell.end,
        text=cell.row,
        words=claim.words | about,
        said=said,
        subject=frozenset(subject),
        periods=claim.periods | periods,
    )
