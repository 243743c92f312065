"""Under which keys a finding is kept and looked for, through the product's normaliser."""

from collections.abc import Sequence

import msgspec

from domain.companies import read_company
from domain.entities import EntityKind, Found, KnownAlias
from domain.identities import Identity, Record, compare, keys, read_identity
from domain.names import match_companies
from domain.spelling import words
from infra.romanising import romanise

MAX_KEY = 300


class Keyed(msgspec.Struct, frozen=True):
    """A finding with its keys."""

    found: Found
    key: str
    """One for each alias of a kind in a tenant: `a:` an address, `h:` a handle, `n:` a name, `d:` a document."""
    keys: tuple[str, ...]
    identity: Identity | None = None

    @property
    def unique(self) -> tuple[str, str]:
        """What is unique in a tenant."""
        return self.found.kind.value, self.key


class Settled(msgspec.Struct, frozen=True):
    """Where a new alias belongs: an entity that stands already, and why."""

    entity_id: int
    reason: str
    weight: float


def keyed(found: Found, document_id: int) -> Keyed | None:
    """Return a finding with its keys; None when nothing of its name is left."""
    if found.role == "self":
        return Keyed(found, f"d:{document_id}", ())
    if found.kind is EntityKind.PERSON:
        return _keyed_person(found)
    folded = words(found.name, romanise)
    if not folded:
        return None
    wide = (f"o:{''.join(read_company(folded).core)}"[:MAX_KEY],) if found.kind is EntityKind.ORGANISATION else ()
    return Keyed(found, f"n:{' '.join(folded)}"[:MAX_KEY], wide)


def _keyed_person(found: Found) -> Keyed | None:
    identity = identity_of(found.name, found.email, f"h:{found.handle}" if found.handle else "")
    if found.email:
        key = f"a:{identity.address or found.email}"
    elif found.handle:
        key = f"h:{found.handle}"
    else:
        key = f"n:{' '.join(sorted(identity.name))}"
    if key == "n:":
        return None
    return Keyed(found, key[:MAX_KEY], tuple(dict.fromkeys(each[:MAX_KEY] for each in keys(identity))), identity)


def identity_of(name: str, email: str, key: str) -> Identity:
    """Return the identity of a person's alias."""
    handle = key.removeprefix("h:").replace("-", "").replace("_", "") if key.startswith("h:") else ""
    identity = read_identity(Record("", "" if handle else name, email), romanise)
    return msgspec.structs.replace(identity, handle=handle) if handle else identity


def settle(each: Keyed, known: Sequence[KnownAlias], present: frozenset[int]) -> Settled | None:
    """Return the entity a new alias belongs to, or None for one of its own.

    `present` are the entities of the same document. Of two entities that fit, neither is taken unless one is present.
    """
    best: dict[int, Settled] = {}
    for alias in known:
        found = _compared(each, alias, present)
        if found and found.weight > best.get(alias.entity_id, Settled(0, "", 0.0)).weight:
            best[alias.entity_id] = found
    if each.found.kind is EntityKind.PERSON:
        refused = {alias.entity_id for alias in known if _is_refused(each, alias)}
        best = {entity_id: found for entity_id, found in best.items() if entity_id not in refused}
    ranked = sorted(best.values(), key=lambda found: (-found.weight, found.entity_id))
    if len(ranked) > 1 and ranked[0].weight - ranked[1].weight < 1.0:
        ranked = [found for found in ranked if found.entity_id in present][:1]
    return ranked[0] if ranked else None


def _compared(each: Keyed, alias: KnownAlias, present: frozenset[int]) -> Settled | None:
    if each.identity is None:
        mine, theirs = (read_company(words(name, romanise)) for name in (each.found.name, alias.name))
        match = match_companies(mine, theirs)
        return Settled(alias.entity_id, match.reason, match.score * 10) if match.score >= 0.9 else None
    verdict = compare(each.identity, identity_of(alias.name, alias.email, alias.key))
    is_near = alias.entity_id in present
    weight = verdict.weight + (2.0 if is_near and verdict.weight > 0 else 0.0)
    reasons = (*verdict.reasons, *(("named in the same document",) if is_near else ()))
    return Settled(alias.entity_id, "; ".join(reasons), weight) if weight >= 5.0 else None


def _is_refused(each: Keyed, alias: KnownAlias) -> bool:
    """An entity is not joined when one of its aliases speaks clearly against it."""
    theirs = identity_of(alias.name, alias.email, alias.key)
    if each.identity is None:
        return False
    verdict, mine = compare(each.identity, theirs), each.identity
    is_namesake = bool(mine.address and theirs.address and mine.name) and sorted(mine.name) == sorted(theirs.name)
    return verdict.is_contrary or (is_namesake and not verdict.is_same)
