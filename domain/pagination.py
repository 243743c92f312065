"""A watch over what a source lists: one that turns in circles is stopped, with a word about it, not read for ever."""

import hashlib

from domain.errors import Unavailable
from domain.integrations import Item, Page

REMEMBERED_PAGES = 20_000
MAX_STILL_PAGES = 20_000
"""A source with many parts, as folders without words, may have nothing to say for a while, but not for ever."""
MAX_EMPTY_PAGES = 500
"""One that brings nothing and yet says each time that it has moved on is not believed for so long."""
CIRCLES = (
    "The source gives the same page again and again, so reading was stopped. What was brought in stays. "
    "Sync again; if it stays like this, reconnect the source or tell its maker."
)
EMPTY = (
    "The source gives one empty page after the other, so reading was stopped. What was brought in stays. "
    "Sync again later; if it stays like this, reconnect the source."
)


class PageWatch:
    """Remembers the pages of one run by their fingerprints; it is owned by that run and ends with it."""

    def __init__(self) -> None:
        self._seen: dict[bytes, None] = {}
        self._n_empty = 0
        self._n_moved = 0
        self._cursor: str | None = None

    def is_news(self, page: Page) -> bool:
        """Take note of a page; return whether there is anything to do for it.

        Raises: Unavailable when the source turns in circles.
        """
        has_moved, self._cursor = page.cursor != self._cursor, page.cursor
        if page.entries:
            self._check(page)
            return True
        has_groups = bool(page.groups or page.gone_groups)
        self._n_empty += 1
        self._n_moved = 0 if has_groups else self._n_moved + has_moved
        if self._n_empty > MAX_STILL_PAGES or self._n_moved > MAX_EMPTY_PAGES:
            raise Unavailable(EMPTY)
        return has_moved or has_groups

    def _check(self, page: Page) -> None:
        self._n_empty = self._n_moved = 0
        fingerprint = _fingerprint(page)
        if fingerprint in self._seen:
            raise Unavailable(CIRCLES)
        self._seen[fingerprint] = None
        if len(self._seen) > REMEMBERED_PAGES:
            del self._seen[next(iter(self._seen))]


def _fingerprint(page: Page) -> bytes:
    digest = hashlib.blake2b(page.cursor.encode(), digest_size=16)
    for entry in page.entries:
        revision = entry.revision if isinstance(entry, Item) else type(entry).__name__
        digest.update(f"\0{entry.external_id}\0{revision}".encode("utf-8", "surrogatepass"))
    return digest.digest()
