"""From a question to ranked chunks: two legs, exact scores of both for all they propose, feedback, diversity."""

from collections import Counter
from collections.abc import Sequence

import msgspec
import numpy as np

from domain.embedding import Matrix
from domain.freshness import asks_for_freshness, freshness
from domain.fusion import Scores, blended, diversified
from domain.relevance import N_FEEDBACK, moved_vector, telling_words, widened_words
from domain.search import Candidate, Proposed, SearchFilter
from domain.vault import Tools, Vault

DEPTH = 200
"""Candidates taken from each leg."""
FIRST_SHARE = 0.5
"""What the first ranking still says beside the one after feedback."""
MAX_ALIASES = 5
MAX_RELATED_DOCUMENTS = 20
ALIAS_WEIGHT = 0.3
"""A word of another name beside one of the question's own: who asks for `Lena` wants `Okafor` as well, but less."""
HEAD = 20
"""Documents whose repetition of each other is looked at: two pages of results."""


class Asked(msgspec.Struct, frozen=True):
    """A question as both legs read it: its lexemes with their counts, and its vector, (d,) float32, unit norm."""

    text: str
    words: dict[str, float]
    vector: Matrix
    related: tuple[int, ...] = ()
    """Documents whose best chunks join the candidates, whether or not a leg proposes them."""


async def ask(tools: Tools, question: str) -> Asked:
    """Return the question as the legs read it. Raises: Unavailable when the embedder is."""
    return msgspec.structs.replace(unembedded(tools, question), vector=await embed_question(tools, question))


def unembedded(tools: Tools, question: str) -> Asked:
    """Return the question as the lexical leg reads it; its vector is empty."""
    counted = Counter(word.lexeme for word in tools.analyzer.words(question))
    return Asked(question, dict(counted), np.zeros(0, np.float32))


async def ask_here(vault: Vault, tools: Tools, question: str) -> Asked:
    """Return the question as this vault's legs read it: by its own model. Raises: Unavailable when the embedder is."""
    return await ask(tools.speaking(await vault.passages.model()), question)


async def follow_entities(vault: Vault, tools: Tools, asked: Asked) -> Asked:
    """Return the question with other names of what it names, for its words only, and documents of what is related."""
    expansion = await vault.graph.expand(asked.text, MAX_RELATED_DOCUMENTS)
    if not expansion.aliases and not expansion.document_ids:
        return asked
    words = dict(asked.words)
    for word in (word for alias in expansion.aliases[:MAX_ALIASES] for word in tools.analyzer.words(alias)):
        words.setdefault(word.lexeme, ALIAS_WEIGHT)
    return Asked(asked.text, words, asked.vector, expansion.document_ids)


async def embed_question(tools: Tools, question: str) -> Matrix:
    """Return the question's vector, (d,) float32, unit norm."""
    vectors = await tools.embedder.embed([question])
    first: Matrix = vectors[0]
    return first


async def propose(vault: Vault, asked: Asked, narrowed: SearchFilter) -> Proposed:
    """Return what either leg proposes."""
    return await vault.passages.propose(asked.words, asked.vector, narrowed, DEPTH, asked.related)


async def rank(vault: Vault, asked: Asked, narrowed: SearchFilter) -> list[Candidate]:
    """Return chunks best first by what they say themselves: for facts, which stand in one place."""
    proposed = await propose(vault, asked, narrowed)
    return ordered(proposed, await _scores(vault, asked, proposed) + await _gains(vault, asked, proposed))


async def rank_with_feedback(vault: Vault, asked: Asked, narrowed: SearchFilter) -> list[Candidate]:
    """Return chunks best first, with relevance feedback and less repetition: for finding documents on a subject."""
    proposed = await propose(vault, asked, narrowed)
    if not proposed.chunk_ids:
        return []
    first = await _scores(vault, asked, proposed)
    again = await _widened(vault, asked, proposed, first)
    scores = await _scores(vault, again, proposed) + FIRST_SHARE * first + await _gains(vault, asked, proposed)
    return _diverse(proposed, ordered(proposed, scores))


def ordered(proposed: Proposed, scores: Scores) -> list[Candidate]:
    """Return candidates by falling score, ties by id."""
    candidates = map(Candidate, proposed.chunk_ids, proposed.document_ids, scores.tolist())
    return sorted(candidates, key=lambda each: (-each.score, each.chunk_id))


async def _scores(vault: Vault, asked: Asked, proposed: Proposed) -> Scores:
    """Both legs' scores of each candidate, whichever proposed it, as one."""
    question = await vault.passages.question_weights(asked.words)
    lexical = proposed.weights.scores(question, len(proposed.chunk_ids))
    return blended(lexical, (proposed.vectors @ asked.vector).astype(np.float64))


async def _gains(vault: Vault, asked: Asked, proposed: Proposed) -> Scores:
    """What each candidate gains by being new, where the question asks for that."""
    if not proposed.chunk_ids or not asks_for_freshness(asked.text):
        return np.zeros(len(proposed.chunk_ids))
    changed = await vault.passages.changed(sorted(set(proposed.document_ids)))
    oldest = min(changed.values())
    return freshness([changed.get(each, oldest) for each in proposed.document_ids])


async def _widened(vault: Vault, asked: Asked, proposed: Proposed, scores: Scores) -> Asked:
    """The question with what the best chunks have in common; without words of its own it gets none of theirs."""
    best = np.argsort(-scores, kind="stable")[:N_FEEDBACK].tolist()
    telling: dict[str, float] = {}
    if asked.words:
        rarity = await vault.passages.lexemes_of([proposed.chunk_ids[row] for row in best])
        said = proposed.weights.occurrences(best, rarity)
        telling = telling_words(said, scores[best].tolist(), rarity)
    return Asked(asked.text, widened_words(asked.words, telling), moved_vector(asked.vector, proposed.vectors[best]))


def _diverse(proposed: Proposed, ranked: Sequence[Candidate]) -> list[Candidate]:
    """Put off documents of the head that say what a better one says; scores stay in falling order."""
    firsts = list({each.document_id: each for each in reversed(ranked)}.values())[::-1]
    head = sorted(firsts, key=lambda each: (-each.score, each.chunk_id))[:HEAD]
    rows = np.searchsorted(proposed.chunk_ids, [each.chunk_id for each in head])
    order = diversified([each.score for each in head], proposed.vectors[rows])
    if order == list(range(len(head))):
        return list(ranked)
    moved = {head[at].document_id: head[place] for place, at in enumerate(order)}
    lost = {each.document_id: each.score - moved[each.document_id].score for each in head}
    changed = [msgspec.structs.replace(each, score=each.score - lost.get(each.document_id, 0.0)) for each in ranked]
    return sorted(changed, key=lambda each: (-each.score, each.chunk_id))
