"""Fusion: how the scores of two legs become one, and how the head is kept from repeating itself.

Scores say more than ranks: on every public set the standardised sum was better than reciprocal rank fusion
(docs/decisions/0008). Parameters were chosen on two sets; on the two others the whole was measured, not each parameter.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from domain.embedding import Matrix

Scores = npt.NDArray[np.float64]
"""(n,) float64, one per candidate."""

DENSE_WEIGHT = 0.45
STANDARD_DEPTH = 100
"""Mean and deviation are those of a leg's best scores: how far its tail goes down says nothing."""
LEAST_DEVIATION = 0.04
"""Share of the best score below which a deviation is noise: in a small vault all may be about as near."""
DUPLICATE_FROM = 0.85
"""Cosine from which two chunks begin to say the same; below it, nearness is no fault."""
DIVERSITY = 0.3
"""What the second of two equal chunks loses, in the range of the head's scores."""


def standardised(scores: Scores) -> Scores:
    """Return the scores less the mean of the best STANDARD_DEPTH, by their deviation; zeros where all are equal."""
    best = np.sort(scores)[::-1][:STANDARD_DEPTH]
    if not best.size:
        return scores
    deviation = max(float(best.std()), LEAST_DEVIATION * abs(float(best[0])))
    if deviation < 1e-9:
        return np.zeros_like(scores)
    standard: Scores = (scores - best.mean()) / deviation
    return standard


def blended(lexical: Scores, dense: Scores) -> Scores:
    """Return the weighted sum of both legs' standardised scores; each candidate has a score in both legs."""
    blend: Scores = (1 - DENSE_WEIGHT) * standardised(lexical) + DENSE_WEIGHT * standardised(dense)
    return blend


def diversified(scores: Sequence[float], vectors: Matrix) -> list[int]:
    """Return the positions in an order that puts off what has been said, by maximal marginal relevance.

    `scores` are in falling order; `vectors` (n, d), unit norm, beside them; a row of zeros is like nothing. The first
    stays first. Carbonell and Goldstein 1998, with a similarity that starts at DUPLICATE_FROM.
    """
    relevance = np.asarray(scores, np.float64)
    if relevance.size < 3:
        return list(range(relevance.size))
    span = float(relevance.max() - relevance.min()) or 1.0
    alike = np.clip((vectors @ vectors.T - DUPLICATE_FROM) / (1 - DUPLICATE_FROM), 0, 1)
    said, order = np.zeros(relevance.size), []
    left = np.ones(relevance.size, bool)
    for _ in range(relevance.size):
        gain = np.where(left, relevance - DIVERSITY * span * said, -np.inf)
        chosen = int(gain.argmax())
        order.append(chosen)
        left[chosen] = False
        said = np.maximum(said, alike[chosen])
    return order
