"""Who knows what: what people did about topics, weighed by kind and age, and what follows when one of them leaves.

Everything here works on a bounded part of the graph that a store has loaded for one viewer, and keeps nothing.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from domain.entities import Deed, Edge, Entity, EntityKind, LikelyPerson, RelationKind, Subgraph

if TYPE_CHECKING:
    import networkx as nx

WEIGHTS = MappingProxyType(
    {
        RelationKind.OWNS: 3.0,
        RelationKind.MAINTAINS: 3.0,
        RelationKind.DECIDED: 2.0,
        RelationKind.CREATED: 2.0,
        RelationKind.APPROVED: 1.0,
        RelationKind.REVIEWED: 1.0,
        RelationKind.ANSWERED: 1.5,
    }
)
"""What a deed says about knowing the topic: who owns it knows more than who once read it over."""
HALF_LIFE_DAYS = 540.0
"""A deed counts half after a year and a half."""
FAMILIAR_SHARE = 0.5
"""The people who hold this share between them are those a topic cannot lose: their number is its bus factor."""
ALONE_SHARE = 0.8
LEADS = MappingProxyType({EntityKind.PERSON: 1, EntityKind.DOCUMENT: 2})
"""A topic is called after a thing, where it has one; after a person or a document otherwise."""
FEW_DOCUMENTS = 2
SEED = 7
"""Communities are found by chance moves; a fixed seed makes the same graph give the same topics."""


class Knower(msgspec.Struct, frozen=True):
    """A person's part in a topic."""

    person_id: int
    person: str
    share: float
    n_deeds: int
    latest_at: datetime | None
    kinds: tuple[RelationKind, ...]


class Standing(msgspec.Struct, frozen=True):
    """How a topic is known."""

    topic_id: int
    topic: str
    knowers: tuple[Knower, ...]
    """Those with the largest share first."""
    bus_factor: int
    """The fewest people who hold half of what is known; 0 where nobody is known."""

    @property
    def top_share(self) -> float:
        """The share of the person who knows most."""
        return self.knowers[0].share if self.knowers else 0.0

    @property
    def is_alone(self) -> bool:
        """Whether one person holds nearly all of it."""
        return self.bus_factor == 1 and self.top_share >= ALONE_SHARE


class Community(msgspec.Struct, frozen=True):
    """Entities that hang together; called after the one with most ties, by whose id it is found."""

    id: int
    name: str
    entities: tuple[Entity, ...]


def standings(deeds: Sequence[Deed], now: datetime) -> list[Standing]:
    """Return how each topic is known, those that hang on the fewest people first."""
    by_topic: dict[int, list[Deed]] = defaultdict(list)
    for deed in deeds:
        by_topic[deed.topic_id].append(deed)
    found = [standing(about, now) for about in by_topic.values()]
    return sorted(found, key=lambda each: (each.bus_factor, -each.top_share, -_n_deeds(each), each.topic))


def standing(deeds: Sequence[Deed], now: datetime) -> Standing:
    """Return how one topic is known; all deeds are about it, and there is at least one."""
    weights: dict[int, float] = defaultdict(float)
    done: dict[int, list[Deed]] = defaultdict(list)
    for deed in deeds:
        weights[deed.person_id] += _weight(deed, now)
        done[deed.person_id].append(deed)
    total = sum(weights.values())
    ranked = sorted(done, key=lambda person_id: (-weights[person_id], person_id))
    knowers = tuple(_knower(done[person_id], weights[person_id] / total) for person_id in ranked)
    held, factor = 0.0, 0
    while held < FAMILIAR_SHARE - 1e-9:
        held += knowers[factor].share
        factor += 1
    return Standing(deeds[0].topic_id, deeds[0].topic, knowers, factor)


def experts(deeds: Sequence[Deed], now: datetime, limit: int) -> list[Knower]:
    """Return the people who know most about several topics together; each topic counts the same."""
    shares: dict[int, float] = defaultdict(float)
    parts: dict[int, list[Knower]] = defaultdict(list)
    found = standings(deeds, now)
    for each in found:
        for knower in each.knowers:
            shares[knower.person_id] += knower.share / len(found)
            parts[knower.person_id].append(knower)
    ranked = sorted(parts, key=lambda person_id: (-shares[person_id], person_id))[:limit]
    return [_summed(parts[person_id], shares[person_id]) for person_id in ranked]


def likely(named: Sequence[Entity], about: Sequence[Deed], wrote: Sequence[Deed], now: datetime) -> list[LikelyPerson]:
    """Return who may know, best first: by what they did about the topics, by the documents at hand, or by name."""
    scores: dict[int, float] = defaultdict(float)
    names = {entity.id: entity.name for entity in named}
    reasons: dict[int, list[str]] = defaultdict(list)
    for entity in named:
        scores[entity.id] += 0.5
        reasons[entity.id].append("named in the question")
    for deeds, weight in ((about, 1.0), (wrote, 0.5)):
        for knower in experts(deeds, now, len(deeds)):
            scores[knower.person_id] += weight * knower.share
            names[knower.person_id] = knower.person
            reasons[knower.person_id].append(_because(deeds, knower.person_id))
    ranked = sorted(scores, key=lambda person_id: (-scores[person_id], person_id))
    return [LikelyPerson(each, names[each], round(scores[each], 3), "; ".join(reasons[each])) for each in ranked]


def _because(deeds: Sequence[Deed], person_id: int) -> str:
    """Say what a person did about what, the weightiest first: `owns Kafka, reviewed Ledger`."""
    done = dict.fromkeys((deed.kind, deed.topic) for deed in deeds if deed.person_id == person_id)
    ranked = sorted(done, key=lambda each: -WEIGHTS.get(each[0], 0.5))
    return ", ".join(f"{kind.value.replace('_', ' ')} {topic}" for kind, topic in ranked[:3])


def known_alone(deeds: Sequence[Deed], person_id: int, now: datetime) -> list[Standing]:
    """Return the topics of which this person alone holds nearly everything."""
    return [each for each in standings(deeds, now) if each.is_alone and each.knowers[0].person_id == person_id]


def communities(part: Subgraph) -> list[Community]:
    """Return the groups that hang together more than with the rest, the largest first; lone entities are in none.

    Louvain's method: Blondel et al., Journal of Statistical Mechanics, 2008, P10008.
    """
    graph = _network(part)
    entities = {entity.id: entity for entity in part.entities}
    import networkx as nx  # noqa: PLC0415  # megabytes that only who uses them pays for

    groups = nx.community.louvain_communities(graph, weight="weight", seed=SEED) if graph.number_of_edges() else []
    found = []
    for group in groups:
        members = sorted(group, key=lambda place: (-graph.degree(place, weight="weight"), place))
        if len(members) > 2:
            topics = sorted(members, key=lambda place: LEADS.get(entities[place].kind, 0))
            lead = entities[topics[0]]
            found.append(Community(lead.id, lead.name, tuple(entities[place] for place in members)))
    return sorted(found, key=lambda community: (-len(community.entities), community.name))


def isolated(part: Subgraph) -> list[Entity]:
    """Return what few documents name and nothing, or one other thing alone, is related to."""
    graph = _network(msgspec.structs.replace(part, edges=tuple(filter(_is_stated, part.edges))))
    return [
        entity
        for entity in part.entities
        if entity.kind not in (EntityKind.DOCUMENT, EntityKind.PERSON)
        and graph.degree(entity.id) <= 1
        and entity.n_documents <= FEW_DOCUMENTS
    ]


def _is_stated(edge: Edge) -> bool:
    """A document that merely names a thing relates it to nothing."""
    return edge.kind is not RelationKind.MENTIONS


def _network(part: Subgraph) -> "nx.Graph[int]":
    import networkx as nx  # noqa: PLC0415  # megabytes that only who uses them pays for

    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(entity.id for entity in part.entities)
    for edge in part.edges:
        weight = graph.get_edge_data(edge.subject_id, edge.object_id, {"weight": 0})["weight"]
        graph.add_edge(edge.subject_id, edge.object_id, weight=weight + edge.n_proofs)
    return graph


def _weight(deed: Deed, now: datetime) -> float:
    age_days = max((now - deed.at).total_seconds() / 86_400, 0.0) if deed.at else HALF_LIFE_DAYS
    return float(WEIGHTS.get(deed.kind, 0.5) * 0.5 ** (age_days / HALF_LIFE_DAYS))


def _knower(deeds: Sequence[Deed], share: float) -> Knower:
    latest = max((deed.at for deed in deeds if deed.at), default=None)
    kinds = tuple(sorted({deed.kind for deed in deeds}, key=list(RelationKind).index))
    return Knower(deeds[0].person_id, deeds[0].person, share, len(deeds), latest, kinds)


def _summed(parts: Sequence[Knower], share: float) -> Knower:
    latest = max((part.latest_at for part in parts if part.latest_at), default=None)
    kinds: Mapping[RelationKind, None] = dict.fromkeys(kind for part in parts for kind in part.kinds)
    n_deeds = sum(part.n_deeds for part in parts)
    return Knower(parts[0].person_id, parts[0].person, share, n_deeds, latest, tuple(kinds))


def _n_deeds(each: Standing) -> int:
    return sum(knower.n_deeds for knower in each.knowers)
