"""Ask a vault: find passages in one short transaction, write the answer outside of any, keep it in another."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime

from domain.answers import AnswerEvent, Finished, Found, Noted, SentenceAdded, compose
from domain.conversations import Answer, Message, MessageRole, MessageState
from domain.embedding import Matrix
from domain.errors import Unavailable
from domain.feedback import reranked
from domain.followups import searched, standalone
from domain.looking_back import look_back, ranked
from domain.people import Viewer
from domain.retrieval import checked_question, find_passages
from domain.search import Passage, SearchFilter
from domain.vault import OpenVault, Tools

N_PASSAGES = 8
"""Passages an answer may rest on."""
N_SPARE = 4
"""Passages behind those, which good words of people may lift among them."""


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
    composed = _composed(open_vault, viewer, tools, questions[-1], questions[:-1], message.as_of)
    async with aclosing(composed) as events:
        async for event in events:
            if isinstance(event, Finished):
                yield await _kept(open_vault, viewer, message, standalone(questions[-1], questions[:-1]), event.answer)
            else:
                yield event


async def _kept(open_vault: OpenVault, viewer: Viewer, message: Message, question: str, made: Answer) -> Finished:
    """Write the answer down, unless another stream was first; what is refused today is kept as unanswered."""
    async with open_vault(viewer) as vault:
        kept = (await vault.conversations.complete(message.id, made)).answer or made
        if kept.is_abstained and message.as_of is None:
            await vault.unanswered.keep(message.id, question, kept.confidence)
    return Finished(kept)


async def ask_once(
    open_vault: OpenVault, viewer: Viewer, tools: Tools, question: str, as_of: datetime | None = None
) -> Answer:
    """Return the answer to one question, without keeping a conversation. Raises: Invalid for an empty question."""
    async with aclosing(_composed(open_vault, viewer, tools, checked_question(question), (), as_of)) as events:
        async for event in events:
            if isinstance(event, Finished):
                return event.answer
    raise Unavailable("The answer broke off. Ask again.")


async def _composed(
    open_vault: OpenVault,
    viewer: Viewer,
    tools: Tools,
    question: str,
    earlier: Sequence[str],
    as_of: datetime | None = None,
) -> AsyncGenerator[AnswerEvent, None]:
    passages, vectors, model = await _found(open_vault, viewer, tools, searched(question, earlier), as_of)
    composed = compose(
        question,
        earlier,
        passages,
        embedder=tools.speaking(model).embedder,
        analyzer=tools.analyzer,
        language_model=tools.language_model,
        vectors=vectors,
    )
    async with aclosing(composed) as events:
        async for event in events:
            yield event


async def _found(
    open_vault: OpenVault, viewer: Viewer, tools: Tools, question: str, as_of: datetime | None
) -> tuple[list[Passage], Matrix | None, str]:
    """Return the passages, best first, their vectors, which are stored for today's texts only, and their model."""
    async with open_vault(viewer) as vault:
        model = await vault.passages.model()
        if as_of is None:
            passages = await find_passages(vault, tools, question, SearchFilter(), N_PASSAGES + N_SPARE)
            balance = await vault.feedback.balance([passage.document_id for passage in passages])
            best = reranked(passages, balance)[:N_PASSAGES]
            held = await vault.passages.vectors([passage.chunk_id for passage in best]) if best else None
            return best, held, model
        past = await look_back(vault, tools, question, as_of, N_PASSAGES)
    return await ranked(past, tools.embedder, tools.analyzer, N_PASSAGES), None, model


def _replayed(kept: Answer) -> list[AnswerEvent]:
    """Return the events of an answer that stands already; its passages are in its citations."""
    notes: list[AnswerEvent] = [Noted(kept.note)] if kept.note else []
    return [Found(()), *(SentenceAdded(sentence) for sentence in kept.sentences), *notes, Finished(kept)]
