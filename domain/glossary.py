"""A tenant's own glossary: abbreviations that its documents explain, as `service level objective (SLO)` does."""

import re
from collections.abc import Iterator

import msgspec

MAX_LONG_WORDS = 8
MAX_LONG_CHARACTERS = 80
MAX_ENTRIES = 200
"""A document that explains more is a dictionary of something else."""
SHORT = r"[A-Z][A-Za-z0-9&/-]{0,8}[A-Z0-9]s?"
IN_BRACKETS = re.compile(rf"\((?P<short>{SHORT})\)")
BEFORE_CHARACTERS = 120
PARTING = re.compile(r"[\n().;:|]")
SHORT_THEN_LONG = re.compile(rf"\b(?P<short>{SHORT})\s?\((?P<long>[^\n()]{{3,{MAX_LONG_CHARACTERS}}})\)")
DEFINED = re.compile(
    rf"(?:^\W*|[.;]\s+)(?P<short>{SHORT})\W{{0,3}}"
    r"(?:\s*[:=–—|]\s*|\s+-\s+|\s+(?:stands for|is short for|means)\s+)\W{0,3}"
    rf"(?P<long>[^\n.;:|(]{{3,{MAX_LONG_CHARACTERS}}})",
    re.MULTILINE,
)


class Expansion(msgspec.Struct, frozen=True):
    """An abbreviation and what it stands for."""

    short: str
    long: str


def explained(text: str) -> list[Expansion]:
    """Return the abbreviations a text explains, each once; their letters begin the words of what they stand for."""
    found = dict.fromkeys(each for each in _candidates(text) if each is not None)
    return list(found)[:MAX_ENTRIES]


def _candidates(text: str) -> Iterator[Expansion | None]:
    for match in IN_BRACKETS.finditer(text):
        before = PARTING.split(text[max(0, match.start() - BEFORE_CHARACTERS) : match.start()])[-1]
        yield _checked(match["short"], _tail(match["short"], before))
    for match in (*SHORT_THEN_LONG.finditer(text), *DEFINED.finditer(text)):
        yield _checked(match["short"], _head(match["short"], match["long"]))


def _checked(short: str, long: str) -> Expansion | None:
    words = long.split()
    is_long = 2 <= len(words) <= MAX_LONG_WORDS and len(long) <= MAX_LONG_CHARACTERS and short not in words
    return Expansion(short, long) if is_long else None


def _tail(short: str, before: str) -> str:
    """The last words before an abbreviation that its letters begin; "" when they do not."""
    words = before.split()
    for n_words in range(2, min(len(words), MAX_LONG_WORDS) + 1):
        if _begins(short, words[-n_words:]):
            return " ".join(words[-n_words:]).strip(" ,*_`\"'“”")
    return ""


def _head(short: str, after: str) -> str:
    """The first words after an abbreviation that its letters begin; "" when they do not."""
    words = after.split()
    fitting = [n for n in range(2, min(len(words), MAX_LONG_WORDS) + 1) if _begins(short, words[:n])]
    return " ".join(words[: fitting[0]]).strip(" ,*_`\"'“”") if fitting else ""


def _begins(short: str, words: list[str]) -> bool:
    """Whether the letters begin the words in order, small words aside; the first and last word must have theirs."""
    letters = [letter.lower() for letter in short.rstrip("s") if letter.isalnum()]
    initials = [part[0].lower() for word in words for part in re.findall(r"[^\W_]+", word)]
    if not initials or initials[0] != letters[0] or initials[-1] != letters[-1]:
        return False
    at = 0
    for initial in initials:
        if at < len(letters) and initial == letters[at]:
            at += 1
    return at == len(letters) and len(initials) <= len(letters) + 2
