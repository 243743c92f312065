"""Explicit fields of a document: `Owner: Ada Byron`, `Reviewed by: …`, and code ownership files, line by line."""

import re
from collections.abc import Iterator
from types import MappingProxyType

import msgspec

from domain.entities import EntityKind, Found, RelationKind
from domain.nicknames import PARTICLES
from domain.vocabulary import NOT_PEOPLE, STARTERS

HEAD_CHARACTERS = 20_000
MAX_NAMES = 12
PERSON_FIELDS = MappingProxyType(
    {
        "owner": RelationKind.OWNS,
        "owned by": RelationKind.OWNS,
        "maintainer": RelationKind.MAINTAINS,
        "maintained by": RelationKind.MAINTAINS,
        "author": RelationKind.CREATED,
        "written by": RelationKind.CREATED,
        "decider": RelationKind.DECIDED,
        "decided by": RelationKind.DECIDED,
        "approver": RelationKind.APPROVED,
        "approved by": RelationKind.APPROVED,
        "reviewer": RelationKind.REVIEWED,
        "reviewed by": RelationKind.REVIEWED,
        "answered by": RelationKind.ANSWERED,
        "present": None,
        "attendee": None,
        "participant": None,
    }
)
FIELD = re.compile(
    rf"^[^\w\n]{{0,6}}(?P<label>{'|'.join(PERSON_FIELDS)})s?\*{{0,2}}\s*:\*{{0,2}}[ \t]*(?P<value>[^\n|]{{3,300}})",
    re.IGNORECASE | re.MULTILINE,
)
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
OWNED = re.compile(r"^(?P<path>[^\s#]\S*)(?P<owners>(?:\s+(?:@[\w/.-]+|[\w.+-]+@[\w.-]+))+)\s*(?:#.*)?$", re.MULTILINE)
ROW_CHARACTERS = 200_000
ROW = re.compile(
    r"^[^\n|:]{2,30}: [^\n]*?\|[^\n]*$|^(?:service|system|component|application): [^\n|.]{2,60}$", re.I | re.M
)
CELL = re.compile(r"(?:^|\| *)(?P<label>[^|:\n]{2,30}): *(?P<value>[^|\n(]*)", re.MULTILINE)
THING_FIELDS = MappingProxyType(
    {
        "service": EntityKind.SYSTEM,
        "system": EntityKind.SYSTEM,
        "component": EntityKind.SYSTEM,
        "application": EntityKind.SYSTEM,
        "project": EntityKind.PROJECT,
        "vendor": EntityKind.ORGANISATION,
        "supplier": EntityKind.ORGANISATION,
        "customer": EntityKind.ORGANISATION,
        "process": EntityKind.PROCESS,
    }
)
BRACKETS = re.compile(r"^[^(]*\((?=[^)]*$)|\([^)]*\)|\[[^\]]*\]|<[^>]*>")


class Linked(msgspec.Struct, frozen=True):
    """A finding with the relation in which it stands to the document; None where it only belongs to it."""

    found: Found
    kind: RelationKind | None
    start: int = 0
    end: int = 0
    thing: Found | None = None
    """What the relation is about, where that is not the document itself."""


def fields(text: str) -> Iterator[Linked]:
    """Yield the people named in a document's fields; the field is the proof."""
    for match in FIELD.finditer(text[:HEAD_CHARACTERS]):
        kind = PERSON_FIELDS[match["label"].lower()]
        for name, address in listed_names(match["value"]):
            at = text.find(name or address, match.start("value"), match.end("value"))
            span = (max(at, match.start("value")), max(at, match.start("value")) + len(name or address))
            person = Found(EntityKind.PERSON, name or address, (span,), email=address, role="named")
            yield Linked(person, kind, match.start("label"), match.end("value"))


def rows(text: str) -> Iterator[Linked]:
    """Yield the systems and projects of a table (`service: ledger | owner: Ada Byron`) with their owners."""
    for match in ROW.finditer(text[:ROW_CHARACTERS]):
        cells = [(cell["label"].lower(), cell) for cell in CELL.finditer(text, *match.span())]
        things = [cell for label, cell in cells if label in THING_FIELDS and is_thing(cell["value"])]
        if not things:
            continue
        first = things[0]
        thing = Found(
            THING_FIELDS[first["label"].lower()], first["value"].strip(), (first.span("value"),), role="named"
        )
        yield Linked(thing, None)
        for label, cell in cells:
            kind = PERSON_FIELDS.get(label)
            for name, address in listed_names(cell["value"]) if kind else ():
                span = (cell.start("value"), cell.start("value") + len(cell["value"].rstrip()))
                person = Found(EntityKind.PERSON, name or address, (span,), email=address, role="named")
                yield Linked(person, kind, match.start(), match.end(), thing)


def is_thing(value: str) -> bool:
    """Whether a cell holds a name rather than a sentence or a number."""
    return 2 < len(value.strip()) <= 60 and len(value.split()) <= 4 and value.strip()[0].isalpha()


def listed_names(value: str) -> Iterator[tuple[str, str]]:
    """Yield names with their addresses from a list such as `Ada Byron (lead), Tom Reed <tom@x.example> and Li Na`."""
    sentence = re.split(r"(?<=[\w)])\.\s", value, maxsplit=1)[0]
    for part in re.split(r",|;|/|&|\band\b|\bund\b", sentence)[:MAX_NAMES]:
        address = ADDRESS.search(part)
        name = BRACKETS.sub(" ", part).replace(address[0] if address else "\0", " ").strip(" .*_`\"'()[]\t")
        name = " ".join(name.split())
        if is_full_name(name) or address:
            yield (name if is_full_name(name) else ""), (address[0].lower() if address else "")


def is_full_name(name: str) -> bool:
    """Whether a text is written like a person's full name and holds no word that no person is called."""
    words = name.split()
    lower = {word.casefold().rstrip(".") for word in words}
    is_written = all(word[0].isupper() or word in PARTICLES for word in words) and name.replace(" ", "").isprintable()
    return 2 <= len(words) <= 5 and is_written and not lower & (NOT_PEOPLE | STARTERS) and not re.search(r"\d", name)


def owners(external_id: str, text: str) -> Iterator[Linked]:
    """Yield who owns which path, when the document is a CODEOWNERS file."""
    if external_id.rpartition("/")[2].partition("@")[0].upper() != "CODEOWNERS":
        return
    for match in OWNED.finditer(text):
        thing = Found(EntityKind.SYSTEM, match["path"][:200], (match.span("path"),))
        for word in match["owners"].split():
            at = text.index(word, match.start("owners"))
            yield Linked(_owner(word, (at, at + len(word))), RelationKind.OWNS, match.start(), match.end(), thing)


def _owner(word: str, span: tuple[int, int]) -> Found:
    if not word.startswith("@"):
        return Found(EntityKind.PERSON, word, (span,), email=word.lower(), role="owner")
    if "/" in word:
        return Found(EntityKind.ORGANISATION, word.removeprefix("@"), (span,), role="owner")
    return Found(EntityKind.PERSON, word, (span,), handle=word[1:].lower(), role="owner")
