"""The caller's own conversations; answers are written before a call returns."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import delete, get, post
from litestar.params import JSONBody

from domain.conversations import Answer, Conversation, Message, MessageRole, MessageState, name_for
from domain.people import Viewer
from domain.retrieval import checked_question
from domain.vault import Tools, Vault
from web.answers import readable_by
from web.api.answers import Question, QuestionText
from web.api.requests import Id, Items, Key, Limit, page_of, problems
from web.doors import Doors
from web.limits import limit_questions
from web.messages import write_answer
from web.narrowing import one_line

NameText = Annotated[str, msgspec.Meta(max_length=200, examples=["Backups"])]


class NewConversation(msgspec.Struct, frozen=True):
    """A first question; without a name, the conversation is called after it."""

    question: QuestionText
    name: NameText = ""


class MessageView(msgspec.Struct, frozen=True):
    """A question or an answer. An answer without `answer` is pending: post to its conversation again, or open its page.

    Sentences that rest only on documents you may no longer read are left out.
    """

    id: int
    role: MessageRole
    state: MessageState
    text: str
    answer: Answer | None
    created_at: datetime


class Thread(msgspec.Struct, frozen=True):
    """A conversation with its messages, in order."""

    conversation: Conversation
    messages: tuple[MessageView, ...]


@get(
    "/conversations",
    tags=["Ask"],
    operation_id="listConversations",
    summary="List your conversations",
    responses=problems(),
)
async def index(vault: Vault, key: Key = "", limit: Limit = 20) -> Items[Conversation]:
    """Return your conversations, last used first."""
    return page_of(*await vault.conversations.page(one_line(key, 300), limit))


@post(
    "/conversations",
    tags=["Ask"],
    operation_id="createConversation",
    summary="Begin a conversation",
    guards=[limit_questions],
    responses=problems(),
)
async def create(doors: Doors, tools: Tools, viewer: Viewer, data: JSONBody[NewConversation]) -> Thread:
    """Ask a first question, and return the conversation with its answer."""
    question = checked_question(data.question)
    async with doors.open_vault(viewer) as vault:
        conversation = await vault.conversations.add(one_line(data.name) or name_for(question))
        _, pending = await vault.conversations.ask(conversation.id, question)
    await write_answer(doors, viewer, tools, pending.id)
    async with doors.open_vault(viewer) as vault:
        return await read_thread(vault, conversation.id)


@get(
    "/conversations/{conversation_id:int}",
    tags=["Ask"],
    operation_id="getConversation",
    summary="Read a conversation",
    responses=problems(404),
)
async def show(vault: Vault, conversation_id: Id) -> Thread:
    """Return a conversation with its questions and answers."""
    return await read_thread(vault, conversation_id)


@post(
    "/conversations/{conversation_id:int}/messages",
    tags=["Ask"],
    operation_id="createMessage",
    summary="Ask on",
    guards=[limit_questions],
    responses=problems(404),
)
async def ask_on(
    doors: Doors, tools: Tools, viewer: Viewer, conversation_id: Id, data: JSONBody[Question]
) -> MessageView:
    """Ask a further question, which may lean on those before it, and return the answer."""
    question = checked_question(data.question)
    async with doors.open_vault(viewer) as vault:
        _, pending = await vault.conversations.ask(conversation_id, question, data.as_of)
    await write_answer(doors, viewer, tools, pending.id)
    async with doors.open_vault(viewer) as vault:
        [shown] = await show_messages(vault, [await vault.conversations.message(pending.id)])
    return shown


@delete(
    "/conversations/{conversation_id:int}",
    tags=["Ask"],
    operation_id="deleteConversation",
    summary="Delete a conversation",
    responses=problems(404),
)
async def remove(vault: Vault, conversation_id: Id) -> None:
    """Delete a conversation with its questions and answers."""
    await vault.conversations.remove(conversation_id)


async def read_thread(vault: Vault, conversation_id: int) -> Thread:
    """Return a conversation as the caller may see it."""
    conversation = await vault.conversations.get(conversation_id)
    messages = await vault.conversations.messages(conversation_id)
    return Thread(conversation, tuple(await show_messages(vault, messages)))


async def show_messages(vault: Vault, messages: list[Message]) -> list[MessageView]:
    """Return messages as the caller may see them."""
    answers = await readable_by(vault, [message.answer for message in messages if message.answer is not None])
    left = iter(answers)
    return [_view(message, next(left) if message.answer is not None else None) for message in messages]


def _view(message: Message, answer: Answer | None) -> MessageView:
    text = answer.text if answer is not None else message.text
    return MessageView(message.id, message.role, message.state, text, answer, message.created_at)


routes = [index, create, show, ask_on, remove]
