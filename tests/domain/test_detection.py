"""What detectors make of a document."""

from datetime import UTC, datetime

import pytest

from domain.detection import Detected, detect
from domain.surroundings import Source, Surroundings, survey
from infra.analysis import WordAnalyzer
from infra.triggers import make_matcher

MATCHER, ANALYZER = make_matcher(), WordAnalyzer()


def found(text: str, around: Surroundings = Surroundings(), **source: object) -> Detected:  # noqa: B008
    return detect(Source(text, **source), around, MATCHER, ANALYZER)  # type: ignore[arg-type]


def kinds(text: str, around: Surroundings = Surroundings(), **source: object) -> set[str]:  # noqa: B008
    return {gap.kind.value for gap in found(text, around, **source).gaps}


@pytest.mark.parametrize(
    ("sentence", "is_decision"),
    [
        ("We decided to keep the old printer.", True),
        ("After a long talk the board has agreed to close the office in Ghent.", True),
        ("Chosen option: SQLite, because it needs no server.", True),
        ("We will replace the cron jobs by a queue.", True),
        ("It was agreed not to renew the contract.", True),
        ("We have not decided yet.", False),
        ("Should we replace the cron jobs?", False),
        ("We will discuss the offer next week.", False),
        ("No decision was reached on the offer.", False),
        ("The printer stands on the second floor.", False),
    ],
)
def test_a_decision_is_told_from_talk_about_one(sentence: str, is_decision: bool) -> None:
    assert ("decision" in {frame.type.value for frame in found(sentence).frames}) is is_decision


def test_a_decision_says_who_what_and_why() -> None:
    frame = found("The board decided to close the office on 3 May 2027 because the lease ends.").frames[0]
    assert (frame.slot("who"), frame.slot("reason")) == ("The board", "because the lease ends")
    assert frame.slot("when") == "on 3 May 2027"


def test_a_refusal_is_a_negated_decision() -> None:
    assert found("We decided not to renew.").frames[0].is_negated
    assert not found("We decided to renew.").frames[0].is_negated


def test_a_decision_with_its_reason_next_to_it_is_no_gap() -> None:
    assert "decision_without_reason" in kinds("The board decided that the rota changes.")
    assert "decision_without_reason" not in kinds(
        "The board decided that the rota changes. The reason is the new shift."
    )


@pytest.mark.parametrize(
    ("sentence", "kind"),
    [
        ("Somebody should clean the filter.", "missing_actor"),
        ("The recipe is in Marta's head.", "knowledge_in_a_head"),
        ("Nobody else has done it.", "single_expert"),
        ("Delivery date TBD.", "vague_time"),
        ("Fill it in the way it was done last time.", "implicit_process"),
        ("As you know, the lease ends in May.", "assumed_context"),
        ("It used to be Marta's job.", "stale_reference"),
        ("Still waiting for their answer.", "waiting_on"),
        ("That is well known.", "unsupported_claim"),
        ("Nobody knows why it stopped.", "result_without_cause"),
        ("Nothing was decided on the price.", "no_conclusion"),
        ("The importer has no owner.", "system_without_owner"),
    ],
)
def test_what_a_sentence_leaves_open_is_asked(sentence: str, kind: str) -> None:
    (gap,) = found(sentence).gaps
    assert gap.kind.value == kind
    assert gap.question.endswith("?")
    assert sentence in gap.question


def test_neither_questions_nor_code_nor_quotations_are_asked_about() -> None:
    assert (
        kinds("Should somebody clean it?\n\n> Somebody should clean it.\n\n```\nsomebody should clean it\n```\n")
        == set()
    )


@pytest.mark.parametrize(
    "sentence",
    [
        "If nobody maintains the list, ring the bell.",
        "Suppose that for some reason the queue is empty.",
        "You should read this and will see the rest soon.",
        "We may replace the pump at some point.",
        "We are waiting for the stable release on 31 August.",
        "The change is stalled, it will not happen.",
        "Will be pushed today.",
        "Write to us as soon as you know who reads it.",
        "Follow the usual steps, starting with [the list](https://x.example/list).",
        "We decided to take a look at the list.",
        "The extension has already been approved.",
        "The FBI and NASA were asked.",
        "Open a request in the PRQ queue, for example PRQ-219.",
    ],
)
def test_what_is_supposed_advised_dated_given_up_or_known_to_all_is_not_asked_about(sentence: str) -> None:
    assert kinds(sentence, survey([])) == set()


def test_whoever_is_named_is_named_without_the_ending_of_possession() -> None:
    (gap,) = found("It used to be Ruben's job to recreate it.").gaps
    assert gap.person == "Ruben"


def test_a_link_to_a_file_that_is_not_there_dangles() -> None:
    here = Source("See [the list](list.md) and [the plan](plan.md).", path="a/index.md")
    around = survey([here, Source("The list.", path="a/list.md")])
    (gap,) = found(here.text, around, path=here.path).gaps
    assert gap.kind.value == "dangling_link"
    assert "plan.md" in gap.question


def test_a_replaced_record_that_is_still_cited_is_a_gap_but_not_where_the_new_one_is_named() -> None:
    around = survey([Source("Status: superseded by DR-008", title="DR-001: Rabbits")])
    assert "superseded_but_cited" in kinds("As DR-001 says, we feed rabbits.", around)
    assert "superseded_but_cited" not in kinds("DR-008 ended what DR-001 began.", around)


def test_a_pointer_to_somebody_who_left_is_stale_unless_it_is_older() -> None:
    left = datetime(2026, 4, 1, tzinfo=UTC)
    around = survey([Source("My last day is Friday.", author="Ruben Castellanos", date=left)])
    text = "Owner of the press: Ruben Castellanos."
    assert "stale_reference" in kinds(text, around)
    assert "stale_reference" not in kinds(text, around, date=datetime(2025, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "sentence",
    [
        "In the event of a tie, the decision will be made by the chair.",
        "After both sides have come to an agreement, the contract is signed.",
        "The version bump, that's been decided and we release it now.",
        "Doug has decided to contribute his tools.",
    ],
)
def test_how_decisions_come_about_and_what_was_decided_before_need_no_reason_here(sentence: str) -> None:
    assert "decision_without_reason" not in kinds(sentence)


def test_a_part_of_a_name_a_setting_and_a_designation_are_no_abbreviations() -> None:
    around = survey([Source("The QZX is off."), Source("We drink tea.")])
    assert "undefined_term" in kinds("The QZX is off.", around)
    for text in (
        "The QZX&M is late.",
        "Build with QZX=1.",
        "See order QZX 9334.2 first.",
        "She went to QZX University.",
    ):
        assert "undefined_term" not in kinds(text, around), text
    glossary = "- **QZX** or **QZ** - the quiet zone exchange\n\nThe QZX is off."
    assert "undefined_term" not in kinds(glossary, survey([Source(glossary), Source("We drink tea.")]))


def test_a_sentence_about_a_missing_backup_or_runbook_is_asked_for_just_that() -> None:
    asked = {gap.kind.value: gap.question for gap in found("The share was never backed up.\n\nIt has no runbook.").gaps}
    assert asked == {
        "system_without_backup": "How is this backed up, and when was it last restored:"
        " “The share was never backed up.”?",
        "system_without_runbook": "What does one do when this fails, step by step: “It has no runbook.”?",
    }
