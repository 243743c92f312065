"""Gaps: what a document leaves open, each with its evidence, one question, and a score by which the best come first."""

import posixpath
import re
from collections.abc import Collection, Iterator, Sequence

import msgspec

from domain.frames import DECISION_HEADING, REASON, Frame, FrameType
from domain.gap_kinds import GapKind, question, wording
from domain.parsing import BlockKind
from domain.statements import Statement
from domain.surroundings import RECORD, Source, Surroundings, used_terms
from domain.terms import NUMBERED
from domain.triggers import Match

MAX_QUOTE = 160
MIN_SCORE = 0.2
MAX_OF_A_KIND = 6
"""Gaps of one kind in one document: who is asked more often than this stops answering."""

EXPLICIT_FROM = 2.1
"""The weight of a decision in so many words; other decisions need no reason of their own."""
RECORDED_FROM = 1.5
"""Under a heading that promises decisions, less will do."""

REASON_HEADING = re.compile(
    r"\b(?:reasons?|rationale|why|motivation|justification|because|drivers|considerations|pros|background|context"
    r"|alternatives)\b",
    re.IGNORECASE,
)
ERRAND = re.compile(
    r"\bdecided to (?:take a|have a|look|try|help|talk|ask|wait|see|join|attend|write|read|meet|step (?:down|back)"
    r"|retire|resign|volunteer|contribute)\b"
    r"|\b(?:already|previously) (?:been )?(?:approved|decided|agreed)\b"
    r"|\b(?:approved|decided|agreed) (?:before|previously)\b"
    r"|\b(?:that|this|it)(?:['’]s| is| was| has) (?:been )?decided(?= and\b|[.,;]|$)",
    re.IGNORECASE,
)
"""What somebody set out to do, which binds nobody else; and what was decided elsewhere: neither needs a reason here."""
COURSE = re.compile(
    r"^\W*(?:after|once|when(?:ever)?|if|before|until|in (?:the event|case))\b"
    r"|\bdecisions? (?:will be|are|is|must be|should be) (?:made|taken) by\b",
    re.IGNORECASE,
)
"""How decisions come about, whenever there is one to be made: nothing was decided."""
HELD_OFF = re.compile(
    r"\b(?:not|never|no|than|instead of|should|would|could|about|or)\W*$|n['’]t\W*$"
    r"|\b(?:should(?:n['’]t| not)|instead of|rather than|discuss\w* about) [^.]*$",
    re.IGNORECASE,
)
"""Words before a match that take it back, or talk about it."""
INSTRUCTION = re.compile(r"\b(?:you|your|e\.g\.|for example|such as)\b", re.IGNORECASE)
"""Words that speak to anybody, or of anything of a kind."""
CONDITIONAL = re.compile(r"\W*if\b", re.IGNORECASE)
CIRCUMSTANCE = re.compile(r"\b(?:if|when|while|unless|whenever)\b", re.IGNORECASE)
SUPPOSED = re.compile(
    r"\b(?:if|whether|unless|in case|even when|when there|whenever)\b[^.;,:]*$"
    r"|^\W*(?:suppose|imagine|assume|let['’]?s say)\b",
    re.IGNORECASE,
)
"""Words before a match by which it is thought of, and not told."""
POSSIBLE = re.compile(r"\b(?:may|might|could|can)\b[^.;]*$", re.IGNORECASE)
HABIT = re.compile(r"\b(?:each|every|always|usually|typically)\b", re.IGNORECASE)
DATED = re.compile(
    r"(?<!since )\b(?:\d{4}-\d\d-\d\d|tomorrow|next (?:week|month|monday|tuesday|wednesday|thursday|friday)"
    r"|(?:on|by|until) (?:monday|tuesday|wednesday|thursday|friday|\d{1,2}(?:st|nd|rd|th)\b|\d{1,2} [a-z]{3,9}\b))",
    re.IGNORECASE,
)
"""A wait whose end is known."""
PROOF = re.compile(r"\d|https?://|\]\(|\bsee\b|\baccording to\b|\[\d+\]", re.IGNORECASE)
DONE = re.compile(
    r"\b(?:done|resolved|closed|fixed|completed|no longer|used to|was waiting|were waiting|had been)\b", re.I
)
AT_ONCE = re.compile(r"\b(?:today|tonight|(?:earlier|later) this week)\b", re.IGNORECASE)
DESCRIBED = re.compile(
    r"\]\(|https?://|\b(?:as follows|(?:described|documented|listed|explained) (?:in|at|here|below))\b", re.I
)
GIVEN_UP = re.compile(
    r"\b(?:will not|won['’]t|not going to) (?:happen|be (?:done|pursued|merged|continued))\b"
    r"|\b(?:abandoned|cancelled|dropped)\b",
    re.IGNORECASE,
)
EXPLAINED = re.compile(
    r"\b(?:because|due to|caused by|the cause was|turned out|it was the|reason was)\b", re.IGNORECASE
)
LINK = re.compile(r"\[[^\]\n]{1,200}\]\(\s*<?(?P<target>[^)\s>]+)>?[^)]*\)")
OWNER_COLUMN = re.compile(r"(?:^|\| *)(?:service owner|system owner|owner|maintainer|responsible)\b", re.IGNORECASE)
CELL = re.compile(r"(?P<name>[^|:]+):(?P<value>[^|]*)")
PRESENT_POINTER = re.compile(
    r"\b(?:ask|contact|owner|call|write to|responsible|maintainer|approval of|talk to)\b", re.I
)


class Gap(msgspec.Struct, frozen=True):
    """What is missing at `text[start:end]`; `score` between 0 and 1 says how sure we are that asking is worth it."""

    kind: GapKind
    start: int
    end: int
    question: str
    score: float
    person: str = ""
    """Who is named in the evidence as knowing, if anybody is."""


class Reading(msgspec.Struct, frozen=True):
    """A document half read: its statements, what matched in each, and their frames."""

    source: Source
    statements: tuple[Statement, ...]
    matches: tuple[tuple[Match, ...], ...]
    frames: tuple[tuple[Frame, ...], ...]
    headings: frozenset[str]
    familiar: Collection[str] = ()
    """Abbreviations that any reader knows."""


def gaps(reading: Reading, around: Surroundings) -> list[Gap]:
    """Return the gaps of a document, best first; the same place is asked about once."""
    found = [
        *_said(reading),
        *_unreasoned(reading),
        *_unowned_rows(reading),
        *_undefined(reading, around),
        *_dangling(reading, around),
        *_superseded(reading, around),
        *_stale_people(reading, around),
    ]
    ranked = sorted(found, key=lambda gap: (-gap.score, gap.start, gap.kind))
    kept: list[Gap] = []
    for gap in ranked:
        n_same = sum(other.kind is gap.kind for other in kept)
        is_asked = any(other.start < gap.end and gap.start < other.end for other in kept)
        if gap.score >= MIN_SCORE and n_same < MAX_OF_A_KIND and not is_asked:
            kept.append(gap)
    return kept


def _said(reading: Reading) -> Iterator[Gap]:
    """Gaps that a sentence's own words give away."""
    kinds = frozenset(GapKind)
    for place, (statement, matches) in enumerate(zip(reading.statements, reading.matches, strict=True)):
        for match in matches:
            if match.trigger.group not in kinds:
                continue
            kind = GapKind(match.trigger.group)
            score = match.trigger.weight * _trust(kind, statement, match, reading, place)
            yield _gap(kind, statement, score, reading.source, _who(statement, match))


def _trust(kind: GapKind, statement: Statement, match: Match, reading: Reading, place: int) -> float:
    """How far a match is to be believed, given the sentence around it."""
    text = statement.text
    if text.rstrip().endswith("?") or len(text) > 450:
        return 0.0
    trust = 1.0
    before = text[: match.start]
    if HELD_OFF.search(before):
        trust *= 0.25
    is_spared = kind in (GapKind.KNOWLEDGE_IN_A_HEAD, GapKind.ASSUMED_CONTEXT, GapKind.IMPLICIT_PROCESS)
    trust *= 1.0 if is_spared else _actuality(text, before)
    if kind is GapKind.KNOWLEDGE_IN_A_HEAD and not match.named and re.match(r"\W*(?:if|when)\b", text, re.IGNORECASE):
        trust *= 0.2
    trust *= _openness(kind, text, before)
    if kind is GapKind.RESULT_WITHOUT_CAUSE and _is_explained(reading.statements, place):
        trust *= 0.4
    if kind is GapKind.NO_CONCLUSION and _concludes(reading, place):
        trust *= 0.5
    return trust


def _openness(kind: GapKind, text: str, before: str) -> float:
    """How far a sentence leaves open what a kind asks for, rather than say it itself: when, who, how, from where."""
    if kind is GapKind.UNSUPPORTED_CLAIM:
        return 0.0 if PROOF.search(text) else 1.0
    if kind is GapKind.VAGUE_QUANTITY:
        return 0.4 if re.search(r"\d", text) else 1.0
    if kind is GapKind.IMPLICIT_PROCESS:
        return 0.25 if DESCRIBED.search(text) else 1.0
    if kind is GapKind.WAITING_ON:
        is_told = DATED.search(text) or GIVEN_UP.search(text)
    elif kind is GapKind.VAGUE_TIME:
        is_told = POSSIBLE.search(before)
    elif kind is GapKind.MISSING_ACTOR:
        is_told = HABIT.search(text) or DATED.search(text) or AT_ONCE.search(text)
    else:
        return 1.0
    return (0.25 if is_told else 1.0) * (0.6 if DONE.search(text) else 1.0)


def _actuality(text: str, before: str) -> float:
    """How far a sentence tells of something that is so, rather than of what may be, or what anybody should do."""
    if SUPPOSED.search(before):
        return 0.15
    if INSTRUCTION.search(text) or CONDITIONAL.match(text):
        return 0.2
    return 0.55 if CIRCUMSTANCE.search(text) else 1.0


def _is_explained(statements: Sequence[Statement], place: int) -> bool:
    following = [each.text for each in statements[place : place + 3] if each.block == statements[place].block]
    return any(EXPLAINED.search(text) for text in following)


def _concludes(reading: Reading, place: int) -> bool:
    """Whether the next sentences under the same heading decide after all."""
    here = reading.statements[place]
    after = range(place + 1, min(place + 4, len(reading.statements)))
    return any(
        frame.type is FrameType.DECISION and reading.statements[index].heading == here.heading
        for index in after
        for frame in reading.frames[index]
    )


def _unreasoned(reading: Reading) -> Iterator[Gap]:
    """Decisions in so many words, with no reason in them, near them, or under a heading of its own."""
    if any(REASON_HEADING.search(heading) for heading in reading.headings) and not _is_bare_record(reading):
        return
    for place, frames in enumerate(reading.frames):
        for frame in frames:
            heading = reading.statements[place].heading
            sure = RECORDED_FROM if DECISION_HEADING.search(heading) else EXPLICIT_FROM
            if frame.type is not FrameType.DECISION or frame.weight < sure:
                continue
            statement = reading.statements[place]
            is_other = ERRAND.search(statement.text) or COURSE.search(statement.text)
            if not is_other and not _has_reason_near(reading.statements, place):
                score = min(0.8, 0.42 + 0.14 * (frame.weight - 1))
                yield _gap(GapKind.DECISION_WITHOUT_REASON, statement, score, reading.source, "")


def _is_bare_record(reading: Reading) -> bool:
    """Whether a record has a context that argues for nothing."""
    argued = [each for each in reading.statements if REASON_HEADING.search(each.heading)]
    return bool(argued) and not any(REASON.search(each.text) for each in reading.statements)


def _has_reason_near(statements: Sequence[Statement], place: int) -> bool:
    here = statements[place]
    near = statements[max(0, place - 3) : place + 4]
    return any(REASON.search(each.text) for each in near if each.heading == here.heading)


def _unowned_rows(reading: Reading) -> Iterator[Gap]:
    """Rows of a table of systems whose cell for the owner is empty."""
    has_column = False
    for statement in reading.statements:
        if statement.kind is not BlockKind.TABLE_ROW:
            has_column = False
            continue
        cells = {
            each.group("name").strip().lower(): each.group("value").strip() for each in CELL.finditer(statement.text)
        }
        names = {part.strip().lower() for part in statement.text.split("|")}
        if names & {"owner", "maintainer", "responsible"}:
            has_column = True
        elif has_column and len(cells) >= 2 and not cells.keys() & {"owner", "maintainer", "responsible"}:
            yield _gap(GapKind.SYSTEM_WITHOUT_OWNER, statement, 0.9, reading.source, "")


def _undefined(reading: Reading, around: Surroundings) -> Iterator[Gap]:
    if around.defined is None:
        return
    asked = {found.group("series") for found in NUMBERED.finditer(reading.source.text)}
    for statement in reading.statements:
        if statement.text.isupper() or statement.kind is BlockKind.TABLE_ROW:
            continue
        for found in used_terms(statement.text):
            term = found.group()
            is_shouted = re.search(rf"[A-Z]{{2,}} {term}\b|\b{term} [A-Z]{{2,}}", statement.text)
            if term not in around.defined and term not in reading.familiar and term not in asked and not is_shouted:
                asked.add(term)
                yield _gap(GapKind.UNDEFINED_TERM, statement, 0.4, reading.source, "", detail=term)


def _dangling(reading: Reading, around: Surroundings) -> Iterator[Gap]:
    """Relative links to files that the vault, which holds others of the same source, does not hold."""
    source = reading.source
    if source.path not in around.paths:
        return
    for statement in reading.statements:
        for link in LINK.finditer(statement.text):
            target = link.group("target").partition("#")[0]
            if not target or "://" in target or target[0] in "/{" or target.startswith("mailto:") or "{" in target:
                continue
            resolved = posixpath.normpath(posixpath.join(posixpath.dirname(source.path), target))
            is_file = "." in posixpath.basename(target)
            if is_file and resolved not in around.paths:
                yield _gap(GapKind.DANGLING_LINK, statement, 0.85, source, "", detail=target)


def _superseded(reading: Reading, around: Surroundings) -> Iterator[Gap]:
    own = RECORD.search(reading.source.title)
    for statement in reading.statements:
        named = set(RECORD.findall(statement.text))
        for one in around.replaced:
            is_about_it = own is not None and own.group() in (one.record, one.by)
            is_told = one.by in named or re.search(r"\b(?:supersed|replac|former|until|old)", statement.text, re.I)
            if one.record in named and not is_about_it and not is_told:
                detail = f"{one.record} has been replaced by {one.by}"
                yield _gap(GapKind.SUPERSEDED_BUT_CITED, statement, 0.8, reading.source, "", detail=detail)


def _stale_people(reading: Reading, around: Surroundings) -> Iterator[Gap]:
    """Pointers to a person who has left, in a text that claims to hold today."""
    for statement in reading.statements:
        for one in around.departed:
            is_older = reading.source.date and one.since and reading.source.date < one.since
            if one.name not in statement.text or is_older or reading.source.author == one.name:
                continue
            if PRESENT_POINTER.search(statement.text) or statement.kind is BlockKind.TABLE_ROW:
                yield _gap(GapKind.STALE_REFERENCE, statement, 0.85, reading.source, "")


def _who(statement: Statement, match: Match) -> str:
    named = next((statement.text[start:end] for name, start, end in match.named if name == "who"), "")
    return re.sub(r"['’]s?$", "", named)


def _gap(kind: GapKind, statement: Statement, score: float, source: Source, person: str, *, detail: str = "") -> Gap:
    quote = " ".join(statement.text.split()).strip("-*• ")
    quote = quote if len(quote) <= MAX_QUOTE else f"{quote[: MAX_QUOTE - 1].rstrip()}…"
    topic = statement.heading if statement.heading and statement.heading != source.title else source.title
    asked = question(kind, quote, topic[:80], detail or person)
    return Gap(kind, statement.start, statement.end, asked, round(min(1.0, score) * wording(kind).risk, 3), person)
