"""Relations that a sentence states between two names that stand in it, by the words between them."""

import re
from collections.abc import Iterator, Sequence
from types import MappingProxyType

from domain.entities import EntityKind, Found, FoundRelation, RelationKind

MAX_BETWEEN = 90
MAX_RELATIONS = 400
SENTENCE_END = re.compile(r"[.!?;]\s|\n|[.!?]$")
PERSON, ORGANISATION, DOCUMENT = EntityKind.PERSON, EntityKind.ORGANISATION, EntityKind.DOCUMENT
R = RelationKind
PATTERNS = tuple(
    (re.compile(pattern, re.IGNORECASE), kind, is_reversed)
    for pattern, kind, is_reversed in (
        (r"\b(?:is|are|was) (?:\w+ )?owned by\b|\bbelongs to\b", R.OWNS, True),
        (r"\b(?:owns|(?:is|as) (?:the )?owner of|(?:is|are) responsible for|is in charge of)\b", R.OWNS, False),
        (r"\b(?:is|are) (?:\w+ )?(?:maintained|looked after|operated|run) by\b", R.MAINTAINS, True),
        (r"\b(?:maintains?|looks? after|operates?|(?:is|are) on call for|takes? care of)\b", R.MAINTAINS, False),
        (r"\b(?:created|written|built|designed|developed|set up|introduced) by\b", R.CREATED, True),
        (r"\b(?:created|wrote|built|designed|developed|set up|introduced|authored)\b", R.CREATED, False),
        (r"\b(?:was|were|is) approved by\b|\bsigned off by\b", R.APPROVED, True),
        (r"\b(?:approved|signed off(?: on)?)\b", R.APPROVED, False),
        (r"\b(?:was|were|is) reviewed by\b", R.REVIEWED, True),
        (r"\breviewed\b", R.REVIEWED, False),
        (r"\b(?:was|were|is) answered by\b", R.ANSWERED, True),
        (r"\b(?:was|were) decided by\b", R.DECIDED, True),
        (r"\bdecided (?:on|for|to use|against)\b|\bchose\b", R.DECIDED, False),
        (r"\b(?:is|was|were|has been) (?:replaced|superseded) (?:by|with)\b", R.REPLACES, True),
        (r"\b(?:replaces|replaced|supersedes)\b", R.REPLACES, False),
        (r"\b(?:depends? on|reli(?:es|ed) on|rely on|requires?|runs? on(?: top of)?|needs)\b", R.DEPENDS_ON, False),
        (r"\b(?:is|are) used by\b", R.USES, True),
        (r"\b(?:uses?|reads? from|writes? (?:in)?to|queries|talks to|sends? \w+ to)\b", R.USES, False),
        (r"\b(?:is|are) (?:a |one )?(?:part|member|component|module) of\b|\bworks (?:in|at|for)\b", R.PART_OF, False),
        (r"\breports? to\b|(?:'s|’s) manager is\b", R.REPORTS_TO, False),
        (r"\bworks? (?:closely )?with\b|\btogether with\b|\bpairs? with\b", R.WORKS_WITH, False),
    )
)
SUBJECTS = MappingProxyType(
    {
        R.OWNS: {PERSON, ORGANISATION},
        R.MAINTAINS: {PERSON, ORGANISATION},
        R.CREATED: {PERSON, ORGANISATION},
        R.APPROVED: {PERSON, ORGANISATION},
        R.REVIEWED: {PERSON, ORGANISATION},
        R.ANSWERED: {PERSON, ORGANISATION},
        R.DECIDED: {PERSON, ORGANISATION},
        R.REPORTS_TO: {PERSON},
        R.WORKS_WITH: {PERSON, ORGANISATION},
    }
)
"""Who may stand at the head of a relation; for the others, anything."""
BETWEEN_PEOPLE = frozenset({R.REPORTS_TO, R.WORKS_WITH, R.REPLACES})
"""What may be said of a person; to use or to own one is a misreading."""
NEGATED = re.compile(r"\b(?:not|never|no longer|n't|nobody|neither|without)\b|n['’]t\b", re.IGNORECASE)


def related(text: str, findings: Sequence[Found]) -> Iterator[FoundRelation]:
    """Yield what is stated between neighbours in a sentence by the words that stand between their names."""
    spans = sorted(
        (start, end, place)
        for place, each in enumerate(findings)
        if each.kind is not DOCUMENT
        for start, end in each.spans
        if end > start
    )
    n_found = 0
    for number, (start, end, place) in enumerate(spans):
        for next_start, next_end, other in spans[number + 1 : number + 3]:
            if next_start < end or other == place or next_start - end > MAX_BETWEEN or n_found >= MAX_RELATIONS:
                continue
            between = text[end:next_start]
            if SENTENCE_END.search(between) or NEGATED.search(between):
                break
            if relation := _stated(findings, place, other, between):
                n_found += 1
                yield FoundRelation(relation[0], relation[1], relation[2], start, next_end)


def _stated(findings: Sequence[Found], place: int, other: int, between: str) -> tuple[int, RelationKind, int] | None:
    for pattern, kind, is_reversed in PATTERNS:
        if pattern.search(between):
            subject, thing = (other, place) if is_reversed else (place, other)
            is_fitting = findings[subject].kind in SUBJECTS.get(kind, set(EntityKind))
            is_fitting = is_fitting and (findings[thing].kind is PERSON) <= (kind in BETWEEN_PEOPLE)
            is_fitting = is_fitting and (kind is not R.REPORTS_TO or findings[thing].kind is PERSON)
            return (subject, kind, thing) if is_fitting else None
    return None
