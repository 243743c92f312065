"""When two sentences cannot both hold, and when they only look so."""

import pytest

from domain.claims import claims
from domain.contradictions import Placed, conflicts
from domain.parsing import BlockKind
from domain.statements import Statement
from infra.analysis import WordAnalyzer

ANALYZER = WordAnalyzer()


def clash(*sentences: str) -> list[str]:
    placed = [
        Placed(number, claim)
        for number, text in enumerate(sentences)
        for claim in claims(Statement(0, len(text), text, BlockKind.PARAGRAPH, "", 0), ANALYZER)
    ]
    return [conflict.kind.value for conflict in conflicts(placed)]


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        ("The fee of the garage is €80 per month.", "The garage fee is €95 per month.", "number"),
        ("Invoices are kept for 2 years.", "Invoices are kept for 36 months.", "number"),
        ("The lease of the depot ends on 3 May 2027.", "The lease of the depot ends on 30 June 2027.", "date"),
        ("Visitors are allowed in the cold store.", "Visitors are not allowed in the cold store.", "negation"),
        ("The badge is required in the cold store.", "The badge is optional in the cold store.", "antonym"),
        ("Marta Kowal owns importer.", "The importer is maintained by Jonas Beck.", "entity"),
    ],
)
def test_a_conflict_is_found(one: str, other: str, kind: str) -> None:
    assert clash(one, other) == [kind]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The fee of the garage in Lyon is €80 per month.", "The fee of the garage in Metz is €95 per month."),
        ("Invoices are kept for 2 years.", "Invoices are kept for 24 months."),
        ("A P1 page must be answered within 10 minutes.", "A P2 page must be answered within 30 minutes."),
        ("In 2025 the plant made 300 presses.", "In 2026 the plant made 410 presses."),
        ("The previous fee of the garage was €80 per month.", "The fee of the garage is €95 per month."),
        ("Standard customers wait 60 minutes.", "Premium customers wait 15 minutes."),
        ("Is the fee of the garage €80 per month?", "The fee of the garage is €95 per month."),
        ("We add a pump when the flow exceeds 600 litres.", "The flow reached 640 litres, above the limit for a pump."),
    ],
)
def test_a_look_alike_is_no_conflict(one: str, other: str) -> None:
    assert clash(one, other) == []


def test_a_series_of_minutes_contradicts_nothing() -> None:
    assert clash(*(f"The meeting of the board took place on {day} May 2026." for day in range(1, 9))) == []
