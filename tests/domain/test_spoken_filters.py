"""Filters in words."""

from datetime import date

import pytest

from domain.documents import Facets
from domain.spoken_filters import read_spoken, without

TODAY = date(2030, 5, 15)
FACETS = Facets(
    integrations=((1, "Slack workspace"), (2, "Handbook")),
    media_types=("message/rfc822",),
    authors=("Ada Byron", "Noor Aziz", "Noor Haddad"),
)


@pytest.mark.parametrize(
    ("question", "words", "filters"),
    [
        (
            "decisions from Ada last month in Slack",
            "decisions",
            {"author": "Ada Byron", "since": "2030-04-01", "until": "2030-04-30", "integration": "1"},
        ),
        ("pricing by Noor Haddad", "pricing", {"author": "Noor Haddad"}),
        ("pricing from Noor", "pricing from Noor", {}),
        ("invoice in emails", "invoice", {"type": "message/rfc822"}),
        ("invoice in PDFs", "invoice in PDFs", {}),
        ("plan from yesterday", "plan", {"since": "2030-05-14", "until": "2030-05-14"}),
        ("plan this quarter", "plan", {"since": "2030-04-01"}),
        ("plan in the last 2 weeks", "plan", {"since": "2030-05-01"}),
        ("minutes since 2029-11", "minutes", {"since": "2029-11-01"}),
        ("minutes before 2029", "minutes", {"until": "2028-12-31"}),
        ("minutes from March", "minutes", {"since": "2030-03-01", "until": "2030-03-31"}),
        ("release in March", "release in March", {}),
        ("since 2030-02-31", "since 2030-02-31", {}),
        ('the words "from Ada"', 'the words "from Ada"', {}),
        ("who may read the handbook", "who may read the handbook", {}),
    ],
)
def test_a_question_says_what_it_is_narrowed_to(question: str, words: str, filters: dict[str, str]) -> None:
    spoken = read_spoken(question, FACETS, TODAY)
    assert {each.name: each.value for each in spoken} == filters
    assert without(question, spoken) == words
