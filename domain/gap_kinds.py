"""The kinds of gaps: what each is called, how it is asked about, and how much it matters when it stays open."""

from enum import StrEnum


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


def name(kind: GapKind) -> str:
    """Return what people call the kind."""
    match kind:
        case GapKind.DECISION_WITHOUT_REASON:
            return "Decision without a reason"
        case GapKind.MISSING_ACTOR:
            return "Nobody named"
        case GapKind.VAGUE_TIME:
            return "No date"
        case GapKind.VAGUE_QUANTITY:
            return "No number"
        case GapKind.KNOWLEDGE_IN_A_HEAD:
            return "In one head"
        case GapKind.IMPLICIT_PROCESS:
            return "Steps not described"
        case GapKind.ASSUMED_CONTEXT:
            return "Context assumed"
        case GapKind.STALE_REFERENCE:
            return "Out of date"
        case GapKind.WAITING_ON:
            return "Waiting"
        case GapKind.UNSUPPORTED_CLAIM:
            return "Claim without support"
        case GapKind.UNDEFINED_TERM:
            return "Term not explained"
        case GapKind.DANGLING_LINK:
            return "Broken link"
        case GapKind.RESULT_WITHOUT_CAUSE:
            return "Cause unknown"
        case GapKind.NO_CONCLUSION:
            return "No conclusion"
        case GapKind.SYSTEM_WITHOUT_OWNER:
            return "No owner"
        case GapKind.SINGLE_EXPERT:
            return "Only one expert"
        case GapKind.SUPERSEDED_BUT_CITED:
            return "Replaced, still cited"


def question(kind: GapKind, quote: str, topic: str, detail: str) -> str:
    """Return one clear question; `quote` is the evidence, `topic` what the document is about, `detail` a name or term."""
    about = f"“{quote}”"
    where = f" ({topic})" if topic else ""
    match kind:
        case GapKind.DECISION_WITHOUT_REASON:
            return f"Why was this decided, and what was weighed against it: {about}{where}?"
        case GapKind.MISSING_ACTOR:
            return f"Who does this, and by when: {about}{where}?"
        case GapKind.VAGUE_TIME:
            return f"When exactly, on which date or after which event: {about}{where}?"
        case GapKind.VAGUE_QUANTITY:
            return f"How much is that in numbers: {about}{where}?"
        case GapKind.KNOWLEDGE_IN_A_HEAD:
            who = f"{detail} knows" if detail else "only one person knows"
            return f"Can what {who} be written down here: {about}{where}?"
        case GapKind.IMPLICIT_PROCESS:
            return f"Which steps are meant here, one by one: {about}{where}?"
        case GapKind.ASSUMED_CONTEXT:
            return f"What does a reader who was not there need to know: {about}{where}?"
        case GapKind.STALE_REFERENCE:
            return f"Is this still so, and who or what stands in its place today: {about}{where}?"
        case GapKind.WAITING_ON:
            return f"Has the answer come, and what did it say: {about}{where}?"
        case GapKind.UNSUPPORTED_CLAIM:
            return f"What shows this, a figure, a test or a source: {about}{where}?"
        case GapKind.UNDEFINED_TERM:
            return f"What does {detail} mean{where}?"
        case GapKind.DANGLING_LINK:
            return f"Where is the document that this points to, {detail}: {about}{where}?"
        case GapKind.RESULT_WITHOUT_CAUSE:
            return f"What was the cause, as far as anyone knows today: {about}{where}?"
        case GapKind.NO_CONCLUSION:
            return f"What came of this, and who decided it: {about}{where}?"
        case GapKind.SYSTEM_WITHOUT_OWNER:
            return f"Who is responsible for this from now on: {about}{where}?"
        case GapKind.SINGLE_EXPERT:
            return f"Who else can do this, and where is it described: {about}{where}?"
        case GapKind.SUPERSEDED_BUT_CITED:
            return f"{detail}. What holds now: {about}{where}?"


def reason(kind: GapKind) -> str:
    """Return why we ask, for the person asked."""
    match kind:
        case GapKind.DECISION_WITHOUT_REASON:
            return "The decision is written down, its reason is not; whoever wants to change it will have to guess."
        case GapKind.MISSING_ACTOR:
            return "Something is to be done and nobody is named, so it may never be."
        case GapKind.VAGUE_TIME:
            return "The text gives no date that anyone could plan with."
        case GapKind.VAGUE_QUANTITY:
            return "The text gives no number that anyone could check."
        case GapKind.KNOWLEDGE_IN_A_HEAD | GapKind.SINGLE_EXPERT:
            return "This is known to one person; on a day off it is known to nobody."
        case GapKind.IMPLICIT_PROCESS:
            return "The text relies on a procedure that is not described anywhere near."
        case GapKind.ASSUMED_CONTEXT:
            return "The text takes for granted what a newcomer cannot know."
        case GapKind.STALE_REFERENCE:
            return "The text points at a person or a time that has passed."
        case GapKind.WAITING_ON:
            return "The text ends with waiting; what came of it is not recorded."
        case GapKind.UNSUPPORTED_CLAIM:
            return "The text states something as known without saying from where."
        case GapKind.UNDEFINED_TERM:
            return "The abbreviation is used and explained nowhere in the vault."
        case GapKind.DANGLING_LINK:
            return "The link leads to a document that the vault does not hold."
        case GapKind.RESULT_WITHOUT_CAUSE:
            return "What happened is recorded, why it happened is not; it may happen again."
        case GapKind.NO_CONCLUSION:
            return "The discussion is recorded, its outcome is not."
        case GapKind.SYSTEM_WITHOUT_OWNER:
            return "Something that people rely on has nobody who looks after it."
        case GapKind.SUPERSEDED_BUT_CITED:
            return "The text relies on a decision that has been replaced."


def risk(kind: GapKind) -> float:
    """Return how much harm an open gap of this kind can do, between 0 and 1."""
    match kind:
        case GapKind.SINGLE_EXPERT | GapKind.KNOWLEDGE_IN_A_HEAD | GapKind.SYSTEM_WITHOUT_OWNER:
            return 1.0
        case GapKind.SUPERSEDED_BUT_CITED | GapKind.DECISION_WITHOUT_REASON | GapKind.RESULT_WITHOUT_CAUSE:
            return 0.95
        case GapKind.MISSING_ACTOR | GapKind.NO_CONCLUSION | GapKind.WAITING_ON | GapKind.STALE_REFERENCE:
            return 0.9
        case GapKind.IMPLICIT_PROCESS | GapKind.VAGUE_TIME | GapKind.DANGLING_LINK:
            return 0.85
        case GapKind.ASSUMED_CONTEXT | GapKind.UNSUPPORTED_CLAIM:
            return 0.8
        case GapKind.VAGUE_QUANTITY | GapKind.UNDEFINED_TERM:
            return 0.6
