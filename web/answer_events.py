"""The stream of one answer: what was found, each sentence as it is ready, in the end the answer as a reload shows it.

Every stream begins with the region of the passages, which also holds the place of the sentences: a browser that
connects again, to this instance or another, begins with a clean page.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import structlog

from domain import asking
from domain.answers import AnswerEvent, Finished, Found, Noted, SentenceAdded
from domain.conversations import Message, Sentence
from domain.errors import VaultError
from domain.people import Viewer
from domain.vault import Tools
from web.answers import number_sources, readable_answers, show_sentence
from web.doors import Doors
from web.events import CLOSE, PING, PING_S, RETRY_MS, Event, encoded
from web.rendering import AnyRequest, render_region


async def answer_chunks(
    request: AnyRequest, doors: Doors, tools: Tools, viewer: Viewer, message: Message
) -> AsyncGenerator[bytes, None]:
    """Yield a message's answer as encoded events, and pings while nothing else comes. Opens its own transactions."""
    events = _events(request, doors, tools, viewer, message)
    async for chunk in with_pings(events):
        yield chunk


async def with_pings(chunks: AsyncGenerator[bytes, None], ping_s: float = PING_S) -> AsyncIterator[bytes]:
    """Yield the chunks, and a comment whenever none has come for `ping_s`. The chunks run in one task of their own."""
    queue: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=1)

    async def pump() -> None:
        try:
            async with aclosing(chunks):
                async for chunk in chunks:
                    await queue.put(chunk)
        finally:
            await queue.put(None)

    task = asyncio.create_task(pump())
    try:
        while True:
            try:
                async with asyncio.timeout(ping_s):
                    next_chunk = await queue.get()
            except TimeoutError:
                yield PING
                continue
            if next_chunk is None:
                await task
                return
            yield next_chunk
    finally:
        await _stop(task, queue)


async def _stop(task: asyncio.Task[None], queue: asyncio.Queue[bytes | None]) -> None:
    """End a task that may be waiting to hand over a chunk nobody will take."""
    task.cancel()
    while not task.done():
        while not queue.empty():
            queue.get_nowait()
        await asyncio.wait({task}, timeout=0.01)


async def _events(
    request: AnyRequest, doors: Doors, tools: Tools, viewer: Viewer, message: Message
) -> AsyncGenerator[bytes, None]:
    yield f"retry: {RETRY_MS}\n\n".encode()
    try:
        if message.answer is None:
            sentences: list[Sentence] = []
            async with aclosing(asking.answer(doors.open_vault, viewer, tools, message.id)) as events:
                async for event in events:
                    if shown := _shown(request, event, sentences):
                        yield encoded(shown)
        yield encoded(Event("done", await _finished(request, doors, viewer, message.id)))
    except VaultError as error:
        structlog.get_logger().warning("answer_failed", message_id=message.id, reason=error.message)
        failed = render_region(request, "conversations/_failed.html", message=message, reason=error.message)
        yield encoded(Event("done", failed))
    yield encoded(CLOSE)


def _shown(request: AnyRequest, event: AnswerEvent, sentences: list[Sentence]) -> Event | None:
    """Return what an event changes on the page; `sentences` are those shown so far, and grow."""
    match event:
        case Found(passages):
            return Event("passages", render_region(request, "conversations/_reading.html", passages=passages))
        case SentenceAdded(sentence):
            sentences.append(sentence)
            shown = show_sentence(sentence, number_sources(sentences, {}))
            return Event("sentence", render_region(request, "conversations/_sentence.html", sentence=shown))
        case Noted(note):
            return Event("note", render_region(request, "conversations/_note.html", note=note))
        case Finished():
            return None


async def _finished(request: AnyRequest, doors: Doors, viewer: Viewer, message_id: int) -> str:
    async with doors.open_vault(viewer) as vault:
        message = await vault.conversations.message(message_id)
        if message.answer is None:
            return render_region(request, "conversations/_failed.html", message=message, reason="")
        [answer] = await readable_answers(vault, [message.answer])
        given = (await vault.feedback.given([message_id])).get(message_id)
    return render_region(request, "conversations/_answer.html", message=message, answer=answer, feedback=given)
