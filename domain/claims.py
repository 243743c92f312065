"""Claims: what a sentence asserts, taken apart for comparison: entity, attribute, values, time and polarity."""

import re
from collections.abc import Iterator
from types import MappingProxyType

import msgspec

from domain.parsing import BlockKind
from domain.search import Analyzer
from domain.statements import Statement

MIN_WORDS = 2
MAX_WORDS = 32
"""Longer sentences assert several things; what is compared must be one."""

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
DATE = re.compile(
    rf"\b(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th)? (?P<month>{MONTH})\b,?(?: (?P<year>\d{{4}}))?"
    rf"|(?P<month2>{MONTH}) (?P<day2>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (?P<year2>\d{{4}}))?"
    r"|(?P<year3>\d{4})-(?P<month3>\d\d)-(?P<day3>\d\d))",
    re.IGNORECASE,
)
PERIOD = re.compile(
    rf"\b(?:{MONTH} (?:of )?\d{{4}}|(?:first|second|third|fourth|last) (?:quarter|half)(?: of)?(?: \d{{4}})?"
    r"|q[1-4](?: \d{4})?"
    r"|(?:spring|summer|autumn|fall|winter)(?: of)? \d{4}|(?:19|20)\d\d|[hH][12] \d{4})\b",
    re.IGNORECASE,
)
WORD_NUMBERS = tuple("zero one two three four five six seven eight nine ten eleven twelve".split())  # noqa: SIM905
NUMBER = r"(?:[-−+]?\d[\d.,]*\d|[-−+]?\d)"
QUANTITY = re.compile(
    rf"(?P<money>[€$£]|EUR |USD |GBP )? ?(?<![\w.,/:-])(?P<value>{NUMBER}|{'|'.join(WORD_NUMBERS)})(?![\d:/])"
    r"(?P<scale> ?(?:million|billion|thousand|k|m)\b)?[ -]?"
    r"(?:(?:working|business|calendar|consecutive|full) )?(?P<unit>%|°C|°F|[^\W\d_]+)?",
    re.IGNORECASE,
)
NAMED_NUMBER = re.compile(
    r"\b(?:(?-i:[A-ZÀ-Þ][\w-]*)|version|chapter|section|step|level|ring|revision|phase|tier|page|release|firmware|no\.?"
    r"|number|round|wave|figure|table|stage|grade|class|type) (?P<number>v?\d[\w.]*)\b",
    re.IGNORECASE,
)
IDENTIFIER = re.compile(r"\b(?:[A-Za-z]+[-_]?\d[\w.-]*|v\d[\w.]*)\b")
NAME = re.compile(
    r"(?<![.!?]\s)(?<!^)\b[A-ZÀ-Þ][\w'’-]+|^(?!The |A |An |Our |In |On |At |For |All |Each )[A-ZÀ-Þ]\w+(?= [A-ZÀ-Þ])"
)
DURATIONS = (
    ("second", 1 / 86400), ("sec", 1 / 86400), ("minute", 1 / 1440), ("min", 1 / 1440), ("hour", 1 / 24), ("day", 1.0),
    ("week", 7.0), ("month", 365 / 12), ("quarter", 365 / 4), ("year", 365.0),
)  # fmt: skip
CURRENCIES = (("€", ("eur", "euro")), ("$", ("usd", "dollar")), ("£", ("gbp",)))
RANGE_WORDS = ("to", "and", "or", "till", "until")
SCALES = (("million", 1e6), ("billion", 1e9), ("thousand", 1e3), ("k", 1e3), ("m", 1e6))
NEGATION = re.compile(r"\b(?:not|never|no longer|cannot|nobody|none|without|neither|nor|no)\b|n['’]t\b", re.IGNORECASE)
PAST = re.compile(
    r"\b(?:previous(?:ly)?|former(?:ly)?|until|used to|in the past|originally|was|were|had)\b",
    re.IGNORECASE,
)
HEDGED = re.compile(
    r"^\W*next\b|\b(?:upcoming|could|might|(?-i:may)|would|perhaps|maybe|if|unless|e\.g\.|for example"
    r"|when(?:ever)? [^,.;]*\b(?:exceeds?|reach(?:es)?|drops|falls)\b|proposed?|suggest\w*|about to"
    r"|should we)\b|\?\s*$",
    re.IGNORECASE,
)
CONTRASTS = frozenset(  # split from one string, so that a reader sees words and not quotes
    """first second third fourth last next previous current former new old internal external raw final standard
    validated premium basic free paid public private primary secondary main staging production test
    development minimum maximum average median mean total gross net upper lower left right inner outer north
    south east west male female junior senior daily weekly monthly quarterly annual yearly hourly morning
    evening domestic foreign national local remote full-time part-time employees contractors weekdays weekends
    winter summer spring autumn import export input output read write upload download request response buyer
    seller men women adults children indoor outdoor""".split()  # noqa: SIM905
)
"""Words that tell apart what is otherwise called the same."""


CLAUSE_END = re.compile(r"[;:] +|, (?=and |but |ring |the |then )| and (?=then |we |is |are |has )")
SYNONYMS = (
    "keep kept retain retent store stored delet remov avail hold",
    "start begin began launch commenc",
    "end expir finish stop termin",
    "cost price charg fee",
    "limit ceil maximum cap max",
    "need requir must demand",
    "own owner respons maintain mainten",
    "purchas buy order",
    "staff employe personnel",
    "repli respond answer",
    "approv approval sign",
    "daili day",
)
"""Lexemes that mean the same here; the first stands for all."""
MEANT = MappingProxyType({word: group.partition(" ")[0] for group in SYNONYMS for word in group.split()})


class Quantity(msgspec.Struct, frozen=True):
    """A number in base units: days for durations, else the unit's own."""

    value: float
    unit: str


class Claim(msgspec.Struct, frozen=True):
    """What the sentence at `text[start:end]` asserts."""

    start: int
    end: int
    text: str
    words: frozenset[str]
    """Lexemes of the attribute: all that is neither value, name nor time."""
    entities: frozenset[str]
    """Names, identifiers and words of contrast: two claims are about the same only where these agree."""
    quantities: tuple[Quantity, ...]
    dates: tuple[str, ...]
    periods: frozenset[str]
    is_negated: bool
    is_past: bool
    names: frozenset[str] = frozenset()
    """Lexemes of the words that its entities are called by."""
    said: str = ""
    """Of a cell of a table, whose text is its row: the sentence that says the same."""
    subject: frozenset[str] = frozenset()
    """Of a cell: the lexemes and numbered names of what it is about. Whatever contradicts it must name the same."""

    @property
    def sentence(self) -> str:
        """What is claimed, in a sentence."""
        return self.said or self.text

    @property
    def attribute(self) -> frozenset[str]:
        """The words that are not its subject's."""
        return self.words - self.subject


def claims(statement: Statement, analyzer: Analyzer) -> list[Claim]:
    """Return what a sentence claims, as a whole and in its clauses; nothing for questions, guesses and fragments.

    A row of a table claims something by its place only: see `domain.cells`.
    """
    if statement.kind is BlockKind.TABLE_ROW:
        return []
    cuts = [found.span() for found in CLAUSE_END.finditer(statement.text)]
    starts, ends = [0, *(end for _, end in cuts)], [*(start for start, _ in cuts), len(statement.text)]
    spans = dict.fromkeys([(0, len(statement.text)), *zip(starts, ends, strict=True)])
    found = [claim_of(statement.text[start:end], analyzer, statement.start + start) for start, end in spans]
    return [each for each in found if each is not None]


def claim_of(text: str, analyzer: Analyzer, start: int = 0) -> Claim | None:
    """Return what one sentence or clause claims that begins at `start`; None where nothing can be compared."""
    if "://" in text or HEDGED.search(text) or not MIN_WORDS < len(text.split()) <= MAX_WORDS:
        return None
    taken: list[tuple[int, int]] = []
    dates = tuple(_dates(text, taken))
    periods = frozenset(" ".join(found.group().lower().split()) for found in _free(PERIOD, text, taken))
    entities = {_plain(found.group()) for found in _free(NAMED_NUMBER, text, taken) if _is_bare(text, found)}
    entities |= {_plain(found.group()) for found in _free(IDENTIFIER, text, taken)}
    quantities = tuple(_quantities(text, taken))
    words = [word for word in analyzer.words(text) if not any(s < word.end and word.start < e for s, e in taken)]
    named = {_plain(found.group()): found.start() for found in NAME.finditer(text)}
    entities |= {name for name, at in named.items() if not any(s <= at < e for s, e in taken)}
    entities |= {written for word in words if (written := text[word.start : word.end].lower()) in CONTRASTS}
    names = {part for entity in entities for part in re.split(r"[ -]", entity)} - CONTRASTS
    meant = {
        text[word.start : word.end].lower(): MEANT.get(word.lexeme, word.lexeme)
        for word in words
        if not word.lexeme.isdigit()
    }
    lexemes = frozenset(lexeme for written, lexeme in meant.items() if written not in names)
    if not lexemes or len(lexemes) + len(entities) < MIN_WORDS:
        return None
    return Claim(
        start=start,
        end=start + len(text),
        text=text,
        words=lexemes,
        entities=frozenset(entities),
        quantities=quantities,
        dates=dates,
        periods=periods,
        is_negated=NEGATION.search(text) is not None,
        is_past=PAST.search(text) is not None,
        names=frozenset(lexeme for written, lexeme in meant.items() if written in names),
    )


def _dates(text: str, taken: list[tuple[int, int]]) -> Iterator[str]:
    for found in _free(DATE, text, taken):
        of = found.groupdict()
        month = of["month"] or of["month2"]
        number = MONTHS.index(month[:3].lower()) + 1 if month else int(of["month3"])
        day = int(of["day"] or of["day2"] or of["day3"])
        yield f"{of['year'] or of['year2'] or of['year3'] or ''}-{number:02}-{day:02}"


def _quantities(text: str, taken: list[tuple[int, int]]) -> list[Quantity]:
    found: list[Quantity] = []
    n_open = 0
    for each in _free(QUANTITY, text, taken, "value"):
        written = each.group("value").lower()
        value = float(WORD_NUMBERS.index(written)) if written in WORD_NUMBERS else _number(written)
        scale = (each.group("scale") or "").strip().lower()
        value *= next((factor for name, factor in SCALES if name == scale), 1.0)
        unit = (each.group("money") or each.group("unit") or "").strip().lower()
        taken.append(each.span("value") if each.group("money") else each.span())
        if unit in RANGE_WORDS:  # `-40 to +60 °C`: the unit comes with the second number
            n_open += 1
            found.append(Quantity(value, ""))
            continue
        base = _in_base(value, unit)
        found[len(found) - n_open :] = [_in_base(each.value, unit) for each in found[len(found) - n_open :]]
        n_open = 0
        found.append(base)
    return found


def _in_base(value: float, unit: str) -> Quantity:
    singular = unit[:-1] if unit.endswith("s") and len(unit) > 3 else unit
    singular = next((sign for sign, names in CURRENCIES if singular in names), singular)
    days = next((factor for name, factor in DURATIONS if name == singular), None)
    return Quantity(value * days, "day") if days else Quantity(value, singular)


def _number(written: str) -> float:
    plain = written.replace("−", "-").replace("+", "")
    is_grouped = re.fullmatch(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?", plain)
    plain = plain.replace(",", "") if is_grouped else plain.replace(",", ".")
    try:
        return float(plain)
    except ValueError:
        return float(re.sub(r"\D", "", plain) or 0)


def _free(
    pattern: re.Pattern[str], text: str, taken: list[tuple[int, int]], group: str | int = 0
) -> Iterator[re.Match[str]]:
    """Yield matches that overlap nothing taken, and take them unless the caller does."""
    for found in pattern.finditer(text):
        start, end = found.span(group)
        if not any(s < end and start < e for s, e in taken):
            if group == 0 and (pattern is not NAMED_NUMBER or _is_bare(text, found)):
                taken.append((start, end))
            yield found


def _is_bare(text: str, found: re.Match[str]) -> bool:
    """Whether no unit follows: `Pika 3 is` names, `Utrecht 145 euros` counts."""
    rest = text[found.end() :].lstrip(" -")[:12].lower()
    return not rest.startswith(("%", "°", "€", *(name for name, _ in DURATIONS)))


def _plain(written: str) -> str:
    return " ".join(written.lower().replace("’", "'").removesuffix("'s").split())
