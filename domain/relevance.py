"""Relevance feedback: what the best chunks have in common tells more about a question than its own few words.

Nobody is asked: the best of a first ranking are taken for relevant. Their telling words join the question's (RM3,
Abdul-Jaleel et al. 2004), and the question's vector moves towards theirs (Rocchio 1971).
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from domain.embedding import Matrix

N_FEEDBACK = 5
"""Chunks taken for relevant."""
N_WORDS = 10
WORDS_SHARE = 0.3
"""Of the question's weight, what its new words have together."""
VECTOR_SHARE = 1.0
"""Weight of the mean of the chunks' vectors beside the question's own."""


def telling_words(
    said: Sequence[Mapping[str, float]], scores: Sequence[float], rarity: Mapping[str, float]
) -> dict[str, float]:
    """Return the N_WORDS lexemes that stand out in these chunks, with their share of 1.

    `said` is how often each lexeme stands in each chunk, `rarity` their inverse document frequency; unknown ones do not
    count.
    """
    best = max(scores, default=0.0)
    belief = [math.exp(score - best) for score in scores]
    total = sum(belief) or 1.0
    counted: dict[str, float] = {}
    for lexemes, share in zip(said, belief, strict=True):
        all_said = sum(lexemes.values()) or 1.0
        for lexeme, says in lexemes.items():
            weight = share / total * says / all_said * rarity.get(lexeme, 0.0)
            counted[lexeme] = counted.get(lexeme, 0.0) + weight
    heaviest = sorted(counted.items(), key=lambda entry: (-entry[1], entry[0]))[:N_WORDS]
    mass = sum(weight for _, weight in heaviest)
    return {lexeme: weight / mass for lexeme, weight in heaviest} if mass else {}


def widened_words(question: Mapping[str, float], telling: Mapping[str, float]) -> dict[str, float]:
    """Return the question's words with those of the feedback, all together of weight 1."""
    total = sum(question.values())
    if not total:
        return {}
    share = WORDS_SHARE if telling else 0.0
    words = {lexeme: (1 - share) * count / total for lexeme, count in question.items()}
    for lexeme, weight in telling.items():
        words[lexeme] = words.get(lexeme, 0.0) + share * weight
    return words


def moved_vector(question: Matrix, vectors: Matrix) -> Matrix:
    """Return the question's unit vector, moved towards the mean of `vectors` (n, d): (d,) float32, unit norm."""
    if not len(vectors):
        return question
    moved = question + VECTOR_SHARE * vectors.mean(axis=0)
    unit: Matrix = (moved / max(float(np.linalg.norm(moved)), 1e-9)).astype(np.float32)
    return unit
