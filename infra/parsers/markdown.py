"""Markdown, through markdown-it: the words stay, the marks go, the structure becomes blocks."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.front_matter import front_matter_plugin

from domain.parsing import BlockKind, ParsedDocument
from infra.parsers.builder import TextBuilder
from infra.parsers.charset import decode

FIELD = re.compile(r"^([A-Za-z][\w -]{0,40}):[ \t]+(.+)$", re.MULTILINE)
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|/|\{|\s", re.IGNORECASE)
"""What a link within one source does not begin with."""
MAX_LINKS = 200
READER = MarkdownIt("commonmark").enable(["table", "strikethrough"]).use(front_matter_plugin)
"""Keeps nothing of what it has read; making one costs a sixth of reading a page."""
HTML_TAG = re.compile(r"<!--.*?-->|<[^>]*>", re.DOTALL)


def parse(name: str, content: bytes) -> ParsedDocument:
    """Return a Markdown file; title, author and date may stand in front matter. Raises: Invalid without text."""
    tokens = READER.parse(decode(content).replace("\r\n", "\n"))
    builder = TextBuilder()
    fields = _front_matter(tokens)
    links = _links(tokens)
    walk = _Walk(builder)
    for token in tokens:
        walk.visit(token)
    return builder.build(
        name,
        "text/markdown",
        title=fields.get("title", ""),
        author=fields.get("author", ""),
        created_at=_moment(fields.get("date", "")),
        metadata={**fields, "links": "\n".join(links), "link_words": "\n".join(links.values())},
    )


class _Walk:
    """One walk over markdown-it's tokens, which open and close what they stand for."""

    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder
        self._open: Counter[str] = Counter()
        self._heading = 0
        self._mark: str | None = None
        self._cells: list[str] | None = None

    def visit(self, token: Token) -> None:
        """Append what a token says."""
        match token.type:
            case "inline":
                self._add_inline(_readable(token))
            case "fence" | "code_block":
                self._builder.add(BlockKind.CODE, token.content, label=token.info)
            case "html_block":
                self._builder.add(BlockKind.PARAGRAPH, HTML_TAG.sub(" ", token.content).strip())
            case "tr_close":
                self._builder.row(self._cells or [])
                self._cells = None
            case _ if token.nesting > 0:
                self._enter(token)
            case _ if token.nesting < 0:
                self._leave(token)
            case _:
                pass  # rules, comments, front matter

    def _enter(self, token: Token) -> None:
        self._open[token.tag] += 1
        if token.type == "heading_open":
            self._heading = int(token.tag[1])
        elif token.type == "list_item_open":
            self._mark = f"{token.info}{token.markup} " if token.info else ""
        elif token.type == "tr_open":
            self._cells = []

    def _leave(self, token: Token) -> None:
        self._open[token.tag] -= 1
        if token.type == "heading_close":
            self._heading = 0

    def _add_inline(self, text: str) -> None:
        """The first paragraph of a list's item is the item; what follows in it are paragraphs."""
        if self._cells is not None:
            self._cells.append(text)
        elif self._heading:
            self._builder.heading(text, self._heading)
        elif self._mark is not None:
            level = self._open["ul"] + self._open["ol"] - 1
            self._builder.add(BlockKind.LIST_ITEM, self._mark + text, level=level)
            self._mark = None
        else:
            kind = BlockKind.QUOTE if self._open["blockquote"] else BlockKind.PARAGRAPH
            self._builder.add(kind, text)


def _links(tokens: Sequence[Token]) -> dict[str, str]:
    """Return where the text's relative links lead, with their words; addresses and places in the page are left out."""
    found: dict[str, str] = {}
    for children in (token.children or [] for token in tokens):
        for place, child in enumerate(children):
            target = unquote(str(child.attrs.get("href", ""))).partition("#")[0] if child.type == "link_open" else ""
            if target and not ELSEWHERE.match(target) and len(found) < MAX_LINKS:
                end = next(at for at in range(place, len(children)) if children[at].type == "link_close")
                found.setdefault(target, " ".join("".join(_pieces(children[place + 1 : end])).split()))
    return found


def _readable(token: Token) -> str:
    return "".join(_pieces(token.children or ()))


def _pieces(children: Sequence[Token]) -> Iterator[str]:
    for child in children:
        match child.type:
            case "softbreak":
                yield " "
            case "hardbreak":
                yield "\n"
            case "image":
                yield child.content
            case "html_inline":
                yield " " if child.content.startswith("<br") else ""
            case _:
                yield child.content


def _front_matter(tokens: Sequence[Token]) -> dict[str, str]:
    """Only its plain `key: value` lines: enough for title, author and date, and nothing in it can be executed."""
    if not tokens or tokens[0].type != "front_matter":
        return {}
    return {key.strip().lower(): value.strip().strip("\"'") for key, value in FIELD.findall(tokens[0].content)}


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
