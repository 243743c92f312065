"""Who knows what, from what people did."""

from datetime import UTC, datetime, timedelta

from domain.entities import Deed, Edge, Entity, EntityKind, RelationKind, Subgraph
from domain.expertise import communities, experts, isolated, known_alone, standing, standings

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def deed(person: int, topic: int, kind: RelationKind = RelationKind.CREATED, days_ago: int = 0) -> Deed:
    return Deed(person, f"P{person}", topic, f"T{topic}", kind, 1, NOW - timedelta(days=days_ago))


def test_the_bus_factor_is_the_fewest_people_who_hold_half() -> None:
    assert standing([deed(1, 1)], NOW).bus_factor == 1
    assert standing([deed(1, 1), deed(2, 1)], NOW).bus_factor == 1
    assert standing([deed(person, 1) for person in range(1, 5)], NOW).bus_factor == 2
    assert standing([deed(1, 1)] * 9 + [deed(2, 1)], NOW).is_alone


def test_owning_counts_more_than_reviewing_and_recent_deeds_more_than_old_ones() -> None:
    owner = standing([deed(1, 1, RelationKind.REVIEWED), deed(2, 1, RelationKind.OWNS)], NOW)
    assert [knower.person_id for knower in owner.knowers] == [2, 1]
    recent = standing([deed(1, 1, days_ago=1_000), deed(2, 1, days_ago=10)], NOW)
    assert [knower.person_id for knower in recent.knowers] == [2, 1]


def test_experts_are_ranked_over_all_topics_of_a_question_together() -> None:
    deeds = [deed(1, 1)] * 5 + [deed(2, 1), deed(2, 2)]
    assert [knower.person_id for knower in experts(deeds, NOW, 5)] == [2, 1]
    assert experts([], NOW, 5) == []


def test_what_a_person_alone_knows_comes_first_among_the_topics() -> None:
    deeds = [deed(1, 1), deed(1, 2), deed(2, 2), deed(3, 2)]
    assert [each.topic_id for each in known_alone(deeds, 1, NOW)] == [1]
    assert [each.topic_id for each in standings(deeds, NOW)] == [1, 2]


def test_groups_that_hang_together_are_topics_and_what_hangs_on_nothing_is_an_island() -> None:
    entities = tuple(Entity(place, EntityKind.SYSTEM, f"S{place}") for place in range(1, 8))
    pairs = [(1, 2), (2, 3), (1, 3), (4, 5), (5, 6), (4, 6), (3, 4)]
    part = Subgraph(entities, tuple(Edge(a, RelationKind.USES, b, 1) for a, b in pairs))
    assert {frozenset(entity.id for entity in group.entities) for group in communities(part)} == {
        frozenset({1, 2, 3}),
        frozenset({4, 5, 6}),
    }
    assert [entity.id for entity in isolated(part)] == [7]
    assert communities(Subgraph((), ())) == []
