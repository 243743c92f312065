"""Feedback: what people say of answers, and how far that moves the documents those answers rested on."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from domain.search import Passage

MAX_REASON_CHARACTERS = 1000
MAX_SHIFT = 0.25
"""A document's score moves by a quarter of the spread of the list at most: two or three places at its head.

Set by hand, so that no crowd of verdicts can hide a document.
"""
HALF_WAY = 3
"""Verdicts, ups less downs, at which about three quarters of the shift are reached."""


class Verdict(StrEnum):
    """What a person says of an answer."""

    UP = "up"
    DOWN = "down"


class Feedback(msgspec.Struct, frozen=True):
    """One person's word on one answer."""

    message_id: int
    verdict: Verdict
    reason: str
    created_at: datetime


class FeedbackBook(Protocol):
    """The verdicts of one tenant; who gave which is seen by nobody else."""

    async def give(self, message_id: int, verdict: Verdict, reason: str, document_ids: Sequence[int]) -> None:
        """Keep the viewer's verdict on an answer of theirs, in place of an earlier one. Raises: NotFound."""

    async def given(self, message_ids: Sequence[int]) -> dict[int, Feedback]:
        """Return the viewer's own verdicts, by message."""

    async def balance(self, document_ids: Sequence[int]) -> dict[int, int]:
        """Return ups less downs of everybody's answers that rested on these documents; those without are absent."""


def reranked(passages: Sequence[Passage], balance: Mapping[int, int]) -> list[Passage]:
    """Return the passages in the order of their scores after each has been moved by its document's balance."""
    scores = [passage.score for passage in passages]
    spread = max(scores, default=0.0) - min(scores, default=0.0)
    moved = [
        msgspec.structs.replace(passage, score=passage.score + spread * shift(balance.get(passage.document_id, 0)))
        for passage in passages
    ]
    return sorted(moved, key=lambda passage: -passage.score)


def shift(balance: int) -> float:
    """Return the share of the spread by which a score moves, between -MAX_SHIFT and MAX_SHIFT."""
    return MAX_SHIFT * math.tanh(balance / HALF_WAY)
