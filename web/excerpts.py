"""Excerpts: stretches of documents as results and answers show them, each with the address of its place."""

import msgspec

from domain.retrieval import Hit, Marked
from web.narrowing import passage_path


class Excerpt(msgspec.Struct, frozen=True):
    """A stretch of a passage, with its marks counted from its own start."""

    heading_path: tuple[str, ...]
    page: int | None
    text: str
    spans: tuple[tuple[int, int], ...]
    path: str
    is_cut_before: bool
    is_cut_after: bool


class ShownHit(msgspec.Struct, frozen=True):
    """A document that matches, as the list of results shows it; the best excerpt stands apart."""

    hit: Hit
    best: Excerpt
    others: tuple[Excerpt, ...]


def show_hit(hit: Hit) -> ShownHit:
    """Return a hit as it is shown."""
    best, *others = (show_marked(marked) for marked in hit.passages)
    return ShownHit(hit, best, tuple(others))


def show_marked(marked: Marked) -> Excerpt:
    """Return a marked passage as it is shown."""
    passage, start, end = marked.passage, marked.start, marked.end
    return Excerpt(
        heading_path=passage.heading_path,
        page=passage.page,
        text=passage.text[start:end],
        spans=tuple((mark_start - start, mark_end - start) for mark_start, mark_end in marked.marks),
        path=passage_path(passage.document_id, passage.version_id, passage.start + start, passage.start + end),
        is_cut_before=start > 0,
        is_cut_after=end < len(passage.text),
    )
