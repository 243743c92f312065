"""A document's text, grouped, marked and parted."""

from collections.abc import Sequence

import pytest

from domain.parsing import Block, BlockKind
from web.document_text import PART_CHARACTERS, Reading, Stretch, covering, cut, is_within, read

HEADING, PARAGRAPH, ITEM, ROW = BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.LIST_ITEM, BlockKind.TABLE_ROW


def composed(*members: tuple[BlockKind, str]) -> tuple[str, list[Block]]:
    """A text and its blocks, as the parsers make them: parted by empty lines."""
    text, blocks = "", []
    for kind, words in members:
        text += "\n\n" if text else ""
        blocks.append(Block(kind, len(text), len(text) + len(words), level=1 if kind is HEADING else 0))
        text += words
    return text, blocks


def stretches(reading: Reading) -> list[Stretch]:
    return [
        stretch
        for group in reading.groups
        for line in group.lines
        for stretch in (*line.stretches, *(stretch for cell in line.cells for stretch in cell))
    ]


def marked(reading: Reading) -> list[str]:
    return [stretch.text for stretch in stretches(reading) if stretch.is_marked]


def shown(reading: Reading) -> str:
    return "".join(stretch.text for stretch in stretches(reading))


def test_a_passage_is_marked_character_by_character() -> None:
    text, blocks = composed((PARAGRAPH, "Backups are kept for 35 days."))
    reading = read(text, blocks, (21, 28))
    assert [stretch.text for stretch in stretches(reading)] == ["Backups are kept for ", "35 days", "."]
    assert (marked(reading), reading.mark_start) == (["35 days"], 21)


def test_a_passage_over_two_blocks_is_marked_in_both() -> None:
    text, blocks = composed((HEADING, "Backups"), (PARAGRAPH, "Kept for 35 days."), (PARAGRAPH, "Tried each quarter."))
    reading = read(text, blocks, (4, text.index("Tried") + 5))
    assert marked(reading) == ["ups", "Kept for 35 days.", "Tried"]
    assert reading.mark_start == 4


@pytest.mark.parametrize(
    ("start", "end", "expected"), [(0, 3, ["One"]), (5, 8, ["Two"]), (3, 8, ["Two"]), (0, 5, ["One"])]
)
def test_a_passage_at_the_edge_of_a_block_does_not_spill_over(start: int, end: int, expected: list[str]) -> None:
    text, blocks = composed((PARAGRAPH, "One"), (PARAGRAPH, "Two"))
    assert marked(read(text, blocks, (start, end))) == expected


def test_characters_are_counted_as_people_see_code_points_not_bytes() -> None:
    text, blocks = composed((PARAGRAPH, "🦊🦊 naïve café"), (PARAGRAPH, "日本語 и русский"))
    start = text.index("café")
    assert marked(read(text, blocks, (start, start + 4))) == ["café"]
    assert marked(read(text, blocks, (0, 1))) == ["🦊"]
    start = text.index("本")
    assert marked(read(text, blocks, (start, start + 2))) == ["本語"]


@pytest.mark.parametrize("span", [(0, 0), (5, 3), (-1, 3), (0, 10_000), (9_999, 10_000)])
def test_a_passage_outside_of_the_text_marks_nothing(span: tuple[int, int]) -> None:
    text, blocks = composed((PARAGRAPH, "Short."))
    reading = read(text, blocks, span)
    assert (marked(reading), reading.mark_start, is_within(text, span)) == ([], None, False)
    assert shown(reading) == "Short."


def test_a_passage_of_white_space_between_blocks_marks_nothing_visible() -> None:
    text, blocks = composed((PARAGRAPH, "One"), (PARAGRAPH, "Two"))
    assert read(text, blocks, (3, 5)).mark_start is None


def test_a_passage_over_table_cells_is_marked_in_each_cell() -> None:
    text, blocks = composed((ROW, "Name | Role"), (ROW, "Ada | Admin"))
    start = text.index("Ada") + 1
    reading = read(text, blocks, (start, text.index("Admin") + 2))
    assert marked(reading) == ["da", "Ad"]
    assert reading.mark_start == start


def test_a_mark_that_begins_between_two_cells_begins_with_the_next_one() -> None:
    text, blocks = composed((ROW, "Ada | Admin"))
    reading = read(text, blocks, (4, 8))
    assert (marked(reading), reading.mark_start) == (["Ad"], 6)


def test_neighbouring_items_and_rows_become_one_list_and_one_table() -> None:
    text, blocks = composed((ITEM, "milk"), (ITEM, "2. bread"), (ROW, "a | b"), (ROW, "1 | 2"), (PARAGRAPH, "End"))
    groups = read(text, blocks).groups
    assert [(group.kind, len(group.lines)) for group in groups] == [(ITEM, 2), (ROW, 2), (PARAGRAPH, 1)]
    assert [line.is_numbered for line in groups[0].lines] == [False, True]
    assert groups[1].has_header


def test_a_first_row_of_numbers_is_no_header() -> None:
    text, blocks = composed((ROW, "1 | 2"), (ROW, "3 | 4"))
    assert not read(text, blocks).groups[0].has_header


def test_text_outside_of_all_blocks_is_shown_all_the_same() -> None:
    text = "Loose beginning.\n\nBlock.\n\nLoose end."
    start = text.index("Block.")
    reading = read(text, [Block(PARAGRAPH, start, start + 6)], (0, 5))
    assert shown(reading) == "Loose beginning.Block.Loose end."
    assert marked(reading) == ["Loose"]


def test_a_document_without_text_is_one_empty_part() -> None:
    reading = read("", [])
    assert (reading.groups, reading.n_parts, reading.part) == ((), 1, 1)


def test_pages_are_announced_where_they_begin() -> None:
    text = "AB"
    reading = read(text, [Block(PARAGRAPH, 0, 1, page=1), Block(PARAGRAPH, 1, 2, page=2)])
    assert [group.new_page for group in reading.groups] == [1, 2]


def many(n_blocks: int, size: int) -> tuple[str, Sequence[Block]]:
    return composed(
        *[(HEADING if number % 10 == 0 else PARAGRAPH, f"{number} ".ljust(size, "x")) for number in range(n_blocks)]
    )


def test_a_long_document_comes_in_parts_that_together_hold_everything() -> None:
    text, blocks = many(200, 1_000)
    n_parts = read(text, blocks).n_parts
    assert n_parts == 4
    whole = "".join(shown(read(text, blocks, part=number)) for number in range(1, n_parts + 1))
    assert whole == text.replace("\n\n", "")
    assert read(text, blocks, part=99).part == n_parts


def test_a_passage_far_inside_opens_the_part_it_stands_in() -> None:
    text, blocks = many(200, 1_000)
    start = text.index("150 ")
    reading = read(text, blocks, (start, start + 3))
    assert (marked(reading), reading.part) == (["150"], 3)


def test_a_passage_across_the_end_of_a_part_is_shown_whole() -> None:
    text, blocks = many(200, 1_000)
    first_of_second = read(text, blocks, part=2).groups[0].lines[0].start
    reading = read(text, blocks, (first_of_second - 10, first_of_second + 5))
    assert reading.part == 1
    assert "".join(marked(reading)) == text[first_of_second - 10 : first_of_second + 5].replace("\n\n", "")


def test_the_outline_leads_to_headings_in_other_parts() -> None:
    text, blocks = many(200, 1_000)
    outline = read(text, blocks).outline
    assert len(outline) == 20
    assert {entry.part for entry in outline} == {1, 2, 3, 4}
    assert outline[1].anchor == f"h-{blocks[10].start}"


def test_a_file_of_one_endless_line_is_cut_into_parts() -> None:
    text = "word " * 60_000
    pieces = list(covering(text, [Block(PARAGRAPH, 0, len(text))]))
    assert "".join(text[piece.start : piece.end] for piece in pieces) == text
    reading = read(text, [Block(PARAGRAPH, 0, len(text))], (200_000, 200_004))
    assert reading.n_parts > 3
    assert marked(reading) == ["word"]
    assert len(shown(reading)) <= PART_CHARACTERS + 20_000


def test_cutting_keeps_every_character() -> None:
    assert cut("abcdef", 1, 5, (2, 3)) == (Stretch(1, "b"), Stretch(2, "c", True), Stretch(3, "de"))
    assert cut("abcdef", 1, 5, None) == (Stretch(1, "bcde"),)
    assert cut("abcdef", 1, 5, (0, 9)) == (Stretch(1, "bcde", True),)


def test_a_first_heading_that_repeats_the_title_is_left_out_unless_it_is_cited() -> None:
    text, blocks = composed((HEADING, "Handbook"), (PARAGRAPH, "Words."))
    assert shown(read(text, blocks, title="Handbook")) == "Words."
    assert shown(read(text, blocks, title="Another")) == "HandbookWords."
    assert marked(read(text, blocks, (0, 4), title="Handbook")) == ["Hand"]


def test_headings_are_counted_from_the_highest_of_the_document() -> None:
    text = "ABC"
    blocks = [Block(HEADING, 0, 1, level=3), Block(HEADING, 1, 2, level=5), Block(HEADING, 2, 3, level=3)]
    [group] = read(text, blocks).groups
    assert [line.level for line in group.lines] == [1, 3, 1]
