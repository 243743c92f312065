import pytest

from domain.expectations import disappoints, parts


def test_two_questions_in_one_are_told_apart() -> None:
    question = "What caused PLT-1042 and how long were alarms silent?"
    assert parts(question) == ["What caused PLT-1042", "how long were alarms silent?"]


@pytest.mark.parametrize(
    "question",
    ["What do salt and pepper cost?", "Who runs the fair and the market?", "What and why?", "When does it open?"],
)
def test_a_single_question_stays_whole(question: str) -> None:
    assert parts(question) == []


@pytest.mark.parametrize(
    ("question", "answering", "disappointing"),
    [
        ("When does the fair open?", "It opens on 14 June.", "It opens early."),
        ("How long were alarms silent?", "Alarms were delayed for 47 minutes.", "Alarms were delayed."),
        ("How much does a stall cost?", "Stalls cost €120.", "Stalls are dear."),
        ("How many stalls are there?", "There are forty-two or 42 stalls.", "There are stalls."),
        ("Who approves a stall?", "It is up to Ines Falk.", "It is up to nobody in particular."),
        ("Why was the fair moved?", "It was moved because of the flood.", "It was moved in spring."),
    ],
)
def test_an_answer_shows_what_its_question_expects(question: str, answering: str, disappointing: str) -> None:
    assert not disappoints(question, answering)
    assert disappoints(question, disappointing)


def test_the_questions_own_figures_are_no_answer() -> None:
    assert disappoints("When in 2025 was the drill?", "The drill of 2025.")
    assert not disappoints("When in 2025 was the drill?", "The drill of 25 November 2025.")


def test_a_question_of_no_known_kind_expects_nothing() -> None:
    assert not disappoints("What does KTL-503 mean?", "Backpressure.")
