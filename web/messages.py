"""One answer: streamed into its page, or written at once for browsers without script; and what lies near instead."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from domain import asking
from domain.conversations import Message, MessageRole
from domain.errors import NotFound, Unavailable
from domain.followups import searched
from domain.people import Viewer
from domain.retrieval import Hit, search
from domain.search import SearchFilter
from domain.vault import Tools, Vault
from web.answer_events import answer_chunks
from web.doors import Doors
from web.events import EventStream
from web.excerpts import show_hit
from web.limits import limit_questions
from web.narrowing import path_with
from web.rendering import page, see_other, wants_region

N_NEAREST, N_LOOKED_AT = 3, 8
"""Documents shown, and those whose authors might know."""
N_PEOPLE = 3
NO_ANSWER = "This is no answer. Go back to the conversation."


@get("/messages/{message_id:int}/events", include_in_schema=False)
async def follow(
    request: Request[Any, Any, Any], viewer: Viewer, doors: Doors, tools: Tools, message_id: FromPath[int]
) -> EventStream:
    """Stream an answer. Raises: NotFound, before anything is sent."""
    async with doors.open_vault(viewer) as vault:
        message = await read_answer_message(vault, message_id)
    return EventStream(answer_chunks(request, doors, tools, viewer, message))


@post("/messages/{message_id:int}/answer", include_in_schema=False, guards=[limit_questions])
async def answer(
    request: Request[Any, Any, Any], viewer: Viewer, doors: Doors, tools: Tools, message_id: FromPath[int]
) -> Response[Any]:
    """Try a pending answer again: HTMX gets the region that streams it, others the page with the answer."""
    async with doors.open_vault(viewer) as vault:
        message = await read_answer_message(vault, message_id)
        n_documents = await vault.documents.count()
    if wants_region(request):
        region = "conversations/_waiting.html"
        return page(region, region, message=message, n_documents=n_documents)
    await write_answer(doors, viewer, tools, message_id)
    return see_other(f"/conversations/{message.conversation_id}#answer-{message_id}")


@get("/messages/{message_id:int}/passages", include_in_schema=False)
async def nearest(
    request: Request[Any, Any, Any], vault: Vault, tools: Tools, message_id: FromPath[int]
) -> Response[Any]:
    """Show what lies nearest to a question the vault does not answer; without HTMX, the search for its words."""
    message = await read_answer_message(vault, message_id)
    thread = await vault.conversations.messages(message.conversation_id)
    *earlier, question = [each.text for each in thread if each.role is MessageRole.QUESTION and each.id < message_id]
    if not wants_region(request):
        return see_other(path_with("/search", {"q": question}))
    results = await search(vault, tools, searched(question, earlier), SearchFilter(), size=N_LOOKED_AT)
    hits = [show_hit(hit) for hit in results.hits[:N_NEAREST]]
    region = "conversations/_nearest.html"
    people = who_might_know(results.hits)
    return page(region, region, hits=hits, people=people, message=message, question=question)


def who_might_know(hits: Sequence[Hit]) -> list[tuple[str, int]]:
    """Return the authors of the nearest documents, those of most of them first, with how many each wrote."""
    return Counter(hit.author for hit in hits if hit.author).most_common(N_PEOPLE)


async def read_answer_message(vault: Vault, message_id: int) -> Message:
    """Return the message of an answer. Raises: NotFound, for questions too."""
    message = await vault.conversations.message(message_id)
    if message.role is not MessageRole.ANSWER:
        raise NotFound(NO_ANSWER)
    return message


async def write_answer(doors: Doors, viewer: Viewer, tools: Tools, message_id: int) -> None:
    """Write a pending answer to its end; when the model is away it stays pending, and its page offers to try again."""
    try:
        async for _ in asking.answer(doors.open_vault, viewer, tools, message_id):
            pass
    except Unavailable:
        return


routes = [follow, answer, nearest]
