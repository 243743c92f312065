"""Any script in Latin letters, by a table of the package anyascii."""

from anyascii import anyascii


def romanise(text: str) -> str:
    """Return the text in ASCII letters, as a reader of Latin script would write it down."""
    return anyascii(text)
