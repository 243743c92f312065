"""What a text must hold, at the least, for a pattern to match in it: literals by which patterns are ruled out at once.

Reads the syntax tree that `re` itself makes, so it cannot understand a pattern differently. After Google's RE2, whose
filtered sets do the same.
"""

import re
from collections.abc import Iterable, Sequence
from re import _constants as op  # type: ignore[attr-defined]  # no stubs: the tree is not public, the version of Python is
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import msgspec

MAX_LITERALS = 192
MAX_CLASS = 4
"""A class of more characters says too little."""


class Needed(msgspec.Struct, frozen=True):
    """What any match of a part of a pattern holds, in the folded form of texts."""

    exact: frozenset[str] | None
    """All that the part can be; None where that is too much."""
    best: frozenset[str] = frozenset()
    """One of these at the least stands in a match; empty where nothing is known."""


BREAK = "\x01"
"""Parts texts that are folded together."""
SIGNS = (b"?", b"%", b"$")
"""Signs that patterns ask for; the first also stands for all that is not ASCII."""
PLAIN = bytes(
    ord("0" if letter.isdigit() else letter.lower())
    if re.match(r"\w", letter) or letter.encode() in (BREAK.encode(), *SIGNS)
    else 32
    for letter in map(chr, range(128))
) + bytes(128)
"""The folded form of each ASCII character, for `bytes.translate`; any digit is a zero."""
SPACE = frozenset({" "})
DIGIT = frozenset({"0", " ? "})
"""Digits beyond ASCII are signs like all that is."""
NUMBER_ENDS = ("0", " ? ")
NUMBER_SO_FAR = frozenset({"0", "0 ", " ? "})
"""How the folded form of a number ends, whatever digits, points and commas it goes on with."""
NOTHING_KNOWN = Needed(None)
EMPTY = Needed(frozenset({""}))


def literals(pattern: re.Pattern[str]) -> frozenset[str]:
    """Return strings of which one at least stands in the folded form of any text that matches; empty: none known."""
    found = _of_sequence(parser.parse(pattern.pattern, pattern.flags))
    return _better(found.best, found.exact or frozenset())


def folded(text: str) -> str:
    """Return the text's words in lower case, one space between and around them: where literals are looked for.

    ASCII letters, digits and underscores make words, each of SIGNS is one, and so is any letter beyond ASCII; the rest
    counts as space, so that a space stands wherever `\\b` holds, and in some places more.
    """
    if not text.isascii():  # `re` holds these equal to the ASCII ones
        text = text.replace("ſ", "s").replace("ı", "i").replace("İ", "i").replace("\u212a", "k")
    plain = text.encode("ascii", "replace").translate(PLAIN)
    for sign in SIGNS:
        plain = plain.replace(sign, b" %b " % sign)
    return f" {b' '.join(plain.split()).decode()} "


def _of_sequence(items: Iterable[Any]) -> Needed:
    """Cross what may stand next to each other, as long as it stays small; keep the best of the stretches."""
    running, best = EMPTY.exact or frozenset(), frozenset[str]()
    is_exact = True
    for item in items:
        if _goes_on_with_digits(item) and all(each.endswith(NUMBER_ENDS) for each in running):
            best, is_exact = _better(best, running), False
            running = NUMBER_SO_FAR
            continue
        part = _of_item(item)
        best = _better(best, part.best)
        crossed = _crossed(running, part.exact)
        if crossed is None:
            best, is_exact = _better(best, running), False
            crossed = part.exact if part.exact is not None else frozenset({""})
        running = crossed
    return Needed(running, best) if is_exact else Needed(None, _better(best, running))


def _goes_on_with_digits(item: tuple[Any, Any]) -> bool:
    """Whether a part is any run of digits, points and commas, as numbers go on."""
    kind, value = item
    if kind is not op.MAX_REPEAT or value[0] != 0 or len(value[2]) != 1 or value[2][0][0] is not op.IN:
        return False
    return all(
        (sort is op.CATEGORY and member is op.CATEGORY_DIGIT) or (sort is op.LITERAL and chr(member) in ".,")
        for sort, member in value[2][0][1]
    )


def _of_item(item: tuple[Any, Any]) -> Needed:  # noqa: PLR0911  # one line a kind of node
    kind, value = item
    if kind is op.LITERAL:
        return Needed(frozenset({_folded_letter(value)}))
    if kind is op.IN:
        return _of_class(value)
    if kind is op.BRANCH:
        return _of_branches([_of_sequence(branch) for branch in value[1]])
    if kind is op.SUBPATTERN:
        return _of_sequence(value[3])
    if kind is op.AT and value in (op.AT_BOUNDARY, op.AT_BEGINNING, op.AT_END):
        return Needed(SPACE)
    if kind in (op.ASSERT_NOT, op.ASSERT):
        return EMPTY
    if kind in (op.MAX_REPEAT, op.MIN_REPEAT):
        return _of_repeat(*value)
    return NOTHING_KNOWN


def _of_class(members: Sequence[tuple[Any, Any]]) -> Needed:
    if members == [(op.CATEGORY, op.CATEGORY_SPACE)]:
        return Needed(SPACE)
    if members == [(op.CATEGORY, op.CATEGORY_DIGIT)]:
        return Needed(DIGIT)
    if len(members) <= MAX_CLASS and all(kind is op.LITERAL for kind, _ in members):
        return Needed(frozenset(_folded_letter(value) for _, value in members))
    return NOTHING_KNOWN


def _of_branches(branches: Sequence[Needed]) -> Needed:
    exact = _joined([branch.exact for branch in branches])
    known = [_better(branch.best, branch.exact or frozenset()) for branch in branches]
    best = frozenset[str]().union(*known) if all(known) else frozenset[str]()
    return Needed(exact, best)


def _of_repeat(least: int, most: int, inner: Sequence[Any]) -> Needed:
    is_white = list(inner) == [(op.IN, [(op.CATEGORY, op.CATEGORY_SPACE)])]
    part = _of_sequence(inner)
    if least == 1 and (is_white or most == 1):
        return part
    if (least, most) == (0, 1) and part.exact is not None:
        return Needed(part.exact | {""})
    return Needed(None, _better(part.best, part.exact or frozenset())) if least else NOTHING_KNOWN


def _joined(sets: Sequence[frozenset[str] | None]) -> frozenset[str] | None:
    known = [each for each in sets if each is not None]
    joined = frozenset[str]().union(*known)
    return joined if len(known) == len(sets) and len(joined) <= MAX_LITERALS else None


def _crossed(left: frozenset[str], right: frozenset[str] | None) -> frozenset[str] | None:
    if right is None or len(left) * len(right) > MAX_LITERALS:
        return None
    return frozenset((one + other).replace("  ", " ") for one in left for other in right)


def _better(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """Literals rule out more the longer the shortest is."""
    return max(one, other, key=_worth)


def _worth(found: frozenset[str]) -> tuple[int, int, float]:
    bare, whole = ((len(each.strip()) for each in found), (len(each) for each in found))
    return min(bare, default=0), min(whole, default=0), sum(map(len, found)) / max(1, len(found))


def _folded_letter(value: int) -> str:
    letter = folded(chr(value))
    is_sign = letter.strip().encode() in SIGNS
    return letter if is_sign else letter.strip() or " "
