"""Records of people joined into persons: blocked, compared, and the strongest evidence followed first.

Blocking keeps the work small: only records that share an address, a handle or the outline of a name are compared.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations, pairwise

from domain.identities import Identity, Record, compare, keys, read_identity
from domain.spelling import Romanise

MAX_BLOCK = 60
"""Records under one key that are all compared; a key that more share says nothing."""
CLEARLY = 1.0
"""By how much the evidence for one namesake must outweigh that for another before a bare name is given to either."""
Scored = tuple[float, int, int]


def joined(identities: Sequence[Identity]) -> dict[str, str]:
    """Return a cluster for each record, named after its first record. The strongest evidence is followed first."""
    scored = sorted(
        (
            (-verdict.weight, a, b)
            for a, b in _blocked(identities)
            if (verdict := compare(identities[a], identities[b])).is_same
        )
    )
    scored = _without_undecided(identities, scored)
    home = list(range(len(identities)))
    members: dict[int, list[int]] = {place: [place] for place in home}
    for _, a, b in scored:
        left, right = sorted((home[a], home[b]))
        if left == right or _is_contradicted(identities, members[left], members[right]):
            continue
        for place in members.pop(right):
            home[place] = left
            members[left].append(place)
    return {identity.id: identities[home[place]].id for place, identity in enumerate(identities)}


def _blocked(identities: Sequence[Identity]) -> Iterable[tuple[int, int]]:
    blocks: dict[str, list[int]] = defaultdict(list)
    for place, identity in enumerate(identities):
        for key in dict.fromkeys(keys(identity)):
            blocks[key].append(place)
    pairs: set[tuple[int, int]] = set()
    for key, places in blocks.items():
        if len(places) <= MAX_BLOCK:
            pairs.update(combinations(places, 2))
        elif key[0] in "an":
            pairs.update(pairwise(places))
    return sorted(pairs)


def _without_undecided(identities: Sequence[Identity], scored: Sequence[Scored]) -> list[Scored]:
    """Leave out what joins a bare name to several people who are not one, unless one of them clearly fits best."""
    partners: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for negative, a, b in scored:
        for one, other in ((a, b), (b, a)):
            if not identities[one].address and identities[other].address:
                partners[one].append((-negative, other))
    refused = set()
    for bare, held in partners.items():
        best = max(held)
        for weight, other in held:
            if best[0] - weight < CLEARLY and _are_two(identities[best[1]], identities[other]):
                refused |= {(bare, place) for _, place in held}
    return [each for each in scored if not {(each[1], each[2]), (each[2], each[1])} & refused]


def _are_two(one: Identity, other: Identity) -> bool:
    return one != other and not compare(one, other).is_same


def _is_contradicted(identities: Sequence[Identity], left: Sequence[int], right: Sequence[int]) -> bool:
    """Two groups stay apart when teams or mailboxes hold members apart, or most full names contradict each other."""
    pairs = [(identities[a], identities[b]) for a in left[:8] for b in right[:8]]
    is_one_address = any(a.address and a.address == b.address for a, b in pairs)
    verdicts = [(a, b, compare(a, b)) for a, b in pairs]
    if not is_one_address and any(verdict.is_parted for _, _, verdict in verdicts):
        return True
    named = [verdict for a, b, verdict in verdicts if len(a.name) > 1 and len(b.name) > 1]
    return sum(verdict.weight <= -3.0 for verdict in named) * 2 > len(named)


def resolve(records: Sequence[Record], romanise: Romanise) -> list[tuple[str, str]]:
    """Return each record's id with the id of its cluster, in the order given."""
    clusters = joined([read_identity(record, romanise) for record in records])
    return [(record.id, clusters[record.id]) for record in records]
