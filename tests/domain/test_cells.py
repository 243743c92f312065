"""What tables claim, and when that contradicts what stands elsewhere."""

import pytest

from domain.cells import cell_claims
from domain.claims import claims
from domain.contradictions import Conflict, Placed, conflicts
from domain.statements import plain_blocks, statements
from infra.analysis import WordAnalyzer

ANALYZER = WordAnalyzer()


def table(*rows: tuple[str, ...]) -> str:
    """Rows as Markdown has them, the first as the head."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], f"|{'---|' * len(rows[0])}", *lines[1:]])


def found(*texts: str) -> list[Conflict]:
    placed = []
    for number, text in enumerate(texts):
        read = statements(text, plain_blocks(text), ANALYZER)
        stated = [claim for each in read for claim in claims(each, ANALYZER)]
        placed += [Placed(number, claim) for claim in (*stated, *cell_claims(read, ANALYZER))]
    return conflicts(placed)


NOTICE = table(("Group", "Notice period (days)"), ("Contractors", "14"), ("Employees", "90"))


@pytest.mark.parametrize(
    ("text", "other", "kind"),
    [
        ("The notice period of contractors is 30 days.", NOTICE, "number"),
        (table(("Who", "Notice period"), ("Employees", "1 month"), ("Interns", "1 week")), NOTICE, "number"),
        ("Marta Kowal owns importer.", table(("service", "owner"), ("importer", "Jonas Beck")), "entity"),
        (
            "The lease of the depot ends on 3 May 2027.",
            table(("Site", "Lease ends"), ("Depot", "30 June 2027")),
            "date",
        ),
        ("The garage fee is €80.", table(("Place", "fee_eur", "town"), ("Garage", "95", "Oulu")), "number"),
    ],
)
def test_a_cell_is_held_against_a_sentence_and_against_another_table(text: str, other: str, kind: str) -> None:
    [conflict] = found(text, other)
    assert conflict.kind == kind
    cell = conflict.b.claim
    assert cell.text == other[other.index(cell.text) :][: len(cell.text)], "the row is quoted as it stands"
    assert other[cell.start : cell.end] in cell.text


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("The notice period of contractors is two weeks.", NOTICE),
        ("The notice period of interns is 7 days.", NOTICE),
        ("The trial period of contractors is 30 days.", NOTICE),
        ("The contractors were paid for 30 days of the notice period of the depot.", NOTICE),
        ("Marta Kowal owns importer.", table(("service", "owner"), ("exporter", "Jonas Beck"))),
        ("Marta Kowal owns importer.", table(("service", "deputy"), ("importer", "Jonas Beck"))),
        ("The fee of the garage is €80.", table(("Place", "Number"), ("Garage", "95"))),
        (
            "# Prices 2025\n\n" + table(("Item", "Price"), ("Router X2", "€ 99"), ("Switch", "€ 49")),
            "# Prices 2026\n\n" + table(("Item", "Price"), ("Router X2", "€ 109"), ("Switch", "€ 49")),
        ),
        (
            table(("Day", "Open tickets"), ("3 May 2026", "14"), ("4 May 2026", "9")),
            table(("Day", "Open tickets"), ("3 May 2026", "15"), ("4 May 2026", "12")),
        ),
        (
            table(("Tool", "Version of it"), ("importer", "3.9.4")),
            table(("Tool", "Version of it"), ("importer", "4.0.1")),
        ),
    ],
)
def test_another_row_column_or_year_is_no_conflict(text: str, other: str) -> None:
    assert found(text, other) == []


def test_two_states_of_one_table_are_no_conflict_but_one_cell_that_differs_is() -> None:
    rows = [("Billing", "14", "3"), ("Search", "9", "5"), ("Mobile", "22", "8")]
    first = table(("Team", "Open tickets", "Seats"), *rows)
    moved = table(("Team", "Open tickets", "Seats"), *((team, f"{int(n) + 5}", seats) for team, n, seats in rows))
    assert found(first, moved) == []
    [conflict] = found(first, first.replace("| 22 |", "| 32 |"))
    assert conflict.a.claim.sentence == "open tickets of Mobile is 22."


def test_rows_of_a_spreadsheet_name_their_cells_and_a_table_without_heads_claims_nothing() -> None:
    def said(text: str) -> list[str]:
        return [each.said for each in cell_claims(statements(text, plain_blocks(text), ANALYZER), ANALYZER)]

    sheet = "| service | owner | tier |\n| service: importer | tier: 2 |\n| service: exporter | owner: Jonas Beck |"
    assert said(sheet) == ["tier of importer is 2.", "owner of exporter is Jonas Beck."]
    assert said("| importer | 2 |\n| exporter | 3 |") == []
    assert said(table(("Name", "Fee"), ("Garage", "TBD"), ("Hall", "about what it was"))) == []
    assert said(table(("Name", "Fee"), ("Garage", "€ 5"), ("Garage", "€ 6"))) == [], "which of the two rows is meant?"
