"""Two documents that cannot both be right are set side by side; those that are merely about one matter are not."""

import pytest

from domain.answers import Finished
from domain.disagreements import disagreements
from domain.evidence import Scored, weigh
from tests.domain.fakes import WordAnalyzer, WordEmbedder
from tests.domain.test_answers import events_of, passage


async def weighed(*texts: str) -> list[Scored]:
    passages = [passage(number, text, title="Retention") for number, text in enumerate(texts, start=1)]
    evidence = await weigh("How long are nightly backups kept?", passages, WordEmbedder(), WordAnalyzer())
    return list(evidence.scored)


@pytest.mark.parametrize(
    "other",
    [
        "Nightly backups of the harbour database are kept for 60 days.",
        "We keep nightly backups of the harbour database for 14 days.",
    ],
)
async def test_other_figures_for_the_same_thing_are_a_disagreement(other: str) -> None:
    scored = await weighed("Nightly backups of the harbour database are kept for 30 days.", other)
    [found] = disagreements(scored)
    assert {side.citation.document_id for side in found.sides} == {1, 2}


async def test_a_not_in_one_of_two_equal_sentences_is_a_disagreement() -> None:
    scored = await weighed(
        "Nightly backups include all attachments of tickets.",
        "Nightly backups do not include all attachments of tickets.",
    )
    assert len(disagreements(scored)) == 1


@pytest.mark.parametrize(
    "other",
    [
        "Monthly backups of the ledger are kept for 24 months.",
        "Nightly backups of the harbour database are kept for 30 days.",
        "Nightly backups of the harbour database run at 02:00 and are kept for 30 days.",
        "Nightly backups were discussed on Thursday.",
        "The nightly train to the harbour does not stop.",
    ],
)
async def test_what_is_merely_about_the_same_matter_is_none(other: str) -> None:
    scored = await weighed("Nightly backups of the harbour database are kept for 30 days.", other)
    assert disagreements(scored) == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The nightly Pika 2 backups kept weigh 80 grams.", "The nightly Pika 3 backups kept weigh 95 grams."),
        ("In nightly shifts, backups by Oulu kept 30 people.", "In nightly shifts, backups by Ghent kept 45 people."),
    ],
)
async def test_two_things_with_names_of_their_own_may_differ(one: str, other: str) -> None:
    assert disagreements(await weighed(one, other)) == ()


async def test_one_document_does_not_disagree_with_itself() -> None:
    [*scored] = await weighed("Nightly backups are kept here for 30 days. Nightly backups are kept here for 60 days.")
    assert disagreements(scored) == ()


async def test_an_answer_carries_its_disagreement_with_authors_and_dates() -> None:
    passages = [
        passage(1, "Nightly backups of the harbour database are kept for 30 days.", title="Handbook"),
        passage(2, "Nightly backups of the harbour database are kept for 60 days.", title="Minutes"),
    ]
    events = await events_of("How long are nightly backups of the harbour database kept?", passages)
    finished = events[-1]
    assert isinstance(finished, Finished)
    [found] = finished.answer.disagreements
    assert [side.citation.title for side in found.sides] == ["Handbook", "Minutes"]
