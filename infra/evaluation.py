"""Evaluate retrieval on a folder in BEIR form, through the real pipeline."""

import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from domain.errors import Invalid, NotFound
from domain.followups import standalone
from domain.integrations import Entry, Item, Page
from domain.measures import ndcg, recall
from domain.people import EVERYONE
from domain.ranking import DEPTH, Asked, ask, embed_question, follow_entities, rank, rank_with_feedback
from domain.search import Candidate, SearchFilter
from domain.vault import Tools, Vault
from domain.widening import widen

PAGE_SIZE = 200


class CorpusDocument(msgspec.Struct, frozen=True, rename={"id": "_id"}):
    """A line of `corpus.jsonl`."""

    id: str
    text: str = ""
    title: str = ""


class Turn(msgspec.Struct, frozen=True):
    """What was said before a question."""

    text: str = ""
    speaker: str = ""


class Question(msgspec.Struct, frozen=True, rename={"id": "_id"}):
    """A line of `queries.jsonl`; one that was asked in a conversation has its history."""

    id: str
    text: str
    history: tuple[Turn, ...] = ()

    @property
    def asked(self) -> str:
        """The question made to stand alone, as a conversation asks it."""
        return standalone(self.text, [turn.text for turn in self.history if turn.speaker == "user"])


class BeirSet(msgspec.Struct, frozen=True):
    """A whole set; judgements are grades by document id, by question id."""

    folder: Path
    questions: list[Question]
    judgements: dict[str, dict[str, int]]


def read_set(folder: Path) -> BeirSet:
    """Return the set in a folder; only judged questions count. Raises: Invalid, naming the file that is missing."""
    for name in ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv"):
        if not (folder / name).is_file():
            raise Invalid(f"{folder} is not in BEIR form: {name} is missing.")
    judgements: dict[str, dict[str, int]] = {}
    for line in (folder / "qrels/test.tsv").read_text().splitlines():
        question_id, document_id, grade = line.split("\t")[:3]
        if grade.lstrip("-").isdecimal():
            judgements.setdefault(question_id, {})[document_id] = int(grade)
    questions = [
        question for line in _lines(folder / "queries.jsonl") if (question := msgspec.json.decode(line, type=Question))
    ]
    return BeirSet(folder, [each for each in questions if each.id in judgements], judgements)


def _lines(path: Path) -> list[bytes]:
    return [line for line in path.read_bytes().splitlines() if line.strip()]


class Snapshot:
    """A source of which all is listed at once, in pages."""

    is_snapshot = True

    def __init__(self, ids: Sequence[str]) -> None:
        self.ids = ids

    def item(self, external_id: str) -> Item:
        """Return what the source lists."""
        raise NotImplementedError

    async def fetch(self, item: Item) -> bytes:
        """Return the content of an item."""
        raise NotImplementedError

    async def pages(self, cursor: str) -> AsyncIterator[Page]:
        """Yield everything in pages."""
        for start in range(0, len(self.ids), PAGE_SIZE):
            entries: tuple[Entry, ...] = tuple(self.item(each) for each in self.ids[start : start + PAGE_SIZE])
            yield Page(entries, cursor, total=len(self.ids))

    async def again(self, external_ids: Sequence[str]) -> AsyncIterator[Page]:
        """Yield these once more."""
        yield Page(tuple(self.item(each) for each in external_ids if each in self.ids), "")


class CorpusConnector(Snapshot):
    """Reads `corpus.jsonl` as a source: one Markdown document a line, its title as the heading."""

    def __init__(self, path: Path) -> None:
        self._documents = {
            document.id: document
            for line in _lines(path)
            if (document := msgspec.json.decode(line, type=CorpusDocument))
        }
        super().__init__(list(self._documents))

    def item(self, external_id: str) -> Item:
        """Return a document as a source lists it."""
        return Item(external_id, f"{external_id}.md", revision="1", media_type="text/markdown", principals=(EVERYONE,))

    async def fetch(self, item: Item) -> bytes:
        """Return a document as Markdown."""
        document = self._documents.get(item.external_id)
        if document is None:
            raise NotFound("This document is not in the corpus.")
        heading = f"# {document.title}\n\n" if document.title.strip() else ""
        return (heading + document.text).encode()


Leg = Callable[[Vault, Tools, str], Awaitable[list[Candidate]]]


async def evaluate(
    vault: Vault, tools: Tools, beir: BeirSet, external_ids: Mapping[int, str]
) -> dict[str, dict[str, float]]:
    """Return nDCG@10, recall@10, recall@100 and median milliseconds a question, by leg.

    A document's score is that of its best chunk. `external_ids` maps our document ids to those of the set.
    """
    legs: dict[str, Leg] = {"lexical": _lexical, "dense": _dense, "hybrid": _hybrid, "reranked": _reranked}
    return {name: await _measure(leg, vault, tools, beir, external_ids) for name, leg in legs.items()}


async def _measure(
    leg: Leg, vault: Vault, tools: Tools, beir: BeirSet, external_ids: Mapping[int, str]
) -> dict[str, float]:
    scores: list[tuple[float, float, float]] = []
    took_ms: list[float] = []
    for question in beir.questions:
        started = time.perf_counter()
        candidates = await leg(vault, tools, question.asked)
        took_ms.append((time.perf_counter() - started) * 1000)
        ranked = list(dict.fromkeys(external_ids[each.document_id] for each in candidates))
        grades = beir.judgements[question.id]
        scores.append((ndcg(ranked, grades, 10), recall(ranked, grades, 10), recall(ranked, grades, 100)))
    columns = list(zip(*scores, strict=True)) or [(0.0,), (0.0,), (0.0,)]
    means = [round(statistics.fmean(column), 4) for column in columns]
    return {
        "ndcg@10": means[0],
        "recall@10": means[1],
        "recall@100": means[2],
        "ms": round(statistics.median(took_ms or [0.0]), 2),
    }


async def _lexical(vault: Vault, tools: Tools, question: str) -> list[Candidate]:  # noqa: ARG001  # one shape for all legs
    return await vault.passages.lexical(question, SearchFilter(), DEPTH)


async def _dense(vault: Vault, tools: Tools, question: str) -> list[Candidate]:
    return await vault.passages.dense(await embed_question(tools, question), SearchFilter(), DEPTH)


async def _hybrid(vault: Vault, tools: Tools, question: str) -> list[Candidate]:
    return await rank(vault, await _asked(vault, tools, question), SearchFilter())


async def _reranked(vault: Vault, tools: Tools, question: str) -> list[Candidate]:
    return await rank_with_feedback(vault, await _asked(vault, tools, question), SearchFilter())


async def _asked(vault: Vault, tools: Tools, question: str) -> Asked:
    asked = await ask(tools, (await widen(vault, tools, question)).text)
    return await follow_entities(vault, tools, asked)
