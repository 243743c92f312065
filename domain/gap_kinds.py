"""The kinds of gaps: what each is called, how it is asked about, and how much it matters when it stays open."""

from enum import StrEnum

import msgspec


class GapKind(StrEnum):
    """What nobody wrote down."""

    DECISION_WITHOUT_REASON = "decision_without_reason"
    MISSING_ACTOR = "missing_actor"
    VAGUE_TIME = "vague_time"
    VAGUE_QUANTITY = "vague_quantity"
    KNOWLEDGE_IN_A_HEAD = "knowledge_in_a_head"
    IMPLICIT_PROCESS = "implicit_process"
    ASSUMED_CONTEXT = "assumed_context"
    STALE_REFERENCE = "stale_reference"
    WAITING_ON = "waiting_on"
    UNSUPPORTED_CLAIM = "unsupported_claim"
    UNDEFINED_TERM = "undefined_term"
    DANGLING_LINK = "dangling_link"
    RESULT_WITHOUT_CAUSE = "result_without_cause"
    NO_CONCLUSION = "no_conclusion"
    SYSTEM_WITHOUT_OWNER = "system_without_owner"
    SINGLE_EXPERT = "single_expert"
    SUPERSEDED_BUT_CITED = "superseded_but_cited"
    SYSTEM_WITHOUT_RUNBOOK = "system_without_runbook"
    SYSTEM_WITHOUT_BACKUP = "system_without_backup"
    UNANSWERED_QUESTION = "unanswered_question"


class Wording(msgspec.Struct, frozen=True):
    """How a kind is spoken of; its question has `{about}` for the evidence, `{detail}` and `{where}`."""

    kind: GapKind
    name: str
    question: str
    reason: str
    """Why we ask, for the person asked."""
    risk: float
    """How much harm an open gap of this kind can do, between 0 and 1."""


WORDINGS = (
    Wording(
        GapKind.DECISION_WITHOUT_REASON,
        "Decision without a reason",
        "Why was this decided, and what was weighed against it: {about}?",
        "The decision is written down, its reason is not; whoever wants to change it will have to guess.",
        0.95,
    ),
    Wording(
        GapKind.MISSING_ACTOR,
        "Nobody named",
        "Who does this, and by when: {about}?",
        "Something is to be done and nobody is named, so it may never be.",
        0.9,
    ),
    Wording(
        GapKind.VAGUE_TIME,
        "No date",
        "When exactly, on which date or after which event: {about}?",
        "The text gives no date that anyone could plan with.",
        0.85,
    ),
    Wording(
        GapKind.VAGUE_QUANTITY,
        "No number",
        "How much is that in numbers: {about}?",
        "The text gives no number that anyone could check.",
        0.6,
    ),
    Wording(
        GapKind.KNOWLEDGE_IN_A_HEAD,
        "In one head",
        "Can what {detail} knows be written down here: {about}?",
        "This is known to one person; on a day off it is known to nobody.",
        1.0,
    ),
    Wording(
        GapKind.IMPLICIT_PROCESS,
        "Steps not described",
        "Which steps are meant here, one by one: {about}?",
        "The text relies on a procedure that is not described anywhere near.",
        0.85,
    ),
    Wording(
        GapKind.ASSUMED_CONTEXT,
        "Context assumed",
        "What does a reader who was not there need to know: {about}?",
        "The text takes for granted what a newcomer cannot know.",
        0.8,
    ),
    Wording(
        GapKind.STALE_REFERENCE,
        "Out of date",
        "Is this still so, and who or what stands in its place today: {about}?",
        "The text points at a person or a time that has passed.",
        0.9,
    ),
    Wording(
        GapKind.WAITING_ON,
        "Waiting",
        "Has the answer come, and what did it say: {about}?",
        "The text ends with waiting; what came of it is not recorded.",
        0.9,
    ),
    Wording(
        GapKind.UNSUPPORTED_CLAIM,
        "Claim without support",
        "What shows this, a figure, a test or a source: {about}?",
        "The text states something as known without saying from where.",
        0.8,
    ),
    Wording(
        GapKind.UNDEFINED_TERM,
        "Term not explained",
        "What does {detail} mean{where}?",
        "The abbreviation is used and explained nowhere in the vault.",
        0.6,
    ),
    Wording(
        GapKind.DANGLING_LINK,
        "Broken link",
        "Where is the document that this points to, {detail}: {about}?",
        "The link leads to a document that the vault does not hold.",
        0.85,
    ),
    Wording(
        GapKind.RESULT_WITHOUT_CAUSE,
        "Cause unknown",
        "What was the cause, as far as anyone knows today: {about}?",
        "What happened is recorded, why it happened is not; it may happen again.",
        0.95,
    ),
    Wording(
        GapKind.NO_CONCLUSION,
        "No conclusion",
        "What came of this, and who decided it: {about}?",
        "The discussion is recorded, its outcome is not.",
        0.9,
    ),
    Wording(
        GapKind.SYSTEM_WITHOUT_OWNER,
        "No owner",
        "Who is responsible for this from now on: {about}?",
        "Something that people rely on has nobody who looks after it.",
        1.0,
    ),
    Wording(
        GapKind.SINGLE_EXPERT,
        "Only one expert",
        "Who else can do this, and where is it described: {about}?",
        "This is known to one person; on a day off it is known to nobody.",
        1.0,
    ),
    Wording(
        GapKind.SUPERSEDED_BUT_CITED,
        "Replaced, still cited",
        "{detail}. What holds now: {about}?",
        "The text relies on a decision that has been replaced.",
        0.95,
    ),
    Wording(
        GapKind.SYSTEM_WITHOUT_RUNBOOK,
        "No runbook",
        "What does one do when {detail} fails, step by step{where}?",
        "Several documents rely on this system, and none says what to do when it stops.",
        0.9,
    ),
    Wording(
        GapKind.SYSTEM_WITHOUT_BACKUP,
        "No backup described",
        "How is {detail} backed up, and when was it last restored{where}?",
        "Several documents rely on this system, and none says how its data would be brought back.",
        0.9,
    ),
    Wording(
        GapKind.UNANSWERED_QUESTION,
        "Asked, not answered",
        "Colleagues asked, and the vault could not say: {detail}",
        "More than one person asked this, and no document answers it; the one shown comes nearest.",
        1.0,
    ),
)


SAID = (
    (GapKind.SYSTEM_WITHOUT_RUNBOOK, "What does one do when this fails, step by step: {about}?"),
    (GapKind.SYSTEM_WITHOUT_BACKUP, "How is this backed up, and when was it last restored: {about}?"),
)
"""How is asked where a sentence says so of something that it names itself, and not the vault as a whole."""


def wording(kind: GapKind) -> Wording:
    """Return how a kind is spoken of."""
    return next(each for each in WORDINGS if each.kind is kind)


def question(kind: GapKind, quote: str, topic: str, detail: str) -> str:
    """Return one clear question about a quote; `topic` is its heading, `detail` a name or term."""
    where = f" ({topic})" if topic else ""
    named = detail or ("one person" if kind is GapKind.KNOWLEDGE_IN_A_HEAD else "")
    said = next((words for each, words in SAID if each is kind and not detail), wording(kind).question)
    return said.format(about=f"“{quote}”{where}", where=where, detail=named)
