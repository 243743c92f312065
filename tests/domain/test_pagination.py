"""The watch over a sync's pages: what is news, what is a pause, and what has no end."""

from itertools import count

import pytest

from domain.access import Group
from domain.errors import Unavailable
from domain.integrations import Item, Page
from domain.pagination import MAX_EMPTY_PAGES, PageWatch


def item(name: str) -> Item:
    return Item(name, name, "1")


def test_a_source_that_only_claims_to_move_on_is_left_soon() -> None:
    watch, n_pages = PageWatch(), 0
    with pytest.raises(Unavailable, match="one empty page after the other"):
        for n_pages in count():
            watch.is_news(Page((), f"{n_pages}"))
    assert n_pages == MAX_EMPTY_PAGES


def test_many_quiet_parts_in_which_nothing_moves_are_passed_over_and_news_begins_the_count_anew() -> None:
    watch = PageWatch()
    watch.is_news(Page((), "here"))
    assert not any(watch.is_news(Page((), "here")) for _ in range(10 * MAX_EMPTY_PAGES))
    for number in range(3 * MAX_EMPTY_PAGES):
        entries = (item(f"{number}"),) if number % (MAX_EMPTY_PAGES - 1) == 0 else ()
        assert watch.is_news(Page(entries, f"{number}"))


def test_groups_alone_are_news() -> None:
    watch = PageWatch()
    watch.is_news(Page((), "here"))
    assert not watch.is_news(Page((), "here"))
    assert watch.is_news(Page((), "here", groups=(Group("group:1:c", "the channel", ()),)))
