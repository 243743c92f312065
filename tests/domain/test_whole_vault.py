"""What only the whole vault shows, and how gaps are ranked."""

from datetime import UTC, datetime

import numpy as np

from domain.entities import Deed, EntityKind, Proof, RelationKind
from domain.expertise import Knower, standings
from domain.gap_kinds import GapKind
from domain.gap_ranking import Lesson, Twins, Unsorted, addressee, are_one, quality
from domain.unanswered import UnansweredQuestion
from domain.whole_vault import Care, Topic, alone, asked_often, uncared

NOW = datetime(2026, 11, 25, tzinfo=UTC)
PLACE = Proof(5, 50, "Kettle", 0, 20, "Kettle takes in readings.", NOW)
KETTLE = Topic(1, EntityKind.SYSTEM, "Kettle", 4, (PLACE,))


def deed(person: str, document_id: int) -> Deed:
    return Deed(len(person), person, 1, "Kettle", RelationKind.CREATED, document_id, NOW)


def unsorted(**given: object) -> Unsorted:
    return Unsorted(**{  # type: ignore[arg-type]
        "gap_id": 1, "document_id": 5, "kind": GapKind.VAGUE_TIME, "start": 0, "end": 9, "question": "When: “Soon.”?",
        "person": "", "author": "", **given,
    })  # fmt: skip


def test_a_topic_that_one_person_alone_works_on_is_asked_of_that_person() -> None:
    found = list(alone(standings([deed("Pekka", n) for n in range(3)], NOW), {1: KETTLE}))
    assert [(each.gap.kind, each.gap.person, each.document_id) for each in found] == [
        (GapKind.SINGLE_EXPERT, "Pekka", 5)
    ]
    shared = [deed("Pekka", 1), deed("Pekka", 2), deed("Ada", 3), deed("Ada", 4)]
    assert not list(alone(standings(shared, NOW), {1: KETTLE}))


def test_a_system_is_asked_about_once_what_it_lacks_most_first() -> None:
    def kinds(owned: frozenset[int], care: Care) -> list[GapKind]:
        return [each.gap.kind for each in uncared([KETTLE], owned, [care])]

    assert kinds(frozenset(), Care(1, False, False, False, True)) == [GapKind.SYSTEM_WITHOUT_OWNER]
    assert kinds(frozenset({1}), Care(1, False, False, False, True)) == [GapKind.SYSTEM_WITHOUT_RUNBOOK]
    assert kinds(frozenset({1}), Care(1, False, True, False, True)) == [GapKind.SYSTEM_WITHOUT_BACKUP]
    assert kinds(frozenset({1}), Care(1, False, True, True, True)) == []
    assert kinds(frozenset(), Care(1, True, True, False, False)) == [], "what keeps nothing needs no backup"


def test_a_question_becomes_a_gap_only_when_two_people_ask_it() -> None:
    asked = [UnansweredQuestion(n, n, user, "Where is the key?", 0.1, NOW) for n, user in ((1, 1), (2, 2), (3, 3))]
    vectors = np.array([[1, 0], [0.9, 0.436], [0, 1]], np.float32)
    assert asked_often(asked, vectors, 2) == [0]
    assert asked_often([asked[0], asked[0]], vectors[:2], 2) == []


def test_the_one_who_knows_most_is_asked_then_the_author_then_who_is_named() -> None:
    expert = Knower(1, "Pekka", 0.8, 3, NOW, ())
    assert addressee(unsorted(author="Ada"), [expert], "Kettle", frozenset()) == ("Pekka", "knows most about Kettle")
    assert addressee(unsorted(author="Ada"), [expert], "Kettle", frozenset({"Pekka"})) == ("Ada", "wrote it")
    assert addressee(unsorted(person="Mia"), [], "", frozenset())[0] == "Mia"
    assert addressee(unsorted(person="Mia"), [], "", frozenset(), frozenset({"Mia Holm"}))[0] == "Mia Holm"
    assert addressee(unsorted(person="Mia"), [], "", frozenset({"Mia Holm"})) == ("", ""), "she has left"
    head = unsorted(person="Mia", author="Ada", kind=GapKind.KNOWLEDGE_IN_A_HEAD)
    assert addressee(head, [expert], "Kettle", frozenset())[0] == "Mia", "it says that she knows"
    assert addressee(unsorted(author="device on-call"), [], "", frozenset()) == ("", "")
    two = frozenset({"Mia Holm", "Mia Lind"})
    assert addressee(unsorted(person="Mia"), [], "", frozenset(), two)[0] == "Mia", "it may be either"
    assert addressee(unsorted(person="Mia", kind=GapKind.STALE_REFERENCE), [], "", frozenset()) == ("", "")


def test_near_quotes_are_one_gap_unless_they_name_other_things_or_figures() -> None:
    def one(first: str, second: str, cosine: float = 0.95) -> bool:
        return are_one(Twins(2, 1, f"Who: “{first}”?", f"Who: “{second}”?", cosine))

    assert one("The filter should be cleaned.", "The filter ought to be cleaned.")
    assert not one("Call Ada about the filter.", "Call Mia about the filter.")
    assert not one("We wait for ticket 12.", "We wait for ticket 13.")
    assert not one("The filter should be cleaned.", "The filter ought to be cleaned.", 0.7)
    deferred = ("What came of this: “Defer to next time.” (Lamps)?", "What came of this: “defer to next time” (Pumps)?")
    assert not are_one(Twins(2, 1, *deferred, 0.95)), "short as it is, it says nothing without its heading"


def test_a_kind_is_muted_when_nine_of_ten_were_dismissed_and_praise_weighs() -> None:
    assert Lesson(GapKind.VAGUE_TIME, 10, 9).is_muted
    assert not Lesson(GapKind.VAGUE_TIME, 9, 9).is_muted
    assert not Lesson(GapKind.VAGUE_TIME, 10, 8).is_muted
    assert Lesson(GapKind.VAGUE_TIME, 4, 0).weight == 1.0
    assert Lesson(GapKind.VAGUE_TIME, 4, 4).weight == 0.5


def test_a_whole_question_about_something_named_is_better_than_a_fragment() -> None:
    assert quality("When: “The gateway firmware should be rolled out soon.”?") == 1.0
    assert quality("When: “It should be done soon after the…”?") < quality("When: “Soon.”?") < 1.0
