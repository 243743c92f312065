"""Cutting a stream of things into pieces of a size."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batched(things: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """Yield them in order, `size` at a time; the last piece may be shorter."""
    left = iter(things)
    while batch := tuple(islice(left, size)):
        yield batch
