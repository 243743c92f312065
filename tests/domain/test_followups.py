import pytest

from domain.followups import searched, standalone


def test_a_first_question_is_left_as_it_is() -> None:
    assert standalone("How does it work?", []) == "How does it work?"


def test_a_question_that_stands_alone_is_left_as_it_is() -> None:
    question = "Which region hosts the billing database?"
    assert standalone(question, ["Who runs the fair?"]) == question


@pytest.mark.parametrize("question", ["How does it work?", "And the cost?", "Why?", "What about their deadlines?"])
def test_a_follow_up_takes_over_what_it_leans_on(question: str) -> None:
    rewritten = standalone(question, ["What is the harbour permit?"])
    assert rewritten.startswith(question)
    assert rewritten.endswith("harbour permit")


def test_a_chain_of_follow_ups_reaches_back_to_its_subject() -> None:
    rewritten = standalone("Who signs it?", ["What is the harbour permit?", "What does it cost?"])
    assert "harbour permit" in rewritten
    assert "cost" in rewritten


def test_an_old_subject_never_drowns_the_new_question() -> None:
    long = " ".join(f"subject{number}" for number in range(50))
    assert len(standalone("Why is that?", [long]).split()) <= 3 + 8


def test_a_short_question_is_searched_with_a_hint_of_the_subject_and_answered_as_it_stands() -> None:
    earlier = ["What does the harbour permit cost?"]
    assert searched("Which forms are needed?", earlier) == "Which forms are needed? harbour permit cost"
    assert standalone("Which forms are needed?", earlier) == "Which forms are needed?"
    assert searched("Why is it so?", earlier) == standalone("Why is it so?", earlier)


def test_a_long_question_and_a_first_one_are_searched_as_they_are() -> None:
    first = "Which forms are needed?"
    long = "Which forms must a captain of a foreign fishing boat bring to the customs office?"
    assert searched(first, []) == first
    assert searched(long, ["What does the harbour permit cost?"]) == long
