"""What Notion's objects say, as Markdown: rich text, the properties of a page, the blocks of its body."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

Object = Mapping[str, Any]
PREFIXES = {
    "heading_1": "# ",
    "heading_2": "## ",
    "heading_3": "### ",
    "bulleted_list_item": "- ",
    "numbered_list_item": "1. ",
    "toggle": "- ",
    "quote": "> ",
    "callout": "> ",
}
INDENTING = frozenset({"bulleted_list_item", "numbered_list_item", "to_do", "toggle"})


class Block(msgspec.Struct, frozen=True):
    """A block of a page, with those inside it."""

    kind: str
    says: Object
    """What is particular to its kind."""
    inner: tuple["Block", ...] = ()


def plain(texts: object) -> str:
    """Return rich text without its looks."""
    parts = texts if isinstance(texts, list) else []
    return "".join(str(each.get("plain_text", "")) for each in parts if isinstance(each, dict))


def title_of(thing: Object) -> str:
    """Return the title of a page or a data source; "" where it has none."""
    if isinstance(thing.get("title"), list):
        return plain(thing["title"])
    properties = thing.get("properties", {})
    return next((plain(each.get("title")) for each in properties.values() if each.get("type") == "title"), "")


def page_text(page: Object, blocks: Sequence[Block], people: Mapping[str, str]) -> str:
    """Return a page: its title, its properties a line each, its body."""
    lines = []
    for name, held in page.get("properties", {}).items():
        value = property_text(held, people)
        if value and held.get("type") != "title":
            lines.append(f"- {name}: {value}")
    parts = [f"# {title_of(page) or 'Untitled'}", "\n".join(lines), blocks_text(blocks)]
    return "\n\n".join(part for part in parts if part)


def data_source_text(source: Object) -> str:
    """Return a table of a database: its title, what it is for, its columns with what can be chosen in them."""
    lines = []
    for name, column in source.get("properties", {}).items():
        kind = str(column.get("type", ""))
        particular = column.get(kind)
        options = particular.get("options", []) if isinstance(particular, dict) else []
        chosen = ", ".join(str(each.get("name", "")) for each in options)
        lines.append(f"- {name} ({kind.replace('_', ' ')}){f': {chosen}' if chosen else ''}")
    parts = [f"# {title_of(source) or 'Untitled'}", plain(source.get("description")), "\n".join(lines)]
    return "\n\n".join(part for part in parts if part)


def property_text(held: Object, people: Mapping[str, str]) -> str:  # noqa: PLR0911 (one a kind)
    """Return the value of a property in words; "" for one that is empty, or means nothing to a reader."""
    kind = str(held.get("type", ""))
    value = held.get(kind)
    match kind:
        case "title" | "rich_text":
            return plain(value)
        case "checkbox":
            return "yes" if value else "no"
        case "number" | "url" | "email" | "phone_number" | "created_time" | "last_edited_time" | "string" | "boolean":
            return "" if value is None else str(value)
        case "formula" | "rollup" if isinstance(value, dict):
            return property_text(value, people)
        case "date" if isinstance(value, dict):
            return " to ".join(str(value[key]) for key in ("start", "end") if value.get(key))
        case "unique_id" if isinstance(value, dict):
            return "-".join(str(value[key]) for key in ("prefix", "number") if value.get(key) is not None)
        case "array" if isinstance(value, list):
            return ", ".join(text for each in value if (text := property_text(each, people)))
        case _:
            return _names(value, people)


def blocks_text(blocks: Iterable[Block], indent: str = "") -> str:
    """Return blocks as Markdown, those inside others set in where they belong to a list."""
    parts: list[str] = []
    for block in blocks:
        own = _own_text(block)
        if own:
            parts.append("\n".join(indent + line for line in own.split("\n")))
        if block.inner and block.kind != "table":
            deeper = f"{indent}  " if block.kind in INDENTING else indent
            parts.append(blocks_text(block.inner, deeper))
    return "\n\n".join(part for part in parts if part)


def _own_text(block: Block) -> str:  # noqa: PLR0911 (one a kind)
    text = plain(block.says.get("rich_text"))
    match block.kind:
        case "to_do":
            return f"- [{'x' if block.says.get('checked') else ' '}] {text}"
        case "code":
            return f"```{block.says.get('language', '')}\n{text}\n```"
        case "equation":
            return str(block.says.get("expression", ""))
        case "table":
            return _table(block)
        case "child_page" | "child_database":
            return str(block.says.get("title", ""))
        case "image" | "file" | "pdf" | "video" | "audio" | "bookmark" | "embed" | "link_preview":
            return " ".join(each for each in (_file_name(block.says), plain(block.says.get("caption"))) if each)
        case kind:
            return f"{PREFIXES.get(kind, '')}{text}" if text else ""


def _table(block: Block) -> str:
    rows = [[plain(cell).replace("|", "\\|") for cell in row.says.get("cells", [])] for row in block.inner]
    lines = [f"| {' | '.join(cells)} |" for cells in rows]
    if lines:
        lines.insert(1, f"|{'---|' * len(rows[0])}")
    return "\n".join(lines)


def _file_name(says: Object) -> str:
    """A file's name, or where a link leads; the addresses of Notion's own files end within the hour."""
    return str(says.get("name") or says.get("url") or "")


def _names(value: object, people: Mapping[str, str]) -> str:
    """What was chosen, or who was: select, status, multi-select, people, files."""
    if isinstance(value, list):
        return ", ".join(text for each in value if (text := _names(each, people)))
    if not isinstance(value, dict):
        return ""
    return str(value.get("name") or people.get(str(value.get("id", "")), ""))
