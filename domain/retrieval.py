"""From a question to results: ranked chunks, grouped by document, neighbours read as one, with what matched marked."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import msgspec

from domain.errors import Invalid
from domain.feedback import reranked
from domain.glossary import Expansion
from domain.passages import joined, runs, stretch, worth_reading
from domain.ranking import HEAD, Asked, embed_question, follow_entities, rank, rank_with_feedback, unembedded
from domain.search import Analyzer, Candidate, Passage, SearchFilter
from domain.vault import Tools, Vault
from domain.widening import Correction, Widened, widen
from domain.wording import read_wording

MAX_QUESTION_CHARACTERS = 1000
MAX_PASSAGES_PER_DOCUMENT = 3
EXCERPT_CHARACTERS = 320


class Marked(msgspec.Struct, frozen=True):
    """A passage as a result shows it: `passage.text[start:end]`, with the spans that match the question."""

    passage: Passage
    start: int
    end: int
    marks: tuple[tuple[int, int], ...]
    """Spans in `passage.text`, inside the excerpt, in order."""


class Hit(msgspec.Struct, frozen=True):
    """A document that matches, with its best passages, those first in which most words of the question stand."""

    document_id: int
    version_id: int
    title: str
    integration_name: str
    media_type: str
    author: str
    url: str
    modified_at: datetime | None
    score: float
    passages: tuple[Marked, ...]


class Results(msgspec.Struct, frozen=True):
    """One page of hits, best first; `n_documents` counts those found within the depth of the search."""

    hits: tuple[Hit, ...]
    next_key: str
    n_documents: int
    expansions: tuple[Expansion, ...] = ()
    """Abbreviations of the question, as the vault's own documents explain them."""
    corrections: tuple[tuple[str, str], ...] = ()
    """Words of the question that stand nowhere, and those that were searched for besides."""


def checked_question(question: str) -> str:
    """Return the question without control characters, cut to its limit. Raises: Invalid when nothing is left."""
    printable = "".join(character if character.isprintable() else " " for character in question)
    cut = " ".join(printable.split())[:MAX_QUESTION_CHARACTERS]
    if not cut:
        raise Invalid("Type a few words to search for.", {"q": "Type a few words to search for."})
    return cut


async def search(
    vault: Vault, tools: Tools, question: str, narrowed: SearchFilter, key: str = "", size: int = 10
) -> Results:
    """Return a page of documents, best first. A page's key stays valid while the vault does not change.

    Raises: Invalid for an empty question, or a key that was not given out here.
    """
    wording = read_wording(checked_question(question))
    narrowed = wording.narrow(narrowed)
    widened, asked = await _understood(vault, tools, wording.text, narrowed)
    ranked = await rank_with_feedback(vault, asked, narrowed)
    documents = by_document(await _as_people_judge(vault, ranked))
    start = _start(documents, key)
    shown = documents[start : start + size]
    passages = await _read(vault, [each for group in shown for each in group])
    hits = [_hit(group, passages, set(asked.words), tools.analyzer) for group in shown]
    is_last = start + size >= len(documents)
    next_key = "" if is_last else _key(shown[-1][0])
    found = tuple(hit for hit in hits if hit is not None)
    meant = tuple(_spelt_out(each, passages, tools.analyzer) for each in widened.corrections)
    return Results(found, next_key, len(documents), widened.expansions, meant)


async def find_passages(vault: Vault, tools: Tools, question: str, narrowed: SearchFilter, n: int) -> list[Passage]:
    """Return the best `n` chunks as passages, each with its fused score, best first."""
    ranked = await _ranked(vault, tools, question, narrowed)
    return await _scored(vault, ranked[:n])


async def find_stretches(vault: Vault, tools: Tools, question: str, narrowed: SearchFilter, n: int) -> list[Passage]:
    """Return at most `n` passages worth reading, best first: neighbours are one, few come where one is far ahead."""
    ranked = await _ranked(vault, tools, question, narrowed)
    return (await _read(vault, worth_reading(ranked)))[:n]


async def _ranked(vault: Vault, tools: Tools, question: str, narrowed: SearchFilter) -> list[Candidate]:
    wording = read_wording(checked_question(question))
    narrowed = wording.narrow(narrowed)
    _, asked = await _understood(vault, tools, wording.text, narrowed)
    return await rank(vault, asked, narrowed)


async def _understood(vault: Vault, tools: Tools, text: str, narrowed: SearchFilter) -> tuple[Widened, Asked]:
    """Return what is searched for, embedded while Postgres looks its words up; once more when words were added."""
    speaking = tools.speaking(await vault.passages.model())
    embedding = asyncio.create_task(embed_question(speaking, text))
    try:
        widened = await widen(vault, tools, text)
        asked = await follow_entities(vault, tools, unembedded(tools, widened.text))
        await vault.passages.prepare(narrowed)
        vector = await embedding if widened.text == text else await embed_question(speaking, widened.text)
    finally:
        embedding.cancel()
    return widened, msgspec.structs.replace(asked, vector=vector)


async def _as_people_judge(vault: Vault, ranked: Sequence[Candidate]) -> list[Candidate]:
    """Move the documents of the head a little by what people said of answers that rested on them."""
    firsts = list({each.document_id: each for each in reversed(ranked)}.values())[::-1]
    head = sorted(firsts, key=lambda each: -each.score)[:HEAD]
    balance = await vault.feedback.balance([each.document_id for each in head]) if head else {}
    return reranked(ranked, balance, head[0].score - head[-1].score) if balance else list(ranked)


async def _scored(vault: Vault, candidates: Sequence[Candidate]) -> list[Passage]:
    scores = {each.chunk_id: each.score for each in candidates}
    passages = await vault.passages.load([each.chunk_id for each in candidates])
    return [msgspec.structs.replace(passage, score=scores[passage.chunk_id]) for passage in passages]


async def _read(vault: Vault, candidates: Sequence[Candidate]) -> list[Passage]:
    """Load candidates, those that stand side by side as one passage, best first."""
    found = runs(await _scored(vault, candidates))
    long = [run for run in found if len(run) > 1]
    texts = dict(zip(map(stretch, long), await vault.passages.read([stretch(run) for run in long]), strict=True))
    return [joined(run, texts.get(stretch(run), "")) for run in found]


def _spelt_out(correction: Correction, passages: Sequence[Passage], analyzer: Analyzer) -> tuple[str, str]:
    """The correction in whole words, as the first passage that has it writes it."""
    for passage in passages:
        for word in analyzer.words(f"{passage.title}\n{passage.text}"):
            if word.lexeme == correction.lexeme:
                return correction.written, f"{passage.title}\n{passage.text}"[word.start : word.end]
    return correction.written, correction.lexeme


def by_document(candidates: Sequence[Candidate]) -> list[list[Candidate]]:
    """Group candidates by document, each group and the groups best first; a document scores as its best chunk."""
    groups: dict[int, list[Candidate]] = {}
    for candidate in candidates:
        group = groups.setdefault(candidate.document_id, [])
        if len(group) < MAX_PASSAGES_PER_DOCUMENT:
            group.append(candidate)
    return list(groups.values())


def _key(candidate: Candidate) -> str:
    return f"{candidate.score:.9f}:{candidate.document_id}"


def _start(documents: Sequence[Sequence[Candidate]], key: str) -> int:
    """Return where the page after `key` starts."""
    if not key:
        return 0
    score, _, document_id = key.partition(":")
    try:
        last_score, last_document_id = float(score), int(document_id)
    except ValueError as error:
        raise Invalid("This page of results does not exist. Search again.") from error
    for position, group in enumerate(documents):
        if group[0].document_id == last_document_id:
            return position + 1
    return sum(group[0].score >= last_score for group in documents)


def _hit(group: Sequence[Candidate], read: Sequence[Passage], lexemes: set[str], analyzer: Analyzer) -> Hit | None:
    passages = [each for each in read if each.document_id == group[0].document_id]
    if not passages:
        return None
    best = passages[0]
    return Hit(
        document_id=best.document_id,
        version_id=best.version_id,
        title=best.title,
        integration_name=best.integration_name,
        media_type=best.media_type,
        author=best.author,
        url=best.url,
        modified_at=best.modified_at,
        score=group[0].score,
        passages=tuple(sorted((mark(each, lexemes, analyzer) for each in passages), key=_n_words_shown, reverse=True)),
    )


def _n_words_shown(marked: Marked) -> int:
    """A passage that was found for its title alone says less, when shown, than one whose own words match."""
    return len({marked.passage.text[start:end].lower() for start, end in marked.marks})


def mark(passage: Passage, lexemes: set[str], analyzer: Analyzer) -> Marked:
    """Choose the excerpt with the most distinct matching words, and mark them in it."""
    matching = [word for word in analyzer.words(passage.text) if word.lexeme in lexemes]
    start, end = _excerpt(passage.text, [(word.start, word.end, word.lexeme) for word in matching])
    inside = [(word.start, word.end) for word in matching if start <= word.start and word.end <= end]
    return Marked(passage, start, end, _merged(inside))


def _merged(spans: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Join spans that touch: an identifier matches whole and in parts."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def _excerpt(text: str, matches: Sequence[tuple[int, int, str]]) -> tuple[int, int]:
    if len(text) <= EXCERPT_CHARACTERS:
        return 0, len(text)
    best_start, best_distinct = 0, 0
    for position, (start, _, _) in enumerate(matches):
        within = {lexeme for s, e, lexeme in matches[position:] if e <= start + EXCERPT_CHARACTERS}
        if len(within) > best_distinct:
            best_start, best_distinct = start, len(within)
    start = _word_start(text, max(0, min(best_start - EXCERPT_CHARACTERS // 8, len(text) - EXCERPT_CHARACTERS)))
    return start, _word_end(text, min(len(text), start + EXCERPT_CHARACTERS))


def _word_start(text: str, position: int) -> int:
    space = text.find(" ", position, position + 30)
    return position if position == 0 or space == -1 else space + 1


def _word_end(text: str, position: int) -> int:
    space = text.rfind(" ", position - 30, position)
    return position if position == len(text) or space == -1 else space
