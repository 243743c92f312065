"""Triggers: the words by which frames and gaps are seen, a table of data; and the port that finds them all at once.

A trigger's examples are its tests: every one that must match does, none that must not. People never see a pattern.
"""

from collections.abc import Collection, Sequence
from typing import Protocol

import msgspec


class Trigger(msgspec.Struct, frozen=True):
    """One row of the table; `pattern` is in Python's syntax, case does not count, a space is any white space."""

    name: str
    """Group and place within it: `decision 4`."""
    group: str
    """What it speaks for: a frame, a kind of gap, or `not_decision`."""
    weight: float
    pattern: str
    matching: tuple[str, ...]
    other: tuple[str, ...]


class Match(msgspec.Struct, frozen=True, gc=False):
    """The first place in a sentence, `sentence[start:end]`, where a trigger matches."""

    trigger: Trigger
    start: int
    end: int
    named: tuple[tuple[str, int, int], ...] = ()
    """The named groups of its pattern: name, start, end."""


class Matcher(Protocol):
    """Finds every trigger of the table in one pass over the sentences of a text."""

    @property
    def version(self) -> str:
        """Changes with the table, and with nothing else."""

    @property
    def familiar(self) -> Collection[str]:
        """What any reader knows, abbreviations and words, in capitals: what the world at large often writes."""

    def match(self, sentences: Sequence[str]) -> list[list[Match]]:
        """Return for each sentence one match a trigger, in the table's order: what `re.search` finds for each."""
