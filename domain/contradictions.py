"""Contradictions: when two claims about one thing at one time cannot both hold. Look-alikes are no conflicts."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

import msgspec

from domain.claims import CONTRASTS, Claim, Quantity

SAME_FROM = 0.66
"""The share of the shorter claim's words, by rarity, that the other must hold."""
SAME_OF_ALL = 0.42
"""The share of all words of both that they must have in common."""
NAME_WEIGHT = 2.0
"""What a name that both hold counts, beside words by their rarity."""
MIN_SHARED = 2
MIN_SHARED_OF_BROAD = 4
"""Where each claim has words of its own, they must share so many."""
MAX_OF_A_SERIES = 3
"""A claim that clashes with more documents than this is one of a series (minutes, monthly figures), and no conflict."""
MAX_WORDS_WITHOUT_VALUES = 10
MAX_POSTINGS = 150
"""A word in more claims than this finds no neighbours: it says nothing."""
TOLERANCE = 0.02
"""Relative difference of numbers that are the same, rounded."""

ANTONYMS = (
    ("allow permit accept", "forbid forbidden prohibit ban deni reject disallow"),
    ("need requir mandatori compulsori oblig", "option voluntari"),
    ("enabl activ on", "disabl inact deactiv off"),
    ("alway", "never"),
    ("increas rise rose grow grew", "decreas fall fell drop shrink declin"),
    ("public open", "privat closed confidenti"),
    ("automat", "manual hand"),
    ("encrypt", "unencrypt plaintext plain"),
    ("support", "unsupport deprec discontinu"),
    ("success succeed pass", "fail failur"),
    ("central", "decentr distribut"),
    ("synchron", "asynchron"),
    ("possibl", "imposs"),
    ("includ", "exclud"),
    ("safe", "unsaf danger"),
    ("warm warmer hot hotter", "cold colder cool cooler"),
    ("higher more larger faster", "lower less fewer smaller slower"),
    ("full-tim", "part-tim"),
    ("approv", "reject"),
    ("before", "after"),
)
COMPLEMENT = re.compile(
    r"\b(?:is|are|runs? on|runs|uses?|hosted (?:in|on|by|with)|located (?:in|at)|stored (?:in|on|with)"
    r"|written in|led by"
    r"|provided by|made by)\b"
)
WHO = r"(?P<who>[A-ZÀ-Þ][\w'’-]+(?: [A-ZÀ-Þ][\w'’-]+){0,2})"
WHAT = r"(?P<what>(?:the |our )?[\w./-]+(?: [\w./-]+){0,3})"
OWNED = (
    re.compile(
        rf"{WHO} (?:owns|maintains|is (?:the )?(?:owner|maintainer) of|is responsible for|looks after) {WHAT}"
        r"(?=[.,;]|$| and\b)"
    ),
    re.compile(rf"{WHAT} (?:is|are) (?:owned|maintained|looked after|run) by {WHO}"),
    re.compile(rf"[Oo]wner: {WHO} \({WHAT}\)"),
    re.compile(rf"(?:[Oo]wner|[Mm]aintainer) of {WHAT} is {WHO}"),
)


class ConflictKind(StrEnum):
    """How two claims clash."""

    NUMBER = "number"
    DATE = "date"
    NEGATION = "negation"
    ANTONYM = "antonym"
    ENTITY = "entity"


class Placed(msgspec.Struct, frozen=True):
    """A claim and the document it stands in."""

    document: str | int
    claim: Claim


class Conflict(msgspec.Struct, frozen=True):
    """Two claims that cannot both hold, the one of the earlier document first."""

    a: Placed
    b: Placed
    kind: ConflictKind
    score: float


def conflicts(placed: Sequence[Placed]) -> list[Conflict]:
    """Return the conflicts between documents, surest first. Each claim meets only those that share a rare word."""
    rarity = weigh_words([each.claim for each in placed])
    return clashes([(placed[one], placed[other]) for one, other in _neighbours(placed)], rarity)


def clashes(near: Sequence[tuple[Placed, Placed]], rarity: Mapping[str, float]) -> list[Conflict]:
    """Return the conflicts among pairs of claims of different documents, surest first, each sentence pair once."""
    found = [
        Conflict(one, other, *clash)
        for one, other in near
        if _could_clash(one.claim, other.claim) and (clash := compare(one.claim, other.claim, rarity)) is not None
    ]
    other_states = _other_states(near, found)
    found = [each for each in found if _columns(each.a, each.b) not in other_states]
    met = Counter(place for each in found for place in {_place(each.a), _place(each.b)})
    kept: list[Conflict] = []
    for each in sorted(found, key=lambda each: (-each.score, each.a.claim.start, each.b.claim.start)):
        is_series = max(met[_place(each.a)], met[_place(each.b)]) > MAX_OF_A_SERIES
        if not is_series and not any(_is_part(each, other) for other in kept):
            kept.append(each)
    return kept


def _other_states(near: Sequence[tuple[Placed, Placed]], found: Sequence[Conflict]) -> set[object]:
    """Columns of two tables that differ in most rows: each shows the state of another day, and neither is wrong."""
    n_met = Counter(columns for one, other in near if (columns := _columns(one, other)))
    n_clashing = Counter(columns for each in found if (columns := _columns(each.a, each.b)))
    return {columns for columns, n in n_clashing.items() if n > 1 and 2 * n > n_met[columns]}


def _columns(one: Placed, other: Placed) -> tuple[frozenset[str], frozenset[str]] | None:
    """The documents and the attribute of two cells about one thing; None for anything else."""
    a, b = one.claim, other.claim
    if not a.subject or a.subject != b.subject or a.attribute != b.attribute:
        return None
    return frozenset((str(one.document), str(other.document))), a.attribute


def is_comparable(claim: Claim) -> bool:
    """Whether another claim could clash with this one at all: it has a value, or few enough words to weigh them all."""
    return bool(claim.quantities or claim.dates) or len(claim.words) <= MAX_WORDS_WITHOUT_VALUES


def _place(placed: Placed) -> tuple[str, int, int]:
    return str(placed.document), placed.claim.start, placed.claim.end


def _is_part(one: Conflict, other: Conflict) -> bool:
    """Whether both are about the same two sentences, as a whole or in a clause."""
    return (one.a.document, one.b.document) == (other.a.document, other.b.document) and all(
        mine.claim.start < theirs.claim.end and theirs.claim.start < mine.claim.end
        for mine, theirs in ((one.a, other.a), (one.b, other.b))
    )


def weigh_words(claims: Sequence[Claim]) -> dict[str, float]:
    """Return how much each word tells: the logarithm of how rare it is, never below a half."""
    counts = Counter(word for each in claims for word in each.words)
    return {word: max(0.5, math.log(1 + len(claims) / (1 + n))) for word, n in counts.items()}


def compare(  # noqa: PLR0911  # one line a rule
    a: Claim, b: Claim, rarity: Mapping[str, float]
) -> tuple[ConflictKind, float] | None:
    """Return how two claims clash and how sure that is, None where they agree or are about different things."""
    if not _is_same_time(a, b) or not _is_cells_matter(a, b):
        return None
    opposed = _opposed(a, b)
    same = _sameness(a, b, rarity, opposed)
    if same == 0.0:
        return _other_complement(a, b)
    if _are_different_things(a, b):
        return _other_complement(a, b)
    if a.quantities and b.quantities:
        return (ConflictKind.NUMBER, round(same, 3)) if _numbers_clash(a, b) else None
    if a.dates and b.dates and (len(a.words & b.words) > MIN_SHARED or a.entities & b.entities - CONTRASTS):
        is_clash = not any(_is_same_date(one, other) for one in a.dates for other in b.dates)
        return (ConflictKind.DATE, round(same, 3)) if is_clash else None
    if a.dates or b.dates or a.quantities or b.quantities or a.subject or b.subject:
        return None
    if a.is_negated != b.is_negated and same >= 0.8:
        return (ConflictKind.NEGATION, round(same * 0.9, 3))
    if a.is_negated == b.is_negated and opposed and same >= 0.75:
        return (ConflictKind.ANTONYM, round(same * 0.9, 3))
    return _other_complement(a, b)


def _neighbours(placed: Sequence[Placed]) -> Iterator[tuple[int, int]]:
    """Yield pairs of claims of different documents that could clash and share at least MIN_SHARED words, once each."""
    postings: dict[str, list[int]] = defaultdict(list)
    for place, each in enumerate(placed):
        shared: Counter[int] = Counter()
        for term in each.claim.words | each.claim.entities:
            held = postings[term]
            if len(held) <= MAX_POSTINGS:
                shared.update(held)
            held.append(place)
        for other, n_shared in sorted(shared.items()):
            met = placed[other]
            if n_shared >= MIN_SHARED and met.document != each.document and _could_clash(met.claim, each.claim):
                yield other, place


def _could_clash(a: Claim, b: Claim) -> bool:
    """Cheap: values of one sort on both sides, else no values and so few words that all of them can be weighed."""
    if a.quantities and b.quantities:
        return True
    if a.dates or b.dates or a.quantities or b.quantities:
        return bool(a.dates and b.dates)
    return len(a.words) <= MAX_WORDS_WITHOUT_VALUES and len(b.words) <= MAX_WORDS_WITHOUT_VALUES


def _sameness(a: Claim, b: Claim, rarity: Mapping[str, float], but: frozenset[str]) -> float:
    """How far both speak of the same attribute, some words aside; 0 where too little, or each has much of its own."""
    of_a, of_b = ({term: weight for term, weight in _terms(each, rarity).items() if term not in but} for each in (a, b))
    names = a.entities & b.entities - CONTRASTS
    for name in names:
        of_a[name] = of_b[name] = NAME_WEIGHT
    shared = of_a.keys() & of_b.keys()
    n_left = min(len(of_a), len(of_b)) - len(shared)
    if len(shared) < MIN_SHARED or (len(shared) == MIN_SHARED and not names and n_left):
        return 0.0
    if n_left and len(of_a) > len(shared) and len(of_b) > len(shared) and len(shared) < MIN_SHARED_OF_BROAD:
        return 0.0
    common = sum(min(of_a[word], of_b[word]) for word in shared)
    weight_a, weight_b = sum(of_a.values()), sum(of_b.values())
    contained, joint = common / min(weight_a, weight_b), common / (weight_a + weight_b - common)
    if contained < SAME_FROM or joint < SAME_OF_ALL:
        return 0.0
    is_thin = len(shared) == MIN_SHARED and max(len(of_a), len(of_b)) > MIN_SHARED
    return min(1.0, 0.5 * contained + 0.5 * joint) * (0.0 if is_thin and not names else 1.0)


def _terms(claim: Claim, rarity: Mapping[str, float]) -> dict[str, float]:
    units = {each.unit for each in claim.quantities if each.unit.isalpha() and each.unit != "day"}
    return {word: rarity.get(word, 1.0) for word in claim.words | units}


def _are_different_things(a: Claim, b: Claim) -> bool:
    """Each names something that the other does not, or one a contrast that the other lacks."""
    met = a.subject | b.subject
    only_a, only_b = a.entities - b.entities - met, b.entities - a.entities - met
    return bool(only_a and only_b) or any(word in CONTRASTS for word in only_a | only_b)


def _is_same_time(a: Claim, b: Claim) -> bool:
    if a.periods and b.periods and not a.periods & b.periods:
        return False
    if a.is_past != b.is_past:
        return False
    return not (bool(a.periods) != bool(b.periods) and (a.is_past or b.is_past))


def _is_cells_matter(a: Claim, b: Claim) -> bool:
    """Where a cell of a table is compared: whether the other names the same thing, and the same attribute of it."""
    if a.subject and b.subject:
        return a.subject == b.subject and a.attribute == b.attribute
    return all(
        one.subject <= other.words | other.entities | other.names
        and (one.attribute <= other.words or not one.quantities + other.quantities)
        for one, other in ((a, b), (b, a))
        if one.subject
    )


def _numbers_clash(a: Claim, b: Claim) -> bool:
    """In like order of units one number differs; in another, each side has one of a unit that the other lacks."""
    of_a, of_b = ([each.unit for each in claim.quantities] for claim in (a, b))
    if of_a == of_b:
        return not all(map(_is_equal, a.quantities, b.quantities))
    return any(_unmatched(a, b, unit) and _unmatched(b, a, unit) for unit in {*of_a} & {*of_b})


def _unmatched(claim: Claim, other: Claim, unit: str) -> bool:
    """Whether a number of this unit has no equal on the other side."""
    theirs = [each for each in other.quantities if each.unit == unit]
    return any(each.unit == unit and not any(_is_equal(each, one) for one in theirs) for each in claim.quantities)


def _is_equal(one: Quantity, other: Quantity) -> bool:
    return abs(one.value - other.value) <= TOLERANCE * max(abs(one.value), abs(other.value))


def _is_same_date(one: str, other: str) -> bool:
    """A date without its year agrees with that day of any year."""
    year, _, day = one.partition("-")
    other_year, _, other_day = other.partition("-")
    return day == other_day and (not year or not other_year or year == other_year)


def _opposed(a: Claim, b: Claim) -> frozenset[str]:
    """Words of the first opposite pair of which each claim has one."""
    only_a, only_b = a.words - b.words, b.words - a.words
    for one, other in ANTONYMS:
        left, right = set(one.split()), set(other.split())
        if (only_a & left and only_b & right) or (only_a & right and only_b & left):
            return frozenset((only_a | only_b) & (left | right))
    return frozenset()


def _other_complement(a: Claim, b: Claim) -> tuple[ConflictKind, float] | None:
    """The same subject is said to be, run on, or belong to two different names."""
    if a.is_negated or b.is_negated:
        return None
    owned_a, owned_b = _owned(a.sentence), _owned(b.sentence)
    if owned_a and owned_b:
        is_clash = owned_a[0] == owned_b[0] and not owned_a[1] & owned_b[1]
        return (ConflictKind.ENTITY, 0.9) if is_clash else None
    said_a, said_b = (None if each.subject else _halves(each) for each in (a, b))
    if said_a is None or said_b is None or said_a[:2] != said_b[:2] or said_a[2] & said_b[2]:
        return None
    n_words = len(said_a[0].split())
    return (ConflictKind.ENTITY, 0.8 if n_words > 1 else 0.7) if n_words <= 8 else None


def _owned(text: str) -> tuple[str, frozenset[str]] | None:
    """What is owned, and the names of who owns it."""
    for pattern in OWNED:
        if found := pattern.search(text):
            what = re.sub(r"\b(?:the|our|a|an)\b|\W+", " ", found.group("what").lower())
            return " ".join(what.split()), frozenset(found.group("who").split())
    return None


def _halves(claim: Claim) -> tuple[str, str, frozenset[str]] | None:
    """The subject, the verb, and the names that make up the complement."""
    found = COMPLEMENT.search(claim.text)
    if found is None or len(claim.text) > 140:
        return None
    subject = re.sub(r"\b(?:the|our|a|an|of)\b|\W+", " ", claim.text[: found.start()].lower())
    rest = claim.text[found.end() :].strip().rstrip(".")
    names = re.findall(r"\b[A-ZÀ-Þ][\w'’-]*(?: [A-ZÀ-Þ\d][\w'’.-]*)*", rest)
    is_name = bool(names) and len("".join(names)) >= 0.5 * len(rest)
    is_pointing = re.match(r"\W*(?:it|this|that|he|she|they|there|these|what|who|here)\b", subject)
    return (
        (" ".join(subject.split()), found.group(), frozenset(names))
        if is_name and subject.strip() and not is_pointing
        else None
    )
