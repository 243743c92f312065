"""Numbers as they stand in an address or a form: anything may be there."""

from collections.abc import Iterable

MAX_NUMBER = 2**63 - 1
"""The largest a bigint column holds."""


def whole_number(text: str) -> int | None:
    """Return the number, or None for anything that is none, or larger than any id can be."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_NUMBER))):
        return None
    number = int(text)
    return number if number <= MAX_NUMBER else None


def whole_numbers(texts: Iterable[object]) -> list[int]:
    """Return those that are numbers, in order."""
    found = (whole_number(text) for text in texts if isinstance(text, str))
    return [number for number in found if number is not None]
