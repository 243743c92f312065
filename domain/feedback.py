"""Feedback: what people say of answers, and how far that moves the documents those answers rested on."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeVar

import msgspec

from domain.search import Candidate, Passage

Scored = TypeVar("Scored", Passage, Candidate)

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


def reranked(scored: Sequence[Scored], balance: Mapping[int, int], spread: float | None = None) -> list[Scored]:
    """Return passages or candidates in the order of their scores after each has been moved by its document's balance.

    `spread` is that of the scores people look at; without it, that of all.
    """
    scores = [each.score for each in scored]
    width = max(scores, default=0.0) - min(scores, default=0.0) if spread is None else spread
    moved = [
        msgspec.structs.replace(each, score=each.score + width * shift(balance.get(each.document_id, 0)))
        for each in scored
    ]
    return sorted(moved, key=lambda each: -each.score)


def shift(balance: int) -> float:
    """Return the share of the spread by which a score moves, between -MAX_SHIFT and MAX_SHIFT."""
    return MAX_SHIFT * math.tanh(balance / HALF_WAY)
