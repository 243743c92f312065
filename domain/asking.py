"""Ask a vault: find passages in one short transaction, write the answer outside of any, keep it in another."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from domain.answers import AnswerEvent, Finished, Found, Noted, SentenceAdded, compose
from domain.conversations import Answer, MessageRole, MessageState
from domain.errors import Unavailable
from domain.followups import standalone
from domain.people import Viewer
from domain.retrieval import checked_question, find_passages
from domain.search import Passage, SearchFilter
from domain.vault import OpenVault, Tools

N_PASSAGES = 8
"""Passages an answer may rest on."""


async def answer(
    open_vault: OpenVault, viewer: Viewer, tools: Tools, message_id: int
) -> AsyncGenerator[AnswerEvent, None]:
    """Yield the events of an answer: those of a kept one at once, those of a pending one as they are found.

    May run for the same message in several places at once: the first to finish is kept, and each ends with what was
    kept. Closing it early loses nothing; the answer is made anew when it is asked for again.
    Raises: NotFound; Unavailable when the embedding model is away.
    """
    async with open_vault(viewer) as vault:
        message = await vault.conversations.message(message_id)
        thread = await vault.conversations.messages(message.conversation_id)
    if message.state is MessageState.COMPLETE and message.answer is not None:
        for event in _replayed(message.answer):
            yield event
        return
    questions = [each.text for each in thread if each.role is MessageRole.QUESTION and each.id < message.id]
    async with aclosing(_composed(open_vault, viewer, tools, questions[-1], questions[:-1])) as events:
        async for event in events:
            if isinstance(event, Finished):
                async with open_vault(viewer) as vault:
                    kept = await vault.conversations.complete(message_id, event.answer)
                yield Finished(kept.answer or event.answer)
            else:
                yield event


async def ask_once(open_vault: OpenVault, viewer: Viewer, tools: Tools, question: str) -> Answer:
    """Return the answer to one question, without keeping a conversation. Raises: Invalid for an empty question."""
    async with aclosing(_composed(open_vault, viewer, tools, checked_question(question), ())) as events:
        async for event in events:
            if isinstance(event, Finished):
                return event.answer
    raise Unavailable("The answer broke off. Ask again.")


async def _composed(
    open_vault: OpenVault, viewer: Viewer, tools: Tools, question: str, earlier: Sequence[str]
) -> AsyncGenerator[AnswerEvent, None]:
    passages = await _found(open_vault, viewer, tools, standalone(question, earlier))
    composed = compose(
        question,
        earlier,
        passages,
        embedder=tools.embedder,
        analyzer=tools.analyzer,
        language_model=tools.language_model,
    )
    async with aclosing(composed) as events:
        async for event in events:
            yield event


async def _found(open_vault: OpenVault, viewer: Viewer, tools: Tools, question: str) -> list[Passage]:
    async with open_vault(viewer) as vault:
        return await find_passages(vault, tools, question, SearchFilter(), N_PASSAGES)


def _replayed(kept: Answer) -> list[AnswerEvent]:
    """Return the events of an answer that stands already; its passages are in its citations."""
    notes: list[AnswerEvent] = [Noted(kept.note)] if kept.note else []
    return [Found(()), *(SentenceAdded(sentence) for sentence in kept.sentences), *notes, Finished(kept)]
