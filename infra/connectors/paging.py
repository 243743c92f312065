"""The end of a list that has none: tokens that come again, and pages without end that bring nothing."""

from domain.errors import Unavailable

MAX_PAGES = 20_000
MAX_EMPTY = 200
"""Sources that filter may send some empty pages in a row; each of these stands for a thousand things passed over."""
AGAIN = "{title} sends the same pages again and again. What was brought in stays. Sync again later."
NOTHING = (
    "{title} sends one empty page after the other, so reading was stopped after {n}. What was brought in stays. "
    "Sync again later; if it stays like this, reconnect {title} or tell its makers."
)


class Paging:
    """Watches the pages of one list while it is read."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._seen: set[str] = set()
        self._n_empty = 0

    def turn(self, following: str, n_things: int) -> str:
        """Return where the next page is, after a page that held so many things at the source.

        Raises: Unavailable when that was the next page before, or when pages bring nothing for too long.
        """
        self._n_empty = 0 if n_things else self._n_empty + 1
        if following in self._seen or len(self._seen) >= MAX_PAGES:
            raise Unavailable(AGAIN.format(title=self._title))
        if self._n_empty >= MAX_EMPTY:
            raise Unavailable(NOTHING.format(title=self._title, n=MAX_EMPTY))
        self._seen.add(following)
        return following
