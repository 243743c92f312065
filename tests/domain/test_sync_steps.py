"""Batches of a sync are parted into what is stored together."""

from domain.documents import Kept
from domain.integrations import Item
from domain.parsing import ParsedDocument
from domain.sync_steps import PageEnd, Prepared, Step, Unchanged, in_runs


def prepared(name: str, content_hash: str = "") -> Prepared:
    return Prepared(Item(name, name, ""), content_hash, ParsedDocument(name, "", (), "text/plain"), [], 0)


def test_documents_that_follow_each_other_are_stored_together_and_everything_keeps_its_order() -> None:
    same = Unchanged(Kept(1, ""), "same", is_from_this_sync=False)
    steps: list[Step] = [prepared("a"), prepared("b"), same, prepared("c"), PageEnd("1"), same]
    assert list(in_runs(steps)) == [[steps[0], steps[1]], same, [steps[3]], steps[4], same]


def test_a_source_that_lists_an_item_twice_in_a_batch_has_it_stored_twice_in_turn() -> None:
    first, other, second = prepared("a", "one"), prepared("b"), prepared("a", "two")
    assert list(in_runs([first, other, second])) == [[first, other], [second]]


def test_an_empty_batch_stores_nothing() -> None:
    assert list(in_runs([])) == []
