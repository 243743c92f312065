"""Abbreviations that documents explain."""

import pytest

from domain.glossary import explained


@pytest.mark.parametrize(
    ("text", "short", "long"),
    [
        ("We keep our service level objective (SLO) each month.", "SLO", "service level objective"),
        ("The **Device Certificate Authority (DCA)** expires.", "DCA", "Device Certificate Authority"),
        ("- **OTA**: over the air", "OTA", "over the air"),
        ("KPI – key performance indicator", "KPI", "key performance indicator"),
        ("An SLA (service level agreement) binds us.", "SLA", "service level agreement"),
        ("Mean time to recovery (MTTR) is four hours.", "MTTR", "Mean time to recovery"),
        ("It grew. MRR stands for monthly recurring revenue.", "MRR", "monthly recurring revenue"),
    ],
)
def test_an_abbreviation_is_understood_where_a_document_explains_it(text: str, short: str, long: str) -> None:
    assert [(each.short, each.long) for each in explained(text)] == [(short, long)]


@pytest.mark.parametrize(
    "text",
    [
        "See RFC 9110 (HTTP Semantics).",
        "The CEO (Noor Haddad) left.",
        "A thing (THING).",
        "Status: OK",
        "KV-1042: open",
    ],
)
def test_what_only_looks_like_an_explanation_is_none(text: str) -> None:
    assert explained(text) == []


def test_an_explanation_counts_once_and_a_dictionary_is_cut() -> None:
    assert len(explained("service level objective (SLO). " * 3)) == 1
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    lines = [f"{a}{b}: {a.lower()}pple {b.lower()}read" for a in letters for b in letters]
    assert len(explained("\n".join(lines))) <= 200
