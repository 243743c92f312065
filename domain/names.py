"""Whether two written names may name one person or one organisation, with a score and the reason.

Words are paired regardless of their order; each pair is weighed by how alike it is, words without a partner by whether
they contradict something. What a name alone cannot tell (addresses, teams) is `domain.identities`.
"""

# ruff: noqa: SIM905  # long lists of words read better as one text
import re
from collections.abc import Sequence

import msgspec

from domain.companies import CompanyName, read_company
from domain.nicknames import PARTICLES, SURNAMES, TITLES, is_nickname
from domain.spelling import IDEOGRAPHS, Romanise, distance, likeness, slack, words

THRESHOLD = 0.5
"""From this score on, two names are the same."""
INITIAL_LIKENESS = 0.85
NICKNAME_LIKENESS = 0.95
WEAK_LIKENESS = 0.65
"""Below it, two words are two words."""
LINEAGE = frozenset("bin ben ibn bint binti".split())
"""What stands between a child's name and a parent's."""
REGIONS = frozenset(
    "europe international global worldwide asia africa america deutschland germany france uk usa".split()
)


class NameMatch(msgspec.Struct, frozen=True):
    """What a comparison of two names came to."""

    score: float
    """From 0 to 1."""
    reason: str

    @property
    def is_same(self) -> bool:
        """Whether the names may stand for one."""
        return self.score >= THRESHOLD


def match_names(one: str, other: str, romanise: Romanise) -> NameMatch:
    """Return how well two names agree, each a person's or an organisation's."""
    if one.strip() and " ".join(one.split()).casefold() == " ".join(other.split()).casefold():
        return NameMatch(1.0, "The names are the same.")
    if IDEOGRAPHS.search(one) and IDEOGRAPHS.search(other):
        return NameMatch(0.2, "Each character of such a name counts, and one differs.")
    first, second = words(one, romanise), words(other, romanise)
    if not first or not second:
        return NameMatch(0.0, "One of the names is empty.")
    companies = read_company(first), read_company(second)
    if any(each.is_certain for each in companies) and not _is_person_like(one, other):
        return match_companies(*companies)
    return match_people(person_words(first), person_words(second))


def person_words(folded: Sequence[str]) -> tuple[str, ...]:
    """Return a person's words without titles and repetitions."""
    last = folded[-1] if len(folded) == 2 and folded[-1] in SURNAMES else ""
    kept = [word for word in folded if word not in TITLES or word == last] or list(folded)
    return tuple(word for place, word in enumerate(kept) if place == 0 or kept[place - 1] != word)


def match_people(one: Sequence[str], other: Sequence[str]) -> NameMatch:
    """Return how well two persons' names agree; both are folded words."""
    if sorted(one) == sorted(other) and not _exchanged(one, other):
        return NameMatch(0.99, "The same words, in another order or script.")
    if joined := _joined(one, other):
        return joined
    if fathers := _exchanged(one, other):
        return NameMatch(0.2, f"“{fathers[0]}” is the child of “{fathers[1]}” in one name and the parent in the other.")
    one, other = _parted(*_spelled_out(one, other))
    shorter, longer = sorted((tuple(one), tuple(other)), key=len)
    pairs = paired(shorter, longer)
    matched = [(shorter[a], longer[b], alike) for a, b, alike in pairs]
    lone_short = [word for place, word in enumerate(shorter) if place not in {a for a, _, _ in pairs}]
    lone_long = [word for place, word in enumerate(longer) if place not in {b for _, b, _ in pairs}]
    return _weighed(matched, lone_short, lone_long)


def paired(shorter: Sequence[str], longer: Sequence[str]) -> list[tuple[int, int, float]]:
    """Return the best pairs of words, each word at most once, with their likeness; neighbours in place come first."""
    scored = sorted(
        (
            (-alike, abs(a - b), a, b)
            for a, left in enumerate(shorter)
            for b, right in enumerate(longer)
            if (alike := person_likeness(left, right)) >= WEAK_LIKENESS
        )
    )
    found: list[tuple[int, int, float]] = []
    used_a, used_b = set(), set()
    for negative, _, a, b in scored:
        if a not in used_a and b not in used_b:
            used_a.add(a)
            used_b.add(b)
            found.append((a, b, -negative))
    return found


def person_likeness(one: str, other: str) -> float:
    """Return how alike two words of persons' names are; an initial stands for any word it begins."""
    if one == other:
        return 1.0
    if len(one) == 1 or len(other) == 1:
        return INITIAL_LIKENESS if one[0] == other[0] else 0.0
    if is_nickname(one, other):
        return NICKNAME_LIKENESS
    return likeness(one, other)


def _weighed(matched: list[tuple[str, str, float]], lone_short: list[str], lone_long: list[str]) -> NameMatch:
    """Words of both names without a partner contradict each other; words of one name only are left out by the other."""
    names_short = [word for word in lone_short if word not in PARTICLES]
    names_long = [word for word in lone_long if word not in PARTICLES]
    full = [pair for pair in matched if len(pair[0]) > 1 and len(pair[1]) > 1 and pair[0] not in PARTICLES]
    slips = sum(alike < NICKNAME_LIKENESS for _, _, alike in full)
    if names_short:
        return NameMatch(0.25 if full else 0.05, f"“{names_short[0]}” and “{(names_long or ['nothing'])[0]}” differ.")
    if not full:
        return NameMatch(0.3, "Only initials agree.")
    if len([pair for pair in matched if pair[0] not in PARTICLES]) < 2:
        is_alone = not names_long
        return NameMatch(
            full[0][2] * 0.9 if is_alone else 0.4, "One word agrees." if is_alone else "Only one word agrees."
        )
    weight = sum(_weight(a, b) for a, b, _ in matched)
    mean = sum(alike * _weight(a, b) for a, b, alike in matched) / weight
    score = mean - 0.12 * max(0, slips - 1) - 0.03 * len(names_long)
    least = min(alike for _, _, alike in full)
    if least < 0.7 and mean < 0.85:
        score -= 0.3
    return NameMatch(round(max(0.0, min(score, 0.98)), 3), _said(matched, names_long))


def _weight(one: str, other: str) -> float:
    return 0.4 if min(len(one), len(other)) == 1 or one in PARTICLES else 1.0


def _said(matched: list[tuple[str, str, float]], left_out: list[str]) -> str:
    unlike = [f"“{a}” for “{b}”" for a, b, alike in matched if alike < 1]
    parts = [f"read {', '.join(unlike)}"] if unlike else ["every word agrees"]
    parts += [f"“{' '.join(left_out)}” left out"] if left_out else []
    return "; ".join(parts).capitalize() + "."


def _joined(one: Sequence[str], other: Sequence[str]) -> NameMatch | None:
    """Words may be written together, apart, or across a hyphen."""
    if len(one) == len(other):
        return None
    left, right = "".join(one), "".join(other)
    edits = distance(left, right, 1)
    if min(len(left), len(right)) >= 6 and edits <= 1:
        return NameMatch(0.96 - 0.1 * edits, "The same letters, parted differently.")
    return None


def _exchanged(one: Sequence[str], other: Sequence[str]) -> tuple[str, str] | None:
    """`Salman bin Omar` and `Omar bin Salman` are father and son: return the two words, or None."""
    lines = [
        {(words[at - 1], words[at + 1]) for at in range(1, len(words) - 1) if words[at] in LINEAGE}
        for words in (one, other)
    ]
    return next(((child, parent) for child, parent in sorted(lines[0]) if (parent, child) in lines[1]), None)


def _spelled_out(one: Sequence[str], other: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Take a first word of initials apart where the other name begins with words for each: `jc` for `jean claude`."""
    for short, long in ((one, other), (other, one)):
        first = short[0]
        is_initials = len(first) in (2, 3) and first == "".join(word[0] for word in long[: len(first)])
        if is_initials and len(long) > len(first) and len(short) > 1 and long[0] != first:
            apart = (*first, *short[1:])
            return (apart, long) if short is one else (long, apart)
    return one, other


def _parted(one: Sequence[str], other: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Write neighbours of one name together where the other name has them as one word."""
    return _together(one, frozenset(other)), _together(other, frozenset(one))


def _together(name: Sequence[str], whole: frozenset[str]) -> tuple[str, ...]:
    found: list[str] = []
    for word in name:
        if found and len(found[-1] + word) > 5 and found[-1] + word in whole and word not in whole:
            found[-1] += word
        else:
            found.append(word)
    return tuple(found)


def match_companies(one: CompanyName, other: CompanyName) -> NameMatch:
    """Return how well two organisations' names agree: every word counts, a number or place more than any."""
    if one.numbers != other.numbers:
        return NameMatch(0.3, "The numbers in the names differ.")
    left, right = "".join(one.core), "".join(other.core)
    is_contrary = bool(one.forms and other.forms and not one.forms & other.forms)
    penalty = 0.5 if is_contrary else 0.0
    note = "; the legal forms differ" if is_contrary else ""
    if left == right or sorted(one.core) == sorted(other.core):
        return NameMatch(0.99 - penalty, f"The same name{note}.")
    if left in (acronym(other.core),) or right in (acronym(one.core),):
        return NameMatch(0.85 - penalty, f"One is the other's initials{note}.")
    found = _company_words(one.core, other.core)
    return NameMatch(round(max(found.score - penalty, 0.0), 3), found.reason.rstrip(".") + note + ".")


def _company_words(one: Sequence[str], other: Sequence[str]) -> NameMatch:
    shorter, longer = sorted((one, other), key=len)
    pairs = [(shorter[a], longer[b], alike) for a, b, alike in paired_words(shorter, longer)]
    if len(pairs) == len(longer):
        mean = sum(alike * len(b) for _, b, alike in pairs) / sum(len(b) for _, b, _ in pairs)
        return NameMatch(mean, "Each word reads alike.")
    left, right = "".join(one), "".join(other)
    limit = slack(max(len(left), len(right)))
    is_parted = len(one) != len(other)
    if is_parted and min(len(left), len(right)) >= 6 and distance(left, right, limit) <= min(limit, 2):
        return NameMatch(0.85, "The same letters, parted differently.")
    if len(pairs) == len(shorter) and _is_distinct(shorter, longer):
        return NameMatch(0.52, "One name is the other's beginning.")
    return NameMatch(0.2, f"“{_lone(longer, pairs)}” stands in one name only.")


def paired_words(shorter: Sequence[str], longer: Sequence[str]) -> list[tuple[int, int, float]]:
    """Return pairs of companies' words that read alike."""
    found: list[tuple[int, int, float]] = []
    used: set[int] = set()
    for a, left in enumerate(shorter):
        scored = [(likeness(left, right), -b) for b, right in enumerate(longer) if b not in used]
        alike, negative = max(scored, default=(0.0, 0))
        if alike >= WEAK_LIKENESS:
            used.add(-negative)
            found.append((a, -negative, alike))
    return found


def acronym(core: Sequence[str]) -> str:
    """Return the initials of three words or more; "" for fewer."""
    return "".join(word[0] for word in core) if len(core) > 2 else ""


def _is_distinct(shorter: Sequence[str], longer: Sequence[str]) -> bool:
    """A single coined word names a company even where the other name adds a region."""
    return len(shorter) == 1 and len(longer) == 2 and len(shorter[0]) >= 7 and longer[1] in REGIONS


def _lone(longer: Sequence[str], pairs: list[tuple[str, str, float]]) -> str:
    kept = {b for _, b, _ in pairs}
    return next((word for word in longer if word not in kept), longer[0])


def _is_person_like(one: str, other: str) -> bool:
    """A trailing comma form such as `Frost, William` with no legal form is a person's."""
    return bool(re.fullmatch(r"[^\W\d]+, [^\W\d]+( [^\W\d]\.?)?", one) and re.fullmatch(r"[\w. ]+", other))
