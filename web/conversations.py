"""Conversations: asking, reading on, renaming and deleting; each belongs to the person who asked."""

import re
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery

from domain.conversations import Conversation, Message, MessageRole, name_for
from domain.errors import Invalid
from domain.feedback import Feedback
from domain.people import Viewer
from domain.retrieval import checked_question
from domain.vault import Tools, Vault
from web.answers import ShownAnswer, readable_answers
from web.doors import Doors
from web.forms import EMPTY, Form
from web.limits import limit_questions
from web.messages import write_answer
from web.narrowing import day_end, one_line
from web.rendering import Page, SeeOther, is_htmx, page, see_other, wants_region

PAGE_SIZE = 20
N_TITLES = 20
N_EXAMPLES = 3
MAX_NAME = 200
NO_PAST_DAY = "Choose a day that has passed, or leave the day empty."
NO_QUESTION = "Type your question first, then send it."
REPLY_PREFIX = re.compile(r"^((re|fwd?|aw|wg):\s*)+", re.IGNORECASE)


class Exchange(msgspec.Struct, frozen=True):
    """A question with its answer; `answer` is None while it is pending."""

    question: Message
    message: Message
    answer: ShownAnswer | None
    feedback: Feedback | None = None


@get("/conversations", include_in_schema=False)
async def index(vault: Vault, key: FromQuery[str] = "") -> Page:
    """Show the box to ask in, and what was asked before."""
    return await index_page(vault, EMPTY, key)


async def index_page(vault: Vault, form: Form, key: str = "", status: int = 200) -> Page:
    """Return the list of conversations under the box to ask in."""
    conversations, next_key = await vault.conversations.page(one_line(key), PAGE_SIZE)
    recent = await vault.documents.newest(N_TITLES)
    return page(
        "conversations/index.html",
        status=status,
        form=form,
        conversations=conversations,
        next_key=next_key,
        is_first_page=not key,
        has_documents=bool(recent),
        examples=example_questions([document.title for document in recent]),
    )


@post("/conversations", include_in_schema=False, guards=[limit_questions])
async def create(
    request: Request[Any, Any, Any], viewer: Viewer, doors: Doors, tools: Tools, form: Form
) -> Response[Any]:
    """Begin a conversation with its first question; a browser without script gets the answer at once."""
    try:
        question, as_of = read_question(form), read_as_of(form, tools.now())
    except Invalid as error:
        async with doors.open_vault(viewer) as vault:
            return await index_page(vault, form.refused(error), status=422)
    async with doors.open_vault(viewer) as vault:
        conversation = await vault.conversations.add(name_for(question))
        _, pending = await vault.conversations.ask(conversation.id, question, as_of)
    if not is_htmx(request):
        await write_answer(doors, viewer, tools, pending.id)
    return see_other(f"/conversations/{conversation.id}")


@get("/conversations/{conversation_id:int}", include_in_schema=False)
async def show(vault: Vault, conversation_id: FromPath[int]) -> Page:
    """Show a conversation; answers that are not written yet are streamed into their places."""
    return await show_page(vault, conversation_id, EMPTY)


async def show_page(vault: Vault, conversation_id: int, form: Form, status: int = 200) -> Page:
    """Return the page of a conversation."""
    conversation = await vault.conversations.get(conversation_id)
    exchanges = await read_exchanges(vault, conversation_id)
    is_waiting = any(exchange.answer is None for exchange in exchanges)
    return page(
        "conversations/show.html",
        status=status,
        form=form,
        conversation=conversation,
        exchanges=exchanges,
        n_documents=await vault.documents.count() if is_waiting else 0,
    )


async def read_exchanges(vault: Vault, conversation_id: int) -> list[Exchange]:
    """Return a conversation's questions with their answers, as far as the viewer may read those."""
    messages = await vault.conversations.messages(conversation_id)
    questions = [message for message in messages if message.role is MessageRole.QUESTION]
    replies = [message for message in messages if message.role is MessageRole.ANSWER]
    complete = [message for message in replies if message.answer is not None]
    shown = await readable_answers(vault, [message.answer for message in complete if message.answer is not None])
    by_message = {message.id: answer for message, answer in zip(complete, shown, strict=True)}
    given = await vault.feedback.given([message.id for message in complete])
    return [
        Exchange(question, reply, by_message.get(reply.id), given.get(reply.id))
        for question, reply in zip(questions, replies, strict=True)
    ]


@post("/conversations/{conversation_id:int}/messages", include_in_schema=False, guards=[limit_questions])
async def ask_on(
    request: Request[Any, Any, Any],
    viewer: Viewer,
    doors: Doors,
    tools: Tools,
    conversation_id: FromPath[int],
    form: Form,
) -> Response[Any]:
    """Ask on; HTMX gets the new exchange and an empty box, others the page with the answer."""
    async with doors.open_vault(viewer) as vault:
        try:
            asked, as_of = read_question(form), read_as_of(form, tools.now())
            question, pending = await vault.conversations.ask(conversation_id, asked, as_of)
        except Invalid as error:
            return await refuse_question(request, vault, conversation_id, form.refused(error))
        conversation, n_documents = await vault.conversations.get(conversation_id), await vault.documents.count()
    if not wants_region(request):
        await write_answer(doors, viewer, tools, pending.id)
        return see_other(f"/conversations/{conversation_id}#answer-{pending.id}")
    return page(
        "conversations/show.html",
        "conversations/_asked.html",
        conversation=conversation,
        exchange=Exchange(question, pending, None),
        n_documents=n_documents,
    )


async def refuse_question(request: Request[Any, Any, Any], vault: Vault, conversation_id: int, refused: Form) -> Page:
    """Return the box with what was wrong, in its page where a whole one is wanted."""
    if not wants_region(request):
        return await show_page(vault, conversation_id, refused, status=422)
    conversation = await vault.conversations.get(conversation_id)
    region = "conversations/_ask_on.html"
    shown = page(region, region, status=422, form=refused, conversation=conversation, is_out_of_band=False)
    shown.headers.update({"HX-Retarget": "#ask-on", "HX-Reswap": "outerHTML"})
    return shown


@get("/conversations/{conversation_id:int}/edit", include_in_schema=False)
async def edit(vault: Vault, conversation_id: FromPath[int]) -> Page:
    """Show the forms that rename and delete a conversation."""
    return page("conversations/edit.html", conversation=await vault.conversations.get(conversation_id))


@post("/conversations/{conversation_id:int}/name", include_in_schema=False)
async def rename(vault: Vault, conversation_id: FromPath[int], form: Form) -> Response[Any]:
    """Give a conversation another name."""
    conversation = await vault.conversations.get(conversation_id)
    try:
        name = read_name(form)
    except Invalid as error:
        return edit_again(conversation, form.refused(error))
    await vault.conversations.rename(conversation_id, name)
    return see_other(f"/conversations/{conversation_id}", "The conversation has its new name.")


def edit_again(conversation: Conversation, form: Form) -> Page:
    """Return the form with what was wrong."""
    return page("conversations/edit.html", status=422, conversation=conversation, form=form)


@post("/conversations/{conversation_id:int}/removal", include_in_schema=False)
async def remove(vault: Vault, conversation_id: FromPath[int]) -> SeeOther:
    """Delete a conversation with its questions and answers."""
    conversation = await vault.conversations.get(conversation_id)
    await vault.conversations.remove(conversation_id)
    return see_other("/conversations", f"“{conversation.name}” is deleted.")


def read_question(form: Form) -> str:
    """Return the question of a form. Raises: Invalid when there is none."""
    try:
        return checked_question(form.value("question"))
    except Invalid as error:
        raise Invalid(NO_QUESTION, {"question": NO_QUESTION}) from error


def read_as_of(form: Form, now: datetime) -> datetime | None:
    """Return the end of the day a question is about, None for today. Raises: Invalid for what is no past day."""
    written = form.value("as_of")
    if not written:
        return None
    try:
        moment = day_end(date.fromisoformat(written))
    except ValueError as error:
        raise Invalid(NO_PAST_DAY, {"as_of": NO_PAST_DAY}) from error
    if moment is None or moment > now + timedelta(days=1):
        raise Invalid(NO_PAST_DAY, {"as_of": NO_PAST_DAY})
    return moment if moment <= now else None


def read_name(form: Form) -> str:
    """Return the new name of a form. Raises: Invalid when it is empty or too long."""
    name = " ".join(form.value("name").split())
    if not one_line(name):
        raise Invalid("Please look at the marked field.", {"name": "Type a name."})
    if len(name) > MAX_NAME:
        raise Invalid("Please look at the marked field.", {"name": f"Use at most {MAX_NAME} characters."})
    return one_line(name)


def example_questions(titles: list[str]) -> list[str]:
    """Return questions to begin with, drawn from titles: a title that asks is one already."""
    subjects = list(dict.fromkeys(REPLY_PREFIX.sub("", title).strip() for title in titles))
    asking = [subject for subject in subjects if subject.endswith("?")]
    telling = [f"What does “{subject}” say?" for subject in subjects if " " in subject and not subject.endswith("?")]
    return [*asking, *telling][:N_EXAMPLES]


routes = [index, create, show, ask_on, edit, rename, remove]
