"""What a question spells out: "quoted phrases" that must stand as they are, and -words that must not."""

import re

import msgspec

from domain.search import SearchFilter

MAX_PHRASES = 8
MAX_PHRASE_CHARACTERS = 200
QUOTED = re.compile(r"\"([^\"]+)\"|“([^”]+)”|„([^“”]+)[“”]|«([^»]+)»")
EXCLUDED = re.compile(r"(?<!\S)[-−](?=[^\W\d_])([^\s\"“„«]+)|(?<!\S)[-−]\"([^\"]+)\"")
"""A hyphen before a letter, with white space before it: `-draft`, not `well-known`, `- item` or `-5`."""


class Wording(msgspec.Struct, frozen=True):
    """A question taken apart: `text` is what both legs search by, quoted words included, excluded ones not."""

    text: str
    phrases: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    def narrow(self, narrowed: SearchFilter) -> SearchFilter:
        """Return the filter with these phrases and exclusions in it as well."""
        if not self.phrases and not self.excluded:
            return narrowed
        return msgspec.structs.replace(
            narrowed, phrases=narrowed.phrases + self.phrases, excluded=narrowed.excluded + self.excluded
        )


def read_wording(question: str) -> Wording:
    """Return what a question asks for; one that excludes all it has is taken as it is written."""
    excluded = tuple(_only_group(match) for match in EXCLUDED.finditer(question))[:MAX_PHRASES]
    wanted = " ".join(EXCLUDED.sub(" ", question).split())
    if not any(character.isalnum() for character in wanted):
        return Wording(question)
    phrases = (" ".join(_only_group(match).split()) for match in QUOTED.finditer(wanted))
    kept = tuple(each for each in phrases if any(map(str.isalnum, each)) and len(each) <= MAX_PHRASE_CHARACTERS)
    return Wording(wanted, kept[:MAX_PHRASES], excluded)


def _only_group(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group is not None)
