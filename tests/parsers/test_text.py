"""Plain text: paragraphs as their author meant them."""

from domain.parsing import ParseSettings
from infra.parsers.reading import read

WRAPPED = b"""On 10 March three of our consignments left their range of 2 to
8 degrees between 09:20 and 09:50.

Ann Lee
Head of Quality
"""


def test_lines_broken_for_width_are_joined_and_short_ones_are_not() -> None:
    parsed = read("note.txt", "text/plain", WRAPPED, ParseSettings())
    assert parsed.text.split("\n\n") == [
        "On 10 March three of our consignments left their range of 2 to 8 degrees between 09:20 and 09:50.",
        "Ann Lee\nHead of Quality",
    ]
