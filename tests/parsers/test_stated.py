"""Author and date as documents state them."""

from datetime import UTC, datetime

import pytest

from domain.parsing import ParseSettings
from infra.parsers.reading import read
from infra.parsers.stated import named_date, stated_author, stated_date


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# Plan\n\n- Date: 18 February 2025\n", datetime(2025, 2, 18, tzinfo=UTC)),
        ("Owner: Ann Lee. Version of 2 November 2026.", datetime(2026, 11, 2, tzinfo=UTC)),
        ("Last edited 6 May 2026 by Yusuf.", datetime(2026, 5, 6, tzinfo=UTC)),
        ("Held 2026-03-17, 14:00", datetime(2026, 3, 17, tzinfo=UTC)),
        ("Updated March 3rd, 2024", datetime(2024, 3, 3, tzinfo=UTC)),
        ("We met on 3 March 2024.", None),
        ("Date: 31 February 2025", None),
        ("\n".join(["line"] * 20) + "\nDate: 1 May 2020", None),
    ],
)
def test_a_date_counts_where_a_word_says_that_it_is_the_documents_own(text: str, expected: datetime | None) -> None:
    assert stated_date(text) == expected


def test_the_date_a_file_name_begins_with_counts() -> None:
    assert named_date("minutes/2026-03-17-review.md") == datetime(2026, 3, 17, tzinfo=UTC)
    assert named_date("review-2026-03-17.md") is None


def test_the_owner_is_the_author_where_no_other_is_named() -> None:
    assert stated_author("# T\n\nOwner: Beatriz Quintão. Version of 2 November 2026.") == "Beatriz Quintão"
    assert stated_author("The owner of this is nobody: sorry") == ""


def test_a_markdown_file_is_dated_by_what_it_says() -> None:
    parsed = read("plan.md", "", b"# Plan\n\nAuthor: Ann Lee\n\nDate: 1 May 2020\n\nText.", ParseSettings())
    assert (parsed.author, parsed.created_at) == ("Ann Lee", datetime(2020, 5, 1, tzinfo=UTC))
