"""Answers to single questions, without a conversation."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import post
from litestar.params import JSONBody

from domain import asking
from domain.conversations import Answer
from domain.people import Viewer
from domain.retrieval import checked_question
from domain.vault import Tools
from web.api.requests import problems
from web.doors import Doors
from web.limits import limit_questions

QuestionText = Annotated[str, msgspec.Meta(min_length=1, max_length=10_000, examples=["How long do we keep backups?"])]
Moment = Annotated[datetime, msgspec.Meta(tz=True, examples=["2026-05-31T23:59:59Z"])]


class Question(msgspec.Struct, frozen=True):
    """A question; what is over 1,000 characters is left out. `as_of` asks the vault as it stood at that moment."""

    question: QuestionText
    as_of: Moment | None = None


@post(
    "/answers",
    tags=["Ask"],
    operation_id="createAnswer",
    summary="Ask a question",
    guards=[limit_questions],
    status_code=200,
    responses=problems(503),
)
async def create(doors: Doors, tools: Tools, viewer: Viewer, data: JSONBody[Question]) -> Answer:
    """Return an answer whose sentences carry their citations; `is_abstained` when the vault does not say."""
    return await asking.ask_once(doors.open_vault, viewer, tools, checked_question(data.question), data.as_of)


routes = [create]
