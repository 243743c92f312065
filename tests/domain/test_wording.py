"""Quoted phrases and excluded words."""

import pytest

from domain.search import SearchFilter
from domain.wording import Wording, read_wording


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("backup policy", Wording("backup policy")),
        ('the "blue pump" handle', Wording('the "blue pump" handle', ("blue pump",))),
        ("“blue  pump”", Wording("“blue pump”", ("blue pump",))),
        ("pump -draft", Wording("pump", (), ("draft",))),
        ('pump -"old draft" seal', Wording("pump seal", (), ("old draft",))),
        ("well-known KV-1042 at -5 degrees - really", Wording("well-known KV-1042 at -5 degrees - really")),
        ("-draft", Wording("-draft")),
        ('an "unbalanced quote', Wording('an "unbalanced quote')),
        ('""', Wording('""')),
    ],
)
def test_a_question_is_taken_at_its_word(question: str, expected: Wording) -> None:
    assert read_wording(question) == expected


def test_what_is_quoted_and_excluded_joins_the_filter() -> None:
    narrowed = read_wording('"blue pump" -draft').narrow(SearchFilter(author="Ada"))
    assert (narrowed.author, narrowed.phrases, narrowed.excluded) == ("Ada", ("blue pump",), ("draft",))
