"""Frames: what a sentence does (decides, defines, forbids, measures …), with its slots, negation and modality."""

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum

import msgspec

from domain.statements import Statement
from domain.triggers import Match

DECIDED_FROM = 1.0
"""The weight of a decision's signs, less what speaks against it, from which on a sentence is one."""
SECOND_SIGN = 0.3
"""What a further sign of a decision counts beside the first, as a share of its weight."""
SECTION_SIGN = 0.6
DECISION_HEADING = re.compile(
    r"\b(?<!pre-)(?:decisions?|resolutions?|outcome|conclusions?|agreements?)\b(?! (?:drivers?|log))", re.I
)
DELIBERATION_HEADING = re.compile(
    r"\b(?:context|background|options|alternatives|problem|drivers|pros|cons|questions?)\b", re.I
)

REASON = re.compile(
    r"\b(?:because|since(?! (?:then|\d|january|february|march|april|may|june|july|august|september|october|november"
    r"|december|monday|tuesday|wednesday|thursday|friday|yesterday|last))|due to|owing to|thanks to|in order to|so that"
    r"|so as to|as a result of|reason(?:s|ed|ing)?|therefore|otherwise|to (?:avoid|ensure|prevent|reduce|save|make sure"
    r"|allow|enable|keep|simplify|improve|protect|meet|satisfy|support)|given that|which (?:allows|means|makes|gives)"
    r"|considering|after (?:weighing|evaluating|considering|comparing)|rather than)\b",
    re.IGNORECASE,
)
NEGATION = re.compile(r"\b(?:not|never|no longer|no|none|nobody|neither|cannot|without)\b|n['’]t\b", re.IGNORECASE)
NEGATION_REACH = 5
"""Characters after a sign in which it is still taken back: `decided not to`."""
POSSIBLE = re.compile(r"\b(?:may|might|could|would|perhaps|maybe|possibly|probably|likely)\b", re.IGNORECASE)
OBLIGED = re.compile(r"\b(?:must|shall|should|has to|have to|need(?:s)? to|required to|ought to)\b", re.IGNORECASE)
PLANNED = re.compile(r"\b(?:will|going to|plan(?:s|ned)? to|'ll)\b", re.IGNORECASE)
WHO = re.compile(
    r"\b(?P<who>(?:the )?(?:[\w-]+ ){0,2}(?:board|committee|council|team|group|management|tsc|company"
    r"|organi[sz]ation|members)"
    r"|we|(?-i:[A-ZÀ-Þ][a-zà-ÿ'’]+(?: [A-ZÀ-Þ][\w'’-]+)?))\W+(?:have |has |had |\w+ly |then |'ve |will |shall )*$",
    re.IGNORECASE,
)
TIME = re.compile(
    r"\b(?:(?:by|on|from|until|as of|before|starting|since|in) )?(?:(?:the )?(?:end|beginning|start) of (?:the )?)?"
    r"(?:\d{1,2}(?:st|nd|rd|th)? (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*(?: \d{4})?"
    r"|(?:january|february|march|april|june|july|august|september|october|november|december)"
    r"(?: \d{1,2}(?!\d))?(?:,? \d{4})?"
    r"|\d{4}-\d{2}-\d{2}|q[1-4](?: \d{4})?|(?:next|this) (?:week|month|quarter|year)"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day|tomorrow|immediately)\b",
    re.IGNORECASE,
)
VALUE = re.compile(r"(?P<currency>[€$£])? ?(?P<value>[-−]?\d[\d.,]*\d|\d)[ -]?(?P<unit>%|[^\W\d_]+)?")


class FrameType(StrEnum):
    """What a sentence does."""

    DECISION = "decision"
    PROCESS = "process"
    DEFINITION = "definition"
    EVENT = "event"
    CONSTRAINT = "constraint"
    METRIC = "metric"
    PROBLEM = "problem"
    OWNERSHIP = "ownership"


class Modality(StrEnum):
    """How a frame holds."""

    ACTUAL = "actual"
    PLANNED = "planned"
    OBLIGED = "obliged"
    POSSIBLE = "possible"


class Slot(msgspec.Struct, frozen=True):
    """A part of a frame: who, what, when, reason, value …, as the sentence says it."""

    name: str
    value: str


class Frame(msgspec.Struct, frozen=True):
    """A frame at `text[start:end]` of a document."""

    type: FrameType
    start: int
    end: int
    slots: tuple[Slot, ...] = ()
    is_negated: bool = False
    modality: Modality = Modality.ACTUAL
    weight: float = 1.0

    def slot(self, name: str) -> str:
        """The slot's value, empty where the sentence leaves it open."""
        return next((slot.value for slot in self.slots if slot.name == name), "")


def frames(statement: Statement, matches: Sequence[Match]) -> list[Frame]:
    """Return the frames of a sentence, at most one of each type."""
    return [
        Frame(
            type=type_,
            start=statement.start,
            end=statement.end,
            slots=tuple(_slots(type_, statement.text, match)),
            is_negated=NEGATION.search(statement.text[: match.end + NEGATION_REACH]) is not None,
            modality=modality(statement.text),
            weight=round(weight, 2),
        )
        for type_, match, weight in _seen(statement, matches)
    ]


def modality(sentence: str) -> Modality:
    """Return how what the sentence says holds."""
    if POSSIBLE.search(sentence):
        return Modality.POSSIBLE
    if OBLIGED.search(sentence):
        return Modality.OBLIGED
    return Modality.PLANNED if PLANNED.search(sentence) else Modality.ACTUAL


def _seen(statement: Statement, matches: Sequence[Match]) -> Iterator[tuple[FrameType, Match, float]]:
    for type_ in FrameType:
        of_type = [match for match in matches if match.trigger.group == type_]
        if not of_type:
            continue
        best = max(of_type, key=lambda match: match.trigger.weight)
        weight = _decided(statement, matches, of_type) if type_ is FrameType.DECISION else best.trigger.weight
        if type_ is not FrameType.DECISION or weight >= DECIDED_FROM:
            yield type_, best, weight


def _decided(statement: Statement, matches: Sequence[Match], signs: Sequence[Match]) -> float:
    """Add up what speaks for a decision, less what speaks against it."""
    weights = sorted((match.trigger.weight for match in signs), reverse=True)
    against = sum(match.trigger.weight for match in matches if match.trigger.group == "not_decision")
    section = bool(DECISION_HEADING.search(statement.heading)) - bool(DELIBERATION_HEADING.search(statement.heading))
    return weights[0] + SECOND_SIGN * sum(weights[1:3]) + SECTION_SIGN * section - against


def _slots(type_: FrameType, sentence: str, match: Match) -> Iterator[Slot]:
    named = [Slot(name, " ".join(sentence[start:end].split())) for name, start, end in match.named]
    yield from named
    taken = {slot.name for slot in named}
    if type_ is FrameType.METRIC and (found := VALUE.search(sentence, max(0, match.start - 12))):
        yield Slot("value", found.group("value"))
        yield Slot("unit", found.group("currency") or found.group("unit") or "")
    if type_ in (FrameType.DECISION, FrameType.EVENT, FrameType.CONSTRAINT) and (when := TIME.search(sentence)):
        yield Slot("when", when.group())
    if type_ is FrameType.DECISION:
        yield from _of_decision(sentence, match)
    elif "what" not in taken and type_ not in (FrameType.DEFINITION, FrameType.METRIC):
        yield Slot("what", _bare(sentence))


def _of_decision(sentence: str, match: Match) -> Iterator[Slot]:
    if who := WHO.search(f"{sentence[: match.end].rpartition(' ')[0]} ") or WHO.search(sentence[: match.start]):
        yield Slot("who", " ".join(who.group("who").split()))
    reason = REASON.search(sentence)
    if reason and sentence[reason.start() :].strip():
        yield Slot("reason", _bare(sentence[reason.start() :]))
    end = reason.start() if reason and reason.start() > match.end else len(sentence)
    what = _bare(sentence[match.end : end])
    yield Slot("what", what or _bare(sentence))


def _bare(words: str) -> str:
    return " ".join(words.split()).strip(" .,:;-–—*")
