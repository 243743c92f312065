"""How values read."""

from datetime import UTC, datetime, timedelta

import pytest

from web import filters

NOW = datetime(2026, 5, 3, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=5), "5 hours ago"),
        (timedelta(days=2), "2 days ago"),
        (timedelta(days=30), "3 Apr 2026"),
        (timedelta(minutes=-10), "in 10 minutes"),
    ],
)
def test_a_moment_reads_as_its_distance(ago: timedelta, words: str) -> None:
    assert filters.distance(NOW - ago, NOW) == words
    assert 'datetime="' in filters.when(NOW - ago, NOW)


def test_a_moment_that_never_was_reads_never() -> None:
    assert "never" in filters.when(None, NOW)


@pytest.mark.parametrize(
    ("n", "words"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KB"), (20 * 1024**2, "20 MB"), (3 * 1024**4, "3072 GB")],
)
def test_sizes_read_as_people_write_them(n: int, words: str) -> None:
    assert filters.size(n) == words


def test_marked_text_is_escaped() -> None:
    assert filters.highlight("<b>kept</b> here", [(3, 7)]) == "&lt;b&gt;<mark>kept</mark>&lt;/b&gt; here"


def test_counts_agree_with_their_nouns() -> None:
    assert [filters.plural(n, "document") for n in (0, 1, 1200)] == ["0 documents", "1 document", "1,200 documents"]


@pytest.mark.parametrize(("span", "words"), [(40, "40 s"), (200, "3 min"), (7500, "2 h 5 min"), (7200, "2 h")])
def test_stretches_of_time_read_in_one_or_two_units(span: int, words: str) -> None:
    assert filters.duration(timedelta(seconds=span)) == words


def test_media_types_have_names() -> None:
    assert [filters.media_type(kind) for kind in ("application/pdf", "text/x-unheard", "")] == [
        "PDF",
        "X-UNHEARD",
        "File",
    ]


def test_people_have_initials() -> None:
    assert [filters.initials(name) for name in ("Ada Byron King", "ada", "", "…")] == ["AK", "A", "?", "?"]


def test_browsers_are_named_by_their_most_particular_sign() -> None:
    edge = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0"
    assert filters.browser(edge) == "Edge on Windows"
    assert filters.browser("curl/8.0") == "curl/8.0"
