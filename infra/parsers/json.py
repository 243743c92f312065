"""JSON and JSON lines: each value on a line with the names that lead to it; records of a list are one block each."""

import json
from collections.abc import Iterator

from domain.errors import Invalid
from domain.parsing import BlockKind, ParsedDocument
from infra.parsers.builder import TextBuilder
from infra.parsers.charset import decode

Value = dict[str, "Value"] | list["Value"] | str | int | float | bool | None


def parse(name: str, content: bytes) -> ParsedDocument:
    """Return a JSON file as readable lines. Raises: Invalid when it is no JSON, with the line that is wrong."""
    value = _loaded(decode(content))
    builder = TextBuilder()
    _add(builder, value, level=1)
    title = value.get("title") if isinstance(value, dict) else ""
    return builder.build(name, "application/json", title=title if isinstance(title, str) else "")


def _loaded(text: str) -> Value:
    try:
        value: Value = json.loads(text)
    except json.JSONDecodeError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        try:
            return [json.loads(line) for line in lines] if len(lines) > 1 else _refused(error)
        except json.JSONDecodeError:
            return _refused(error)
    return value


def _refused(error: json.JSONDecodeError) -> Value:
    raise Invalid(f"This is not valid JSON: {error.msg} in line {error.lineno}. Correct it and bring it in again.")


def _add(builder: TextBuilder, value: Value, level: int) -> None:
    if isinstance(value, dict):
        plain = {key: below for key, below in value.items() if not _is_large(below)}
        builder.add(BlockKind.PARAGRAPH, "\n".join(_lines(plain)))
        for key, below in value.items():
            if _is_large(below):
                builder.heading(key, level)
                _add(builder, below, level + 1)
    elif isinstance(value, list):
        for record in value:
            if isinstance(record, dict | list) and _is_large(record):
                _add(builder, record, level)
            else:
                builder.add(BlockKind.TABLE_ROW, "\n".join(_lines(record)))
    else:
        builder.add(BlockKind.PARAGRAPH, str(value))


def _is_large(value: Value) -> bool:
    """Whether a value deserves blocks of its own: it holds lists or objects that hold more such."""
    below = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return any(isinstance(member, dict | list) and member for member in below)


def _lines(value: Value, path: str = "") -> Iterator[str]:
    lead = f"{path}: " if path else ""
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _lines(below, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        members = "; ".join(", ".join(_lines(member)) for member in value)
        if members:
            yield f"{lead}{members}"
    elif value is not None and value != "":
        yield f"{lead}{str(value).lower() if isinstance(value, bool) else value}"
