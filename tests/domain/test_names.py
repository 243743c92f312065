"""Names of people and companies, compared as a careful reader would."""

import pytest

from domain.names import match_names
from infra.romanising import romanise

SAME = [
    ("Ada Byron", "BYRON, Ada"),
    ("Bill Hartwell", "William Hartwell"),
    ("W. Hartwell", "William Hartwell"),
    ("William James Hartwell", "William Hartwell"),
    ("Jürgen Müller", "Juergen Muller"),
    ("Юрий Кузнецов", "Yuri Kuznetsov"),
    ("Dr. Lena Okafor", "Lena Okafor"),
    ("LenaOkafor", "Lena Okafor"),
    ("Lena Okafro", "Lena Okafor"),
    ("Brightwater Limited", "Brightwater Ltd."),
    ("Nordlicht Aktiengesellschaft", "Nordlicht AG"),
    ("The Harbour & Sons Company", "Harbour and Sons Co."),
    ("Harbour Freight Union Trust", "HFUT"),
    ("JP Lefevre", "Jean-Pierre Lefèvre"),
    ("Anne Marie Sorel", "Annemarie J. Sorel"),
    ("Harbour Int'l Bank", "Harbour International Bank"),
    ("Акционерное общество Гавань", "Gavan JSC"),
]
DIFFERENT = [
    ("Ada Byron", "Ada Lovell"),
    ("Ada Byron", "Tom Byron"),
    ("Ada", "Ada Byron"),
    ("A. B.", "Ada Byron"),
    ("Robert Miller Stone", "Robert Hayes Stone"),
    ("Brightwater AG", "Brightwater GmbH"),
    ("Harbour Fund II L.P.", "Harbour Fund III L.P."),
    ("Bank of Harwich", "Bank of Dunmore"),
    ("王小明", "王小朋"),
    ("Salman bin Omar al-Rawi", "Omar bin Salman al-Rawi"),
    ("LXC Aviation", "LAU Aviation"),
    ("", "Ada Byron"),
    ("", ""),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_two_ways_to_write_one_name_are_the_same_in_either_order(one: str, other: str) -> None:
    assert match_names(one, other, romanise).is_same
    assert match_names(other, one, romanise).is_same


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_names_that_contradict_each_other_are_not_the_same_in_either_order(one: str, other: str) -> None:
    assert not match_names(one, other, romanise).is_same
    assert not match_names(other, one, romanise).is_same


def test_a_match_says_why() -> None:
    assert "bill" in match_names("Bill Hartwell", "William Hartwell", romanise).reason.lower()
