"""Evaluate passages on documents in which the characters that answer each question are marked."""

import csv
import statistics
import sys
import time
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from domain.errors import Invalid
from domain.integrations import Item
from domain.people import EVERYONE
from domain.retrieval import find_passages, find_stretches
from domain.search import Passage, SearchFilter
from domain.vault import Tools, Vault
from infra.evaluation import Snapshot

N_PASSAGES = 5
MAX_SHIFT_CHARACTERS = 2_000
"""How far a parser may move a passage by dropping rules and control characters before it."""


class Reference(msgspec.Struct, frozen=True):
    """Characters that answer, `start_index` to `end_index` of the file."""

    content: str
    start_index: int
    end_index: int


class SpanQuestion(msgspec.Struct, frozen=True):
    """A question about one file, and where its answer stands."""

    text: str
    corpus: str
    references: tuple[Reference, ...]


class SpanMeasures(msgspec.Struct, frozen=True):
    """Means over all questions, of the characters in the passages against those that answer."""

    recall: float
    precision: float
    iou: float
    n_characters: float
    n_passages: float
    ms: float


class SpanSet(msgspec.Struct, frozen=True):
    """Files by name, and the questions about them."""

    files: dict[str, bytes]
    questions: tuple[SpanQuestion, ...]


def read_spans(folder: Path) -> SpanSet:
    """Return the set in a folder. Raises: Invalid when it is not there."""
    if not (folder / "questions_df.csv").is_file():
        raise Invalid(f"{folder} has no questions_df.csv.")
    csv.field_size_limit(sys.maxsize)
    files = {path.stem: path.read_bytes() for path in sorted((folder / "corpora").iterdir())}
    with (folder / "questions_df.csv").open() as stream:
        questions = tuple(
            SpanQuestion(
                row["question"],
                row["corpus_id"],
                msgspec.json.decode(row["references"], type=tuple[Reference, ...]),
            )
            for row in csv.DictReader(stream)
        )
    return SpanSet(files, questions)


class SpanConnector(Snapshot):
    """The files as plain text, since that is what their spans count."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        super().__init__(list(files))
        self._files = files

    def item(self, external_id: str) -> Item:
        """Return a file as a source lists it."""
        return Item(external_id, f"{external_id}.txt", "1", media_type="text/plain", principals=(EVERYONE,))

    async def fetch(self, item: Item) -> bytes:
        """Return a file."""
        return self._files[item.external_id]


async def evaluate_spans(
    vault: Vault, tools: Tools, spans: SpanSet, document_ids: Mapping[str, int]
) -> dict[str, SpanMeasures]:
    """Return the measures of the best chunks, and of the passages worth reading, at most N_PASSAGES of either."""
    parsed = {name: squeezed((await vault.documents.version(each)).text) for name, each in document_ids.items()}
    sources = {name: squeezed(content.decode()) for name, content in spans.files.items()}
    wanted = [places_of(each, sources[each.corpus], parsed[each.corpus]) for each in spans.questions]
    measured = {}
    for name, find in (("best chunks", find_passages), ("passages", find_stretches)):
        rows = []
        for question, places in zip(spans.questions, wanted, strict=True):
            started = time.perf_counter()
            found = await find(vault, tools, question.text, SearchFilter(), N_PASSAGES)
            took_ms = (time.perf_counter() - started) * 1000
            rows.append((*overlap(found, document_ids[question.corpus], places), len(found), took_ms))
        recalls, precisions, ious, lengths, counts, times = zip(*rows, strict=True)
        measured[name] = SpanMeasures(
            recall=statistics.fmean(recalls),
            precision=statistics.fmean(precisions),
            iou=statistics.fmean(ious),
            n_characters=statistics.fmean(lengths),
            n_passages=statistics.fmean(counts),
            ms=statistics.median(times),
        )
    return measured


def overlap(
    found: Sequence[Passage], document_id: int, places: Sequence[tuple[int, int]]
) -> tuple[float, float, float, int]:
    """Return recall, precision and intersection over union of characters, and how many characters were found."""
    n_found = sum(each.end - each.start for each in found)
    n_wanted = sum(end - start for start, end in places)
    n_common = sum(
        max(0, min(end, each.end) - max(start, each.start))
        for start, end in places
        for each in found
        if each.document_id == document_id
    )
    union = n_wanted + n_found - n_common
    return n_common / max(1, n_wanted), n_common / max(1, n_found), n_common / max(1, union), n_found


class Squeezed(msgspec.Struct, frozen=True):
    """A text without its white space, and where each of its characters stands in it."""

    text: str
    positions: list[int]


def squeezed(text: str) -> Squeezed:
    """Return the text without white space."""
    positions = [place for place, character in enumerate(text) if not character.isspace()]
    return Squeezed("".join(text[place] for place in positions), positions)


def places_of(question: SpanQuestion, source: Squeezed, parsed: Squeezed) -> list[tuple[int, int]]:
    """Return where the references stand in the text as it was parsed: parsers fold white space, and little else."""
    found = []
    for reference in question.references:
        expected = bisect_left(source.positions, reference.start_index)
        wanted = "".join(reference.content.split())
        at = parsed.text.find(wanted, max(0, expected - MAX_SHIFT_CHARACTERS))
        at = min(at if at != -1 else expected, len(parsed.positions) - 1)
        last = min(at + len(wanted), len(parsed.positions)) - 1
        found.append((parsed.positions[at], parsed.positions[last] + 1))
    return found
