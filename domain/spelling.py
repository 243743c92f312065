"""How alike two words are: edits, sounds, and the folding that makes `Müller`, `MUELLER` and `Мюллер` comparable."""

import re
import unicodedata
from collections.abc import Callable

Romanise = Callable[[str], str]
"""Writes any script in Latin letters; a table too large for the domain, so the composition root brings it."""

WORD = re.compile(r"[^\W_]+")
SOUNDS = tuple(
    (re.compile(pattern), heard)
    for pattern, heard in (
        (r"sch|sh|sz|š", "s"),
        (r"tsch|tch|ch|cz|č", "c"),
        (r"kh|gh", "h"),
        (r"ph", "f"),
        (r"ck|q|k", "k"),
        (r"c(?=[aouklrt])", "k"),
        (r"x", "ks"),
        (r"w", "v"),
        (r"zh|dj|j|y|ij|ii", "i"),
        (r"ou|oo|u", "u"),
        (r"ee|ea|ei|ie|ey|ai|ae|e", "e"),
        (r"th|dt", "t"),
        (r"z", "s"),
        (r"(?<=[aeiou])h", ""),
        (r"[o]", "u"),
        (r"e\b|(?<=..)a\b", ""),
        (r"(.)\1+", r"\1"),
    )
)
IDEOGRAPHS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def fold(text: str, romanise: Romanise) -> str:
    """Return a text in small Latin letters without marks; words keep their order and their distance."""
    text = unicodedata.normalize("NFKC", text).replace("ß", "ss")
    text = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    return text.lower() if text.isascii() else romanise(text).lower()


def words(text: str, romanise: Romanise) -> tuple[str, ...]:
    """Return the folded words of a text; apostrophes and full stops inside a word part nothing."""
    joined = re.sub(r"(?<=\w)['’ʼ`´‘](?=\w)", "", text)
    return tuple(WORD.findall(fold(joined, romanise)))


def sound(word: str) -> str:
    """Return roughly how a folded word sounds, in a spelling of our own; short words stay as they are."""
    if len(word) < 3:
        return word
    for pattern, heard in SOUNDS:
        word = pattern.sub(heard, word)
    return word


def distance(one: str, other: str, limit: int) -> int:
    """Return the number of edits (insert, drop, change, swap neighbours), or limit + 1 where it takes more.

    Optimal string alignment: Damerau, Communications of the ACM 7(3), 1964, without repeated edits of one place.
    """
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, left in enumerate(one, start=1):
        this = [row]
        for column, right in enumerate(other, start=1):
            cost = min(last[column] + 1, this[-1] + 1, last[column - 1] + (left != right))
            if row > 1 and column > 1 and left == other[column - 2] and one[row - 2] == right:
                cost = min(cost, before[column - 2] + 1)
            this.append(cost)
        if min(this) > limit:
            return limit + 1
        before, last = last, this
    return min(last[-1], limit + 1)


def slack(length: int) -> int:
    """Return how many edits a word of this length may differ by and still be a slip of the pen."""
    return 0 if length <= 2 else 1 if length <= 5 else 2 if length <= 9 else 3


def likeness(one: str, other: str) -> float:
    """Return 1 for equal words, 0 for different ones, and between them what a slip or another spelling leaves."""
    if one == other:
        return 1.0
    longer = max(len(one), len(other))
    limit = slack(longer)
    edits = distance(one, other, limit)
    written = 1 - edits / longer if edits <= limit else 0.0
    heard_one, heard_other = sound(one), sound(other)
    if heard_one == heard_other and min(len(one), len(other)) > 2:
        return max(written, 0.92)
    if longer < 5:
        return written
    heard = distance(heard_one, heard_other, 1)
    return max(written, 0.82 if heard == 1 and min(len(heard_one), len(heard_other)) >= 4 else 0.0)
