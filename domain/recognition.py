"""What a document brings to the graph: its source's identities first, then names in its text, by rules.

A capitalised run is a person only with a reason: a known given name, a field such as `Owner:`, a role in brackets.
Other runs are handed on as uncertain; they count where the tenant knows the name already.
"""

import re
from collections.abc import Iterator, Sequence
from email.utils import getaddresses

import msgspec

from domain.entities import EntityKind, Extraction, Found, FoundRelation, RelationKind
from domain.identities import ROLES
from domain.nicknames import COMMON_GIVEN, FAMILIES, PARTICLES
from domain.parsing import BlockKind, ParsedDocument
from domain.reading_fields import Linked, fields, listed_names, owners, rows
from domain.relating import related
from domain.vocabulary import NOT_PEOPLE, ORGANISATION_ENDS, STARTERS, SYSTEM_HEADS, SYSTEMS, TITLE_ROLES

MAX_CHARACTERS = 400_000
"""Names are read up to here; a longer text is a log or a table, not a letter."""
MAX_SPANS = 12
MAX_FOUND = 400
MAX_RECIPIENTS = 15
WORD = re.compile(r"[^\W\d_](?:[\w'’\-]*\w)?\.?|[.!?:;|()\n,]|\d+")
EMAIL = re.compile(r"(?<![\w.+-])[A-Za-z0-9][\w.+-]*@[A-Za-z0-9](?:[\w-]*\w)?(?:\.[A-Za-z0-9][\w-]*)+")
SMALL = re.compile(r"(?<![\w@./-])[a-z][a-z0-9]{3,29}(?![\w@/]|-\w|\.\w)")
MAX_WORDS = 1_500
HANDLE = re.compile(r"(?<![\w@./])@([A-Za-z][\w-]{1,38})(?![\w@]|\.\w)")
REPOSITORY = re.compile(r"\b(?:github|gitlab|bitbucket)\.(?:com|org)/([A-Za-z0-9][\w.-]*)(?:/([A-Za-z0-9][\w.-]*))?")
HEADED = re.compile(
    rf"\b(?:the|our|a)\s+`?([A-Za-z][\w-]{{2,30}})`?\s+(?:{SYSTEM_HEADS})\b(?!\s+(?:rooms?|racks?|halls?|farm|teams?)\b)"
)
PROJECT = re.compile(r"\b[Pp]roject\s+([A-Z][\w-]+(?: [A-Z][\w-]+)?)|\b([A-Z][\w-]+) project\b")
PROCESS = re.compile(r"\b([A-Za-z][\w-]+(?: [a-z][\w-]+)?) (?:runbook|procedure|process)\b")
DEFINED = re.compile(r"\b((?:[A-Z][\w-]+ ){1,4}[A-Z][\w-]+) \(([A-Z]{2,6})\)")
ROLE_AFTER = re.compile(rf"\s*(?:\(|, )(?:the |our )?[\w ]{{0,30}}\b(?:{TITLE_ROLES})\b", re.IGNORECASE)
NO_PROCESS = STARTERS | {"review", "whole", "same", "long", "child", "worker", "web"}
Span = tuple[int, int]


class Run(msgspec.Struct, frozen=True):
    """Capitalised words in a row."""

    words: tuple[str, ...]
    start: int
    end: int


def extract(parsed: ParsedDocument, external_id: str = "") -> Extraction:
    """Return what a document brings: findings, each once, and relations between them. It needs no database."""
    text = parsed.text[:MAX_CHARACTERS]
    document = Found(EntityKind.DOCUMENT, parsed.title.strip()[:200] or external_id, role="self")
    found: dict[tuple[EntityKind, str], Found] = {}
    links: list[tuple[Found, RelationKind, Found, int, int]] = []
    sources = [*_participants(parsed), *_speakers(parsed)]
    for each in (*sources, *owners(external_id, text), *rows(text), *fields(text)):
        _add(found, each.found)
        if each.thing:
            _add(found, each.thing)
        if each.kind:
            links.append((each.found, each.kind, each.thing or document, each.start, each.end))
    for named in (*_addresses(text), *_things(text), *_runs_found(text, found)):
        _add(found, named)
    kept = sorted(found.values(), key=lambda each: (not each.role, not each.is_certain, each.spans[0]))[:MAX_FOUND]
    findings = (document, *kept)
    places = {_identity(each): place for place, each in enumerate(findings)}
    given = [
        FoundRelation(places[_identity(a)], kind, places[_identity(b)], start, end)
        for a, kind, b, start, end in links
        if _identity(a) in places and _identity(b) in places
    ]
    stated = list(related(text, findings))
    return Extraction(_with_systems(findings, stated), tuple(dict.fromkeys([*given, *stated])), small_words(text))


def small_words(text: str) -> tuple[tuple[str, tuple[Span, ...]], ...]:
    """Return the words in small letters with where they stand first, for the tenant's own names among them."""
    found: dict[str, list[Span]] = {}
    for match in SMALL.finditer(text):
        if match[0] not in STARTERS:
            found.setdefault(match[0], []).append(match.span())
    return tuple((word, tuple(spans[:MAX_SPANS])) for word, spans in list(found.items())[:MAX_WORDS])


def _with_systems(findings: Sequence[Found], stated: Sequence[FoundRelation]) -> tuple[Found, ...]:
    """What a system uses, needs or replaces is a system too, if only its name was unknown."""
    promoted = set()
    for each in stated:
        ends = (each.subject, each.object)
        if each.kind in (RelationKind.USES, RelationKind.DEPENDS_ON, RelationKind.REPLACES):
            is_known = any(findings[end].kind is EntityKind.SYSTEM and findings[end].is_certain for end in ends)
            promoted |= {
                end for end in ends if is_known and not findings[end].is_certain and _is_name(findings[end].name)
            }
    return tuple(
        msgspec.structs.replace(each, kind=EntityKind.SYSTEM, is_certain=True) if place in promoted else each
        for place, each in enumerate(findings)
    )


def _is_name(text: str) -> bool:
    """Whether a text is a name rather than a number of a ticket, a decision or a day."""
    return not re.search(r"-\d|\d-", text) and not NOT_PEOPLE & set(text.casefold().split())


def _identity(found: Found) -> tuple[EntityKind, str]:
    return found.kind, (found.email or (found.handle and f"@{found.handle}") or found.name).casefold()


def _add(found: dict[tuple[EntityKind, str], Found], each: Found) -> None:
    """Keep a finding once; its spans and its role come together. A name without address joins the one that has it."""
    identity = _identity(each)
    if not each.email and not each.handle:
        same = [
            key
            for key, held in found.items()
            if held.kind is each.kind and held.name.casefold() == each.name.casefold()
        ]
        identity = same[0] if len(same) == 1 else identity
    held = found.get(identity)
    if held is None:
        found[identity] = each
        return
    spans = tuple(sorted({*held.spans, *each.spans} - ({(0, 0)} if len({*held.spans, *each.spans}) > 1 else set())))
    name = each.name if "@" in held.name and each.name else held.name
    found[identity] = msgspec.structs.replace(
        held,
        spans=spans[:MAX_SPANS],
        name=name,
        role=held.role or each.role,
        is_certain=held.is_certain or each.is_certain,
    )


def _participants(parsed: ParsedDocument) -> Iterator[Linked]:
    """Yield who wrote a mail and who got it; of other documents, the author the source names."""
    is_mail = parsed.media_type == "message/rfc822"
    senders = getaddresses([parsed.metadata.get("from", "")]) if is_mail else []
    for name, address in senders[:1]:
        if "@" in address:
            yield Linked(_person(name or address, email=address, role="author"), RelationKind.CREATED)
    if is_mail:
        received = getaddresses([parsed.metadata.get("to", ""), parsed.metadata.get("cc", "")])
        for name, address in received[:MAX_RECIPIENTS]:
            if "@" in address and address.partition("@")[0].lower() not in ROLES:
                yield Linked(_person(name or address, email=address, role="recipient"), None)
    if not senders and parsed.author:
        for name, address in listed_names(parsed.author):
            yield Linked(_person(name or address, email=address, role="author"), RelationKind.CREATED)


def _speakers(parsed: ParsedDocument) -> Iterator[Linked]:
    """Yield who wrote the messages of a conversation, each with the spans of what they said first."""
    for block in parsed.blocks:
        if block.kind is BlockKind.MESSAGE and (name := block.label.partition(",")[0].strip()):
            yield Linked(_person(name, spans=((block.start, block.start),), role="author"), RelationKind.CREATED)


def _person(name: str, email: str = "", role: str = "", spans: tuple[Span, ...] = ((0, 0),)) -> Found:
    return Found(EntityKind.PERSON, name.strip().strip("'\"")[:120], spans, email=email.lower(), role=role)


def _addresses(text: str) -> Iterator[Found]:
    for match in EMAIL.finditer(text):
        if match[0].partition("@")[0].lower() in ROLES:
            continue
        yield Found(EntityKind.PERSON, match[0], (match.span(),), email=match[0].lower())
    for match in HANDLE.finditer(text):
        yield Found(EntityKind.PERSON, f"@{match[1]}", (match.span(),), handle=match[1].lower())
    for match in REPOSITORY.finditer(text):
        if match[2]:
            name = f"{match[1]}/{match[2].removesuffix('.git').rstrip('.')}"
            yield Found(EntityKind.PROJECT, name, (match.span(),))


def _things(text: str) -> Iterator[Found]:
    """Yield systems, projects, processes and terms that their own words give away."""
    for match in HEADED.finditer(text):
        word = match[1]
        is_named = word[0].isupper() or text[match.start(1) - 1] == "`" or len(re.findall(rf"\b{word}\b", text)) >= 4
        if is_named and "-" not in word and word.lower() not in STARTERS | NOT_PEOPLE:
            yield Found(EntityKind.SYSTEM, word, (match.span(1),))
    for match in PROJECT.finditer(text):
        which = 1 if match[1] else 2
        if match[which].split()[0].lower() not in STARTERS:
            yield Found(EntityKind.PROJECT, match[which], (match.span(which),))
    for match in PROCESS.finditer(text):
        if not NO_PROCESS & set(match[1].lower().split()):
            yield Found(EntityKind.PROCESS, match[0], (match.span(),))
    for match in DEFINED.finditer(text):
        if "".join(word[0] for word in match[1].split() if word[0].isupper()).endswith(match[2]):
            yield Found(EntityKind.TERM, match[1], (match.span(1),))


def _runs_found(text: str, found: dict[tuple[EntityKind, str], Found]) -> Iterator[Found]:
    people = [each for each in found.values() if each.kind is EntityKind.PERSON and " " in each.name]
    given = {each.name.split()[0].casefold() for each in people}
    for run in runs(text):
        yield from _read_run(text, run, people, given)


def _read_run(text: str, run: Run, people: Sequence[Found], given: set[str]) -> Iterator[Found]:
    name, lower = " ".join(run.words), [word.casefold().rstrip(".") for word in run.words]
    span = ((run.start, run.end),)
    if len(lower) > 1 and lower[-1] in ORGANISATION_ENDS:
        yield Found(EntityKind.ORGANISATION, name, span)
    elif len(lower) == 1 and lower[0] in SYSTEMS:
        yield Found(EntityKind.SYSTEM, name, span)
    elif len(lower) == 1:
        meant = [each for each in people if each.name.split()[0].casefold() == lower[0]]
        if len(meant) == 1:
            yield msgspec.structs.replace(meant[0], spans=span, role="")
        elif len(lower[0]) > 3:
            yield Found(EntityKind.TERM, name, span, is_certain=False)
    elif not NOT_PEOPLE & set(lower):
        is_given = lower[0] in FAMILIES or lower[0] in COMMON_GIVEN or lower[0] in given
        is_person = len(lower) <= 4 and (is_given or ROLE_AFTER.match(text, run.end) is not None)
        kind = EntityKind.PERSON if is_person else EntityKind.TERM
        yield Found(kind, name, span, is_certain=is_person)


def runs(text: str) -> Iterator[Run]:
    """Yield capitalised words in a row, without the words that only begin a sentence; particles may stand between."""
    held: list[re.Match[str]] = []
    for match in (*WORD.finditer(text), None):
        word = match[0] if match else "\n"
        is_name = word[0].isupper() and (len(word) > 1 or not held)
        is_between = bool(held) and word in PARTICLES
        is_near = bool(held) and match is not None and text[held[-1].end() : match.start()] == " "
        ends_sentence = bool(held) and held[-1][0].endswith(".") and len(held[-1][0]) > 2
        if match and (is_name or is_between) and (not held or (is_near and not ends_sentence)):
            held.append(match)
            continue
        if run := _run(held):
            yield run
        held = [match] if match and is_name else []


def _run(held: list[re.Match[str]]) -> Run | None:
    while held and (held[0][0].casefold() in STARTERS or held[0][0] in PARTICLES):
        held = held[1:]
    while held and held[-1][0] in PARTICLES:
        held = held[:-1]
    if not held or len(held) > 6:
        return None
    words = [match[0] for match in held]
    last = words[-1].rstrip(".") if len(words[-1]) > 2 else words[-1]
    last = re.sub(r"['’]s$", "", last)
    end = held[-1].start() + len(last)
    return Run((*words[:-1], last), held[0].start(), end) if last else None
