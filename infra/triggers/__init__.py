"""The table of triggers as files beside this one, and the matcher that compiles it into one multi-pattern pass.

An automaton of literals (Aho-Corasick) tells in one pass which patterns may match at all; only those are looked for
with `re`, which decides. So the matches are exactly those of `re`, at a small part of its cost.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cached_property
from pathlib import Path

import ahocorasick

from domain.triggers import Match, Trigger
from infra.triggers.familiar import familiar_words
from infra.triggers.literals import BREAK, folded, literals

FOLDER = Path(__file__).parent
TABLES = ("decisions", "frames", "gaps")

NO_NAMES = (
    "The|An?|It|Its|We|I|You|He|She|They|This|That|These|Those|There|Here|Who|What|Which|When|Where|Why|How|If|In|On|At"
    "|As|And|Or|But|So|No|Not|Nobody|Everyone|Everybody|Someone|Somebody|Anyone|Nothing|Everything|All|Any|Each|Every"
    "|Some|Most|Many|One|Once|Only|After|Before|Since|Until|While|Then|Also|For|From|To|With|By|Our|Your|Their|His|Her"
    "|My|Please|Just|Let|Ask|Yes|Now|Today|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|January|February"
    "|March|April|May|June|July|August|September|October|November|December|Note|Customers|Users|People|Team|Do|Does"
    "|Slack|Google|GitHub|Discussion|Still|Currently|Work|Agreed|Decision|Next|Last"
)
"""Words that begin sentences with a capital and name nobody."""
CAPITALISED = rf"(?-i:(?<![Tt]he\s)(?!(?:{NO_NAMES})\b)[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿĀ-ſ'’]+(?:[- ][A-ZÀ-ÖØ-Þ][\w'’-]+){{0,2}})"
MACROS = (
    ("{NAME}", CAPITALISED),
    ("{BE}", r"(?:is|are|was|were|has been|have been|had been|will be|being)"),
    ("{HAVE}", r"(?:has|have|had)"),
    (
        "{MONTH}",
        r"(?:january|february|march|april|june|july|august|september|october|november|december"
        r"|(?-i:May|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec)\b)",
    ),
)
"""What patterns may abbreviate. A name begins with a capital, whatever the case of the rest."""


BREAK_MARK = (-1,)
"""What the automaton says at the end of a sentence."""


class TableMatcher:
    """See `domain.triggers.Matcher`. Made once a process, and not changed by what it reads."""

    def __init__(self, triggers: Sequence[Trigger]) -> None:
        expressions = [expression(trigger) for trigger in triggers]
        self._rows = [
            (trigger, each.search, _in_lower_case(each), bool(each.groupindex))
            for trigger, each in zip(triggers, expressions, strict=True)
        ]
        self._automaton, self._always = _automaton(expressions)
        self.version = _fingerprint(triggers)

    @cached_property
    def familiar(self) -> frozenset[str]:
        return familiar_words()

    def match(self, sentences: Sequence[str]) -> list[list[Match]]:
        if not sentences:
            return []
        rows = self._rows
        found: list[list[Match]] = []
        for sentence, places in zip(sentences, self._places(sentences), strict=True):
            seen: list[Match] = []
            found.append(seen)
            if not places:
                continue
            lowered = sentence.lower() if sentence.isascii() else ""
            for place in sorted(places) if isinstance(places, set) else places:
                trigger, search, search_lowered, is_named = rows[place]
                match = search_lowered(lowered) if lowered and search_lowered else search(sentence)
                if match is not None:
                    seen.append(Match(trigger, *match.span(), _named(match) if is_named else ()))
        return found

    def _places(self, sentences: Sequence[str]) -> list[Collection[int]]:
        """Return for each sentence the places of the patterns that may match in it."""
        text = f" {BREAK} ".join(sentences)
        if text.count(BREAK) >= len(sentences):  # a sentence holds one itself
            text = f" {BREAK} ".join(sentence.replace(BREAK, " ") for sentence in sentences)
        found: list[Collection[int]] = []
        places: Collection[int] = self._always
        for _, held in self._automaton.iter(folded(text)):
            if held is BREAK_MARK:
                found.append(places)
                places = self._always
            elif not places:
                places = held
            elif places is not held:
                places = {*places, *held}
        found.append(places)
        return found


def _in_lower_case(pattern: re.Pattern[str]) -> Callable[[str], re.Match[str] | None] | None:
    """Return the search for text in lower case, where that finds the same: `re` is far quicker if case counts.

    So it is for ASCII text and patterns all of whose letters are small and ASCII, but for those of classes such as
    `\\W`; a sign without case, such as that of a currency, is no letter.
    """
    bare = re.sub(r"\\.", "", pattern.pattern)
    bare = re.sub(r"\(\?P<\w+>", "", bare)
    is_small = bare == bare.lower() and all(letter.isascii() or not letter.isalnum() for letter in bare)
    return re.compile(pattern.pattern).search if is_small else None


def _automaton(expressions: Sequence[re.Pattern[str]]) -> tuple[ahocorasick.Automaton, tuple[int, ...]]:
    """Return the automaton of all literals, each with the patterns that need it, and the patterns without any."""
    held: dict[str, list[int]] = {}
    always = []
    for place, each in enumerate(expressions):
        needed = literals(each)
        if not all(literal.strip() for literal in needed) or not needed:
            always.append(place)
            continue
        for literal in needed:
            held.setdefault(literal, []).append(place)
    automaton = ahocorasick.Automaton()
    for literal, places in held.items():
        automaton.add_word(literal, tuple(places))
    automaton.add_word(BREAK, BREAK_MARK)
    automaton.make_automaton()
    return automaton, tuple(always)


class ProductMatcher:
    """The matcher of the product's table, compiled with its first use: web processes, which never detect, go without.

    Threads that meet at that moment may each compile it, and keep one.
    """

    @cached_property
    def _table(self) -> TableMatcher:
        return TableMatcher(read_triggers())

    @cached_property
    def version(self) -> str:
        """Changes with the table, and with nothing else."""
        return self._table.version

    @property
    def familiar(self) -> frozenset[str]:
        """What any reader knows, in capitals."""
        return self._table.familiar

    def match(self, sentences: Sequence[str]) -> list[list[Match]]:
        return self._table.match(sentences)


def make_matcher() -> ProductMatcher:
    """Return the matcher of the product's table."""
    return ProductMatcher()


def expression(trigger: Trigger) -> re.Pattern[str]:
    """Return the trigger's pattern, compiled as it is meant."""
    pattern = trigger.pattern
    for name, meaning in MACROS:
        pattern = pattern.replace(name, meaning)
    return re.compile(_with_any_white_space(pattern), re.IGNORECASE)


def read_triggers() -> tuple[Trigger, ...]:
    """Return the whole table, in the order of its files."""
    lines = (line for name in TABLES for line in (FOLDER / f"{name}.triggers").read_text("utf-8").splitlines())
    return tuple(_rows(lines))


def _rows(lines: Iterator[str]) -> Iterator[Trigger]:
    group, weight = "", 0.0
    numbers: Counter[str] = Counter()
    pattern = ""
    matching: list[str] = []
    other: list[str] = []
    for line in (*lines, "[end 0]"):
        mark, _, rest = line.partition(" ")
        if mark in ("~", "") or line.startswith("["):
            if pattern:
                numbers[group] += 1
                yield Trigger(f"{group} {numbers[group]}", group, weight, pattern, tuple(matching), tuple(other))
            pattern, matching, other = (rest if mark == "~" else ""), [], []
        if line.startswith("["):
            name, _, written = line.strip("[]").partition(" ")
            group, weight = name, float(written)
        elif mark == "+":
            matching.append(rest)
        elif mark == "-":
            other.append(rest)


def _with_any_white_space(pattern: str) -> str:
    """Spaces outside character classes stand for any run of white space; one that may repeat keeps its mark."""
    parts: list[str] = []
    is_in_class = False
    for place, letter in enumerate(pattern):
        is_escaped = place > 0 and pattern[place - 1] == "\\"
        if letter in "[]" and not is_escaped:
            is_in_class = letter == "["
        follower = pattern[place + 1 : place + 2]
        is_plain = letter == " " and not is_in_class
        parts.append((r"\s" if follower in ("*", "?", "+") else r"\s+") if is_plain else letter)
    return "".join(parts)


def _named(seen: re.Match[str]) -> tuple[tuple[str, int, int], ...]:
    return tuple((name, *seen.span(name)) for name in seen.re.groupindex if seen.group(name) is not None)


def _fingerprint(triggers: Sequence[Trigger]) -> str:
    table = "\n".join(f"{each.group}\t{each.weight}\t{each.pattern}" for each in triggers)
    return hashlib.sha256(table.encode()).hexdigest()[:12]
