"""HTML: the main part of a page as blocks; navigation, scripts and page furniture are dropped."""

import re
from datetime import datetime

from selectolax.lexbor import LexborHTMLParser, LexborNode

from domain.parsing import BlockKind, ParsedDocument
from infra.parsers.builder import TextBuilder, one_line
from infra.parsers.charset import decode

FURNITURE = (
    "head, nav, script, style, template, noscript, svg, canvas, iframe, object, button, select, input, textarea, "
    "body > footer, body > header nav, [role=navigation], [role=banner], [role=contentinfo], [role=search], "
    "[hidden], [aria-hidden=true]"
)
BLOCKS = frozenset(
    """address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption
    figure footer form header hgroup hr html legend li main ol p pre section summary table tbody tfoot thead
    tr td th ul h1 h2 h3 h4 h5 h6""".split()  # noqa: SIM905 - a reader sees words and not quotes
)
CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)


def parse(name: str, content: bytes) -> ParsedDocument:
    """Return a page. Raises: Invalid when it holds no text."""
    declared = CHARSET.search(content[:4096])
    tree = LexborHTMLParser(decode(content, declared.group(1).decode("ascii") if declared else ""))
    title, author, written = _title(tree), _meta(tree, "author"), _meta(tree, "article:published_time", "date")
    builder = TextBuilder()
    add_page(builder, tree)
    return builder.build(name, "text/html", title=title, author=author, created_at=_moment(written))


def add_html(builder: TextBuilder, markup: str) -> None:
    """Append a page, or a piece of one, such as a mail's body."""
    add_page(builder, LexborHTMLParser(markup))


def add_page(builder: TextBuilder, tree: LexborHTMLParser) -> None:
    """Append the main part of a page: its one `main` or `article`, or else its body."""
    for node in tree.css(FURNITURE):
        node.decompose()
    mains = tree.css("main, [role=main]") or tree.css("article")
    root = mains[0] if len(mains) == 1 else tree.body
    if root is not None:
        _Walk(builder).visit(root)


class _Walk:
    """One walk over a page: loose text is held until a block begins or ends."""

    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder
        self._held: list[str] = []
        self._kind = BlockKind.PARAGRAPH
        self._level = 0

    def visit(self, node: LexborNode) -> None:
        """Append what stands under a node."""
        tag = node.tag or ""
        if tag == "-text":
            self._held.append(node.text_content or "")
        elif tag == "br":
            self._held.append("\u2028")
        elif tag in BLOCKS:
            self._flush()
            self._visit_block(node, tag)
            self._flush()
        elif not tag.startswith("-"):
            self._visit_children(node)

    def _visit_block(self, node: LexborNode, tag: str) -> None:
        if tag[0] == "h" and tag[1:].isdigit():
            self._builder.heading(node.text(), int(tag[1]))
        elif tag == "pre":
            self._builder.add(BlockKind.CODE, node.text())
        elif tag == "tr" and not node.css("table"):
            self._builder.row([cell.text(separator=" ") for cell in _children(node, ("td", "th"))])
        else:
            before = self._kind, self._level
            self._enter(tag)
            self._visit_children(node)
            self._flush()
            self._kind, self._level = before

    def _enter(self, tag: str) -> None:
        if tag == "li":
            self._level = self._level + 1 if self._kind is BlockKind.LIST_ITEM else 0
            self._kind = BlockKind.LIST_ITEM
        elif tag == "blockquote":
            self._kind = BlockKind.QUOTE

    def _visit_children(self, node: LexborNode) -> None:
        child = node.child
        while child is not None:
            self.visit(child)
            child = child.next

    def _flush(self) -> None:
        text = "".join(self._held)
        self._held.clear()
        lines = [" ".join(line.split()) for line in text.split("\u2028")]
        self._builder.add(self._kind, "\n".join(lines).strip(), level=self._level)


def _children(node: LexborNode, tags: tuple[str, ...]) -> list[LexborNode]:
    found = []
    child = node.child
    while child is not None:
        if child.tag in tags:
            found.append(child)
        child = child.next
    return found


def _title(tree: LexborHTMLParser) -> str:
    """The page's own heading when there is one, since `title` often carries the site's name too."""
    headings = [one_line(node.text()) for node in tree.css("h1")]
    title = tree.css_first("title")
    if len(headings) == 1 and headings[0]:
        return headings[0]
    return one_line(title.text()) if title is not None else ""


def _meta(tree: LexborHTMLParser, *names: str) -> str:
    for node in tree.css("meta"):
        attributes = node.attributes
        if (attributes.get("name") or attributes.get("property") or "").lower() in names:
            return attributes.get("content") or ""
    return ""


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return None
