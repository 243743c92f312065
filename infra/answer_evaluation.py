"""Evaluate answers on questions that come with their passages: what is refused, what is cited, and is it verbatim."""

import re
import statistics
import time
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

import msgspec

from domain.answers import Finished, SentenceAdded, compose
from domain.confidence import ABSTAIN_BELOW
from domain.conversations import Answer, Citation
from domain.errors import Invalid
from domain.measures import area_under_curve
from domain.search import Passage
from domain.vault import Tools

MIN_OVERLAP = 0.5
"""Share of the shorter of two spans that must be common for a citation to point at a selected sentence."""
MIN_PART_CHARACTERS = 20
SENTENCE_END = re.compile(r"(?<=[.!?])\s+")

Place = tuple[int, int, int]
"""Number of the passage, and the span in its text."""


class LinePassage(msgspec.Struct, frozen=True):
    """A passage a question may be answered from; `start` is its place in `document`, where those are known."""

    id: str | int
    title: str = ""
    text: str = ""
    heading_path: tuple[str, ...] = ()
    document: str = ""
    start: int = 0


class SelectedSentence(msgspec.Struct, frozen=True):
    """A sentence that answers, and the id of the passage it stands in."""

    id: str | int
    text: str


class AnswerLine(msgspec.Struct, frozen=True):
    """A question with its passages, best first; `selected_sentences` are those that answer it, word for word."""

    question: str
    passages: tuple[LinePassage, ...]
    answerable: bool
    selected_sentences: tuple[str | SelectedSentence, ...] = ()


class Outcome(msgspec.Struct, frozen=True):
    """What became of one line. Selected sentences count as found where a citation overlaps one of their places."""

    line: AnswerLine
    answer: Answer
    first_ms: float
    n_verbatim: int
    n_citations: int
    n_correct: int
    n_found: int
    is_reachable: bool
    """Whether a selected sentence stands in the passages at all."""


class Abstention(msgspec.Struct, frozen=True):
    """How well answerable questions are told from others; shares are None where there are no such questions."""

    auc: float | None
    accuracy: float | None
    balanced_accuracy: float | None
    answered_of_answerable: float | None
    refused_of_unanswerable: float | None
    threshold: float


class Citations(msgspec.Struct, frozen=True):
    """Sentence citations against the selected sentences, over all lines that have some; a refusal finds none."""

    precision: float | None
    recall: float | None
    f1: float | None
    hit: float | None
    """Share of these questions with at least one correct citation."""
    reachable: float | None
    """Share of these questions whose passages hold a selected sentence: the most that `hit` can be."""
    n_questions: int


class Measures(msgspec.Struct, frozen=True):
    """What `eval-answers` prints."""

    n_questions: int
    abstention: Abstention
    citations: Citations
    verbatim: float | None
    """Share of answer sentences all of whose quotes stand in their passages letter by letter."""
    sentences_per_answer: float | None
    first_sentence_ms: float
    """Median time to the first sentence, or to the refusal."""


def read_lines(path: Path) -> list[AnswerLine]:
    """Return the lines of a file. Raises: Invalid, naming the line that is not in form."""
    if not path.is_file():
        raise Invalid(f"There is no file at {path}. Check the path.")
    lines = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            lines.append(msgspec.json.decode(line, type=AnswerLine))
        except msgspec.DecodeError as error:
            raise Invalid(
                f"Line {number} of {path.name} is not a question with its passages: {error}. "
                "Each line is {question, passages: [{id, title, text}], answerable, selected_sentences?}."
            ) from error
    if not lines:
        raise Invalid(f"{path.name} is empty. Give a file with one question on each line.")
    return lines


async def evaluate_answers(lines: Sequence[AnswerLine], tools: Tools) -> Measures:
    """Answer each line as the product would from these passages, and measure. Raises: Unavailable."""
    await tools.embedder.embed(["warm"])
    return measures([await outcome(line, tools) for line in lines])


async def outcome(line: AnswerLine, tools: Tools) -> Outcome:
    """Answer one line. Raises: Unavailable when the embedder is."""
    passages = passages_of(line)
    started = time.perf_counter()
    first_ms = 0.0
    composed = compose(
        line.question,
        (),
        passages,
        embedder=tools.embedder,
        analyzer=tools.analyzer,
        language_model=tools.language_model,
    )
    async with aclosing(composed) as events:
        async for event in events:
            if isinstance(event, SentenceAdded | Finished) and not first_ms:
                first_ms = (time.perf_counter() - started) * 1000
            if isinstance(event, Finished):
                answer = event.answer
    return judged(line, passages, answer, first_ms)


def line_of(question: str, passages: Sequence[Passage], *, answerable: bool, gold: Sequence[str] = ()) -> AnswerLine:
    """Return a question with the passages that a search found for it."""
    kept = tuple(
        LinePassage(
            str(passage.chunk_id),
            passage.title,
            passage.text,
            passage.heading_path,
            f"{passage.document_id}.{passage.version_id}",
            passage.start,
        )
        for passage in passages
    )
    return AnswerLine(question, kept, answerable, tuple(gold))


def passages_of(line: AnswerLine) -> list[Passage]:
    """Return the passages in the order given; those of one `document` share its id, the others have one each."""
    documents: dict[str, int] = {}
    found = []
    for number, each in enumerate(line.passages):
        document_id = documents.setdefault(each.document or f"passage {number}", len(documents))
        found.append(
            Passage(
                chunk_id=number,
                document_id=document_id,
                version_id=document_id,
                title=each.title,
                heading_path=each.heading_path,
                text=each.text,
                start=each.start,
                end=each.start + len(each.text),
                page=None,
                integration_name="",
                media_type="text/plain",
                author="",
                url="",
                modified_at=None,
            )
        )
    return found


def measures(outcomes: Sequence[Outcome]) -> Measures:
    """Put the outcomes together."""
    shown = sum(len(each.answer.sentences) for each in outcomes)
    answered = [len(each.answer.sentences) for each in outcomes if each.answer.sentences]
    return Measures(
        n_questions=len(outcomes),
        abstention=_abstention(outcomes),
        citations=_citations([each for each in outcomes if each.line.selected_sentences]),
        verbatim=_share(sum(each.n_verbatim for each in outcomes), shown),
        sentences_per_answer=round(statistics.fmean(answered), 2) if answered else None,
        first_sentence_ms=round(statistics.median([each.first_ms for each in outcomes] or [0.0]), 1),
    )


def are_selected(citations: Sequence[Citation], line: AnswerLine) -> list[bool]:
    """Return for each citation of the line's passages whether it points at a selected sentence."""
    passages = passages_of(line)
    selected = [place for each in line.selected_sentences for place in _places(each, line)]
    cited = [_place(each, passages) for each in citations]
    return [one is not None and any(_meet(one, place) for place in selected) for one in cited]


def places_of_selected(line: AnswerLine) -> list[int]:
    """Return the numbers of the passages in which a selected sentence, or a part of one, stands."""
    return sorted({place[0] for each in line.selected_sentences for place in _places(each, line)})


def judged(line: AnswerLine, passages: Sequence[Passage], answer: Answer, first_ms: float) -> Outcome:
    """Compare an answer with what was selected, and with the passages it quotes."""
    selected = [places for each in line.selected_sentences if (places := _places(each, line))]
    cited = [place for each in answer.sentences for one in each.citations if (place := _place(one, passages))]
    return Outcome(
        line=line,
        answer=answer,
        first_ms=first_ms,
        n_verbatim=sum(
            bool(each.citations) and all(_place(one, passages) for one in each.citations) for each in answer.sentences
        ),
        n_citations=sum(len(each.citations) for each in answer.sentences),
        n_correct=sum(any(_meet(one, place) for places in selected for place in places) for one in cited),
        n_found=sum(any(_meet(one, place) for place in places for one in cited) for places in selected),
        is_reachable=bool(selected),
    )


def _place(citation: Citation, passages: Sequence[Passage]) -> Place | None:
    """Return where the quote stands, None when it does not stand where the citation says."""
    for number, passage in enumerate(passages):
        start, end = citation.start - passage.start, citation.end - passage.start
        is_inside = passage.version_id == citation.version_id and 0 <= start < end
        if is_inside and passage.text[start:end] == citation.quote:
            return number, start, end
    return None


def _places(selected: str | SelectedSentence, line: AnswerLine) -> list[Place]:
    """Return where a selected sentence stands; where a chunk's end cuts it, the places of its parts."""
    text = selected if isinstance(selected, str) else selected.text
    passage_id = None if isinstance(selected, str) else selected.id
    whole = _standing(text, passage_id, line)
    parts = [part for part in SENTENCE_END.split(text) if len(part) >= MIN_PART_CHARACTERS]
    return whole or [place for part in parts for place in _standing(part, passage_id, line)]


def _standing(text: str, passage_id: str | int | None, line: AnswerLine) -> list[Place]:
    """White space and letter case may differ."""
    words = text.split()
    if not words:
        return []
    pattern = re.compile(r"\s+".join(re.escape(word) for word in words), re.IGNORECASE)
    return [
        (number, match.start(), match.end())
        for number, passage in enumerate(line.passages)
        if passage_id in (None, passage.id)
        for match in pattern.finditer(passage.text)
    ]


def _meet(one: Place, other: Place) -> bool:
    common = min(one[2], other[2]) - max(one[1], other[1])
    return one[0] == other[0] and common >= MIN_OVERLAP * min(one[2] - one[1], other[2] - other[1])


def _abstention(outcomes: Sequence[Outcome]) -> Abstention:
    answerable = [each.answer for each in outcomes if each.line.answerable]
    others = [each.answer for each in outcomes if not each.line.answerable]
    n_answered = sum(not each.is_abstained for each in answerable)
    n_refused = sum(each.is_abstained for each in others)
    answered, refused = _share(n_answered, len(answerable)), _share(n_refused, len(others))
    auc = area_under_curve([each.confidence for each in answerable], [each.confidence for each in others])
    return Abstention(
        auc=None if auc is None else round(auc, 4),
        accuracy=_share(n_answered + n_refused, len(outcomes)),
        balanced_accuracy=None if answered is None or refused is None else round((answered + refused) / 2, 4),
        answered_of_answerable=answered,
        refused_of_unanswerable=refused,
        threshold=ABSTAIN_BELOW,
    )


def _citations(outcomes: Sequence[Outcome]) -> Citations:
    precision = _share(sum(each.n_correct for each in outcomes), sum(each.n_citations for each in outcomes))
    recall = _share(sum(each.n_found for each in outcomes), sum(len(each.line.selected_sentences) for each in outcomes))
    f1 = None
    if precision is not None and recall is not None:
        f1 = round(2 * precision * recall / (precision + recall), 4) if precision + recall else 0.0
    return Citations(
        precision=precision,
        recall=recall,
        f1=f1,
        hit=_share(sum(each.n_found > 0 for each in outcomes), len(outcomes)),
        reachable=_share(sum(each.is_reachable for each in outcomes), len(outcomes)),
        n_questions=len(outcomes),
    )


def _share(n: int, of: int) -> float | None:
    return round(n / of, 4) if of else None
