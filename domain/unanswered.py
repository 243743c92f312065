"""Unanswered questions: what people asked and the vault does not say; other parts of the product read these rows."""

from datetime import datetime
from typing import Protocol

import msgspec


class UnansweredQuestion(msgspec.Struct, frozen=True):
    """A question that was refused; `question` is made standalone, `confidence` is what the refusal rested on."""

    id: int
    message_id: int
    user_id: int
    question: str
    confidence: float
    created_at: datetime


class UnansweredQuestions(Protocol):
    """The unanswered questions of one tenant. They go with the conversations in which they were asked."""

    async def keep(self, message_id: int, question: str, confidence: float) -> None:
        """Keep a question of the viewer's, once for each answer."""

    async def newest(self, before_id: int, size: int) -> list[UnansweredQuestion]:
        """Return those with an id below `before_id` (0: all), newest first; for the system, not for members' eyes."""
