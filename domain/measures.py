"""How good a ranking is, against graded judgements or a yes and no."""

import math
from collections.abc import Mapping, Sequence


def ndcg(ranked: Sequence[str], grades: Mapping[str, int], depth: int) -> float:
    """Return the normalised discounted cumulative gain at `depth`, 0 to 1 (Järvelin and Kekäläinen 2002, linear)."""
    ideal = sum(
        grade / math.log2(place + 2) for place, grade in enumerate(sorted(grades.values(), reverse=True)[:depth])
    )
    gained = sum(max(0, grades.get(each, 0)) / math.log2(place + 2) for place, each in enumerate(ranked[:depth]))
    return gained / ideal if ideal else 0.0


def recall(ranked: Sequence[str], grades: Mapping[str, int], depth: int) -> float:
    """Return the share of relevant documents (grade above 0) among the first `depth`, 0 to 1."""
    relevant = {each for each, grade in grades.items() if grade > 0}
    return len(relevant.intersection(ranked[:depth])) / len(relevant) if relevant else 0.0


def area_under_curve(positive: Sequence[float], negative: Sequence[float]) -> float | None:
    """Return the chance that a positive scores above a negative, ties count half; None without both of them.

    The area under the ROC curve (Hanley and McNeil 1982).
    """
    if not positive or not negative:
        return None
    won = sum((one > other) + 0.5 * (one == other) for one in positive for other in negative)
    return won / (len(positive) * len(negative))
