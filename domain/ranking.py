"""From a question to ranked chunks: two legs, exact scores of both for all they propose, feedback, diversity."""

from collections import Counter
from collections.abc import Sequence

import msgspec
import numpy as np

from domain.embedding import Matrix
from domain.freshness import asks_for_freshness, freshness
from domain.fusion import Scores, blended, diversified
from domain.relevance import N_FEEDBACK, moved_vector, telling_words, widened_words
from domain.search import Candidate, SearchFilter, Weighed
from domain.vault import Tools, Vault

DEPTH = 200
"""Candidates taken from each leg."""
FIRST_SHARE = 0.5
"""What the first ranking still says beside the one after feedback."""
HEAD = 20
"""Documents whose repetition of each other is looked at: two pages of results."""


class Asked(msgspec.Struct, frozen=True):
    """A question as both legs read it: its lexemes with their counts, and its vector, (d,) float32, unit norm."""

    text: str
    words: dict[str, float]
    vector: Matrix


async def ask(tools: Tools, question: str) -> Asked:
    """Return the question as the legs read it. Raises: Unavailable when the embedder is."""
    counted = Counter(word.lexeme for word in tools.analyzer.words(question))
    return Asked(question, dict(counted), await embed_question(tools, question))


async def ask_here(vault: Vault, tools: Tools, question: str) -> Asked:
    """Return the question as this vault's legs read it: by its own model. Raises: Unavailable when the embedder is."""
    return await ask(tools.speaking(await vault.passages.model()), question)


async def embed_question(tools: Tools, question: str) -> Matrix:
    """Return the question's vector, (d,) float32, unit norm."""
    vectors = await tools.embedder.embed([question])
    first: Matrix = vectors[0]
    return first


async def propose(vault: Vault, asked: Asked, narrowed: SearchFilter) -> list[Weighed]:
    """Return what either leg proposes, each with its scores in both."""
    lexical = await vault.passages.lexical(asked.text, narrowed, DEPTH)
    dense = await vault.passages.dense(asked.vector, narrowed, DEPTH)
    ids = {each.chunk_id for each in (*lexical, *dense)}
    return await vault.passages.weigh(sorted(ids), asked.words, asked.vector) if ids else []


async def rank(vault: Vault, asked: Asked, narrowed: SearchFilter) -> list[Candidate]:
    """Return chunks best first by what they say themselves: for facts, which stand in one place."""
    proposed = await propose(vault, asked, narrowed)
    return ordered(proposed, _scores(proposed) + await _gains(vault, asked, proposed))


async def rank_with_feedback(vault: Vault, tools: Tools, asked: Asked, narrowed: SearchFilter) -> list[Candidate]:
    """Return chunks best first, with relevance feedback and less repetition: for finding documents on a subject."""
    proposed = await propose(vault, asked, narrowed)
    if not proposed:
        return []
    first = _scores(proposed)
    best = ordered(proposed, first)[:N_FEEDBACK]
    again = await _widened(vault, tools, asked, best)
    weighed = await vault.passages.weigh([each.chunk_id for each in proposed], again.words, again.vector)
    scores = _scores(weighed) + FIRST_SHARE * first + await _gains(vault, asked, proposed)
    return await _diverse(vault, ordered(proposed, scores))


def ordered(weighed: Sequence[Weighed], scores: Scores) -> list[Candidate]:
    """Return candidates by falling score, ties by id."""
    candidates = [
        Candidate(each.chunk_id, each.document_id, float(score)) for each, score in zip(weighed, scores, strict=True)
    ]
    return sorted(candidates, key=lambda each: (-each.score, each.chunk_id))


def _scores(weighed: Sequence[Weighed]) -> Scores:
    lexical, dense = (np.array([getattr(each, leg) for each in weighed]) for leg in ("lexical", "dense"))
    return blended(lexical, dense)


async def _gains(vault: Vault, asked: Asked, weighed: Sequence[Weighed]) -> Scores:
    """What each candidate gains by being new, where the question asks for that."""
    if not asks_for_freshness(asked.text):
        return np.zeros(len(weighed))
    changed = await vault.passages.changed(sorted({each.document_id for each in weighed}))
    oldest = min(changed.values())
    return freshness([changed.get(each.document_id, oldest) for each in weighed])


async def _widened(vault: Vault, tools: Tools, asked: Asked, best: Sequence[Candidate]) -> Asked:
    """The question with what the best chunks have in common; without words of its own it gets none of theirs."""
    ids = [each.chunk_id for each in best]
    vectors = await vault.passages.vectors(ids)
    telling: dict[str, float] = {}
    if asked.words:
        scores = {each.chunk_id: each.score for each in best}
        passages = await vault.passages.load(ids)
        texts = [[word.lexeme for word in tools.analyzer.words(each.text)] for each in passages]
        rarity = await vault.passages.rarity(sorted({lexeme for text in texts for lexeme in text}))
        telling = telling_words(texts, [scores[each.chunk_id] for each in passages], rarity)
    return Asked(asked.text, widened_words(asked.words, telling), moved_vector(asked.vector, vectors))


async def _diverse(vault: Vault, ranked: Sequence[Candidate]) -> list[Candidate]:
    """Put off documents of the head that say what a better one says; scores stay in falling order."""
    firsts = list({each.document_id: each for each in reversed(ranked)}.values())[::-1]
    head = sorted(firsts, key=lambda each: (-each.score, each.chunk_id))[:HEAD]
    order = diversified([each.score for each in head], await vault.passages.vectors([each.chunk_id for each in head]))
    if order == list(range(len(head))):
        return list(ranked)
    moved = {head[at].document_id: head[place] for place, at in enumerate(order)}
    lost = {each.document_id: each.score - moved[each.document_id].score for each in head}
    changed = [msgspec.structs.replace(each, score=each.score - lost.get(each.document_id, 0.0)) for each in ranked]
    return sorted(changed, key=lambda each: (-each.score, each.chunk_id))
