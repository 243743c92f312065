"""Cut a parsed document into chunks: stretches of text short enough to embed, long enough to mean something.

A chunk stays under its heading; only a section of a few words joins the one above it. Blocks are kept whole where they
fit; a longer one is cut after a sentence, else after a word. Spans are exact and do not overlap, so a passage can be
shown where it stands.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from domain.parsing import Block, ParsedDocument

WORD = re.compile(r"[^\W\d_]+|\d+|[^\w\s]|_")
MAX_HEADING_CHARACTERS = 120
IDEOGRAPHS_FROM = "\u2e80"
"""Scripts from here on have no spaces, and a piece for each character."""
CUT = re.compile(r"(?<=[.!?…。])[\"'”’)\]]*\s+|\n+")
"""Where a long block is best cut: after a sentence, or at the end of a line."""


class Chunk(msgspec.Struct, frozen=True):
    """A stretch `text[start:end]` of a version, with what stands above it.

    `embedded_text` is what the model and the word index read: title and heading path, then the stretch itself.
    """

    ordinal: int
    start: int
    end: int
    text: str
    heading_path: tuple[str, ...]
    title: str
    page: int | None = None

    @property
    def embedded_text(self) -> str:
        """The stretch in its context, as it is embedded."""
        return "\n".join(part for part in (self.title, " > ".join(self.heading_path), self.text) if part)

    @property
    def content_hash(self) -> bytes:
        """SHA-256 of the embedded text: equal hashes may share a vector."""
        return hashlib.sha256(self.embedded_text.encode()).digest()


class ChunkSettings(msgspec.Struct, frozen=True):
    """Limits in estimated tokens of the embedding model, the context of title and headings included."""

    max_tokens: int = 225
    """The model reads 256; the estimate is off by a tenth at times."""
    max_context_tokens: int = 60
    """A longer title or heading path does not shrink its chunks further."""
    min_section_tokens: int = 24
    """A section with less under its heading, subsections included, is read as part of the section above."""


class Section(msgspec.Struct, frozen=True):
    """What stands under one heading, up to the next that has a section of its own."""

    heading_path: tuple[str, ...]
    body: tuple[Block, ...]


class Piece(msgspec.Struct, frozen=True):
    """A stretch that is not cut further."""

    start: int
    end: int
    page: int | None
    n_tokens: int
    speaker: str = ""


def chunk(parsed: ParsedDocument, settings: ChunkSettings = ChunkSettings()) -> list[Chunk]:  # noqa: B008  # frozen
    """Return the chunks of a document, in order; all its text that is not blank stands in one, headings as their path.

    Chunks of a section are about equally long. Who speaks in a stretch of conversation ends its path. A heading with
    nothing under it is a chunk of its own.
    """
    chunks: list[Chunk] = []
    sizes = {each: estimated_tokens(parsed.text[each.start : each.end]) for each in parsed.blocks}
    for section in sections(parsed, sizes, settings):
        context = " ".join((parsed.title, *section.heading_path))
        room = settings.max_tokens - min(estimated_tokens(context), settings.max_context_tokens)
        for held in _packed(list(_pieces(parsed.text, section, sizes, room)), room):
            start, end = held[0].start, held[-1].end
            path = (*section.heading_path, *_speakers(held))
            chunks.append(Chunk(len(chunks), start, end, parsed.text[start:end], path, parsed.title, held[0].page))
    return chunks


def estimated_tokens(text: str) -> int:
    """Return about how many word pieces the text has in a vocabulary of 30,000 English pieces.

    Weights are averages by length over minutes, financial reports and medical abstracts; long numbers and rare words
    cost most. Within a tenth of the default model's own tokenizer on each of these.
    """
    return round(sum(_weight(word) for word in WORD.findall(text)))


def _weight(word: str) -> float:
    length = len(word)
    if length < 3:
        return 1.0
    if word[0].isdigit():
        return 1.3 if length < 5 else length / 2
    if not word.isascii():
        return length if word[0] >= IDEOGRAPHS_FROM else length / 2.2
    if length < 9:
        return 1.0 if length < 6 else 1.25
    return 1.6 if length < 12 else length / 3.5


def sections(parsed: ParsedDocument, sizes: Mapping[Block, int], settings: ChunkSettings) -> list[Section]:
    """Return the sections in order; empty ones only where nothing at all stands under their heading.

    Neighbouring sections of a few words are one, under the heading above them, with their headings in the body.
    """
    found: list[Section] = []
    path: list[Block] = []
    body: list[Block] = []
    small = _small_headings(parsed, sizes, settings)
    for index, block in enumerate(parsed.blocks):
        if block.kind == "heading":
            above = [heading for heading in path if heading.level < block.level]
            if index not in small or above != path:
                found.append(_section(parsed, path, body))
                body = []
            path = above if index in small else [*above, block]
        if block.kind != "heading" or index in small:
            body.append(block)
    found.append(_section(parsed, path, body))
    return [section for section in found if section.body]


def _small_headings(parsed: ParsedDocument, sizes: Mapping[Block, int], settings: ChunkSettings) -> frozenset[int]:
    """Indexes of the headings under which, subsections included, stands nothing, or too little for a section."""
    small: set[int] = set()
    below: list[tuple[int, int]] = []
    for index in range(len(parsed.blocks) - 1, -1, -1):
        block = parsed.blocks[index]
        n_tokens = sizes[block]
        if block.kind != "heading":
            below.append((7, n_tokens))
            continue
        is_bare = not below or below[-1][0] <= block.level
        while below and below[-1][0] > block.level:
            n_tokens += below.pop()[1]
        is_whole = index == 0 and not below
        below.append((block.level, n_tokens))
        is_title = parsed.text[block.start : block.end].strip() == parsed.title
        if is_bare or (n_tokens < settings.min_section_tokens and not (is_whole or is_title)):
            small.add(index)
    return frozenset(small)


def _section(parsed: ParsedDocument, path: Sequence[Block], body: Sequence[Block]) -> Section:
    """A small section that found no neighbour is a section after all, if anything stands under its heading."""
    headings = [index for index, block in enumerate(body) if block.kind == "heading"]
    if headings == [0] and len(body) > 1:
        path, body = [*path, body[0]], body[1:]
    texts = (_shortened(parsed.text[heading.start : heading.end]) for heading in path)
    return Section(tuple(text for text in texts if text and text != _shortened(parsed.title)), tuple(body))


def _shortened(heading: str) -> str:
    """Some paragraphs are marked as headings; their first words serve."""
    line = " ".join(heading.split())
    return line if len(line) <= MAX_HEADING_CHARACTERS else f"{line[: MAX_HEADING_CHARACTERS - 1].rstrip()}…"


def _pieces(text: str, section: Section, sizes: Mapping[Block, int], room: int) -> Iterator[Piece]:
    for block in section.body:
        if not text[block.start : block.end].strip():
            continue
        n_tokens = sizes[block]
        if n_tokens <= room:
            yield Piece(block.start, block.end, block.page, n_tokens, _speaker(block))
        else:
            yield from _cut(text, block, room)


def _cut(text: str, block: Block, room: int) -> Iterator[Piece]:
    """Cut a block that is too long into sentences, and those that still are into words."""
    ends = [*(match.end() for match in CUT.finditer(text, block.start, block.end)), block.end]
    start = block.start
    for end in dict.fromkeys(ends):
        if end <= start:
            continue
        n_tokens = estimated_tokens(text[start:end])
        if n_tokens <= room:
            yield Piece(start, end, block.page, n_tokens, _speaker(block))
        else:
            yield from _cut_words(text, start, end, block, room)
        start = end


def _cut_words(text: str, start: int, end: int, block: Block, room: int) -> Iterator[Piece]:
    """Cut after so many characters that the estimate can not exceed the room, at white space where there is some."""
    size = max(1, room * 2)
    while start < end:
        stop = min(end, start + size)
        if stop < end:
            space = max(text.rfind(" ", start + size // 2, stop), text.rfind("\n", start + size // 2, stop))
            stop = space + 1 if space > start else stop
        yield Piece(start, stop, block.page, estimated_tokens(text[start:stop]), _speaker(block))
        start = stop


def _packed(pieces: Sequence[Piece], room: int) -> Iterator[list[Piece]]:
    """Join neighbours into as few groups as fit, of about equal length; a heading stays with what follows it."""
    n_left = sum(piece.n_tokens for piece in pieces)
    held: list[Piece] = []
    n_tokens = 0
    for piece in pieces:
        n_groups = -(-(n_tokens + n_left) // room)
        is_full = n_tokens + piece.n_tokens > room or n_tokens * n_groups >= n_tokens + n_left
        if held and is_full:
            yield held
            held, n_tokens = [], 0
        held.append(piece)
        n_tokens += piece.n_tokens
        n_left -= piece.n_tokens
    if held:
        yield held


def _speaker(block: Block) -> str:
    """The name in a message's label, which ends with the time."""
    return block.label.rpartition(", ")[0] if block.kind == "message" else ""


def _speakers(pieces: Sequence[Piece]) -> tuple[str, ...]:
    names = ", ".join(dict.fromkeys(piece.speaker for piece in pieces if piece.speaker))
    return (names,) if names else ()
