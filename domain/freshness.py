"""Freshness: where a question asks for the latest, a newer document comes before an equally good older one."""

import re
from collections.abc import Sequence
from datetime import datetime

import numpy as np

from domain.fusion import Scores

ASKED = re.compile(
    r"\b(latest|newest|most recent|recently|recent|current|currently|up[- ]to[- ]date|as of (now|today)|right now"
    r"|at the moment|nowadays|these days|today|this (week|month|quarter|year)|last (week|month|quarter))\b",
    re.IGNORECASE,
)
WEIGHT = 1.0
"""What the newest candidate gains on the oldest, in standard deviations."""
HALF_LIFE_DAYS = 90.0


def asks_for_freshness(question: str) -> bool:
    """Return whether the words of a question ask for what is newest."""
    return ASKED.search(question) is not None


def freshness(changed: Sequence[datetime]) -> Scores:
    """Return what each candidate gains, 0 to WEIGHT, halved with every HALF_LIFE_DAYS behind the newest of them."""
    if not changed:
        return np.zeros(0)
    newest = max(changed)
    days = np.array([(newest - moment).total_seconds() / 86_400 for moment in changed])
    gains: Scores = WEIGHT * 0.5 ** (days / HALF_LIFE_DAYS)
    return gains
