"""Conversations: kept, named, continued, deleted, and private to the person who asked."""

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.conversations import Answer, Citation, Message, MessageState, Sentence
from domain.errors import Invalid, NotFound
from domain.people import Viewer
from tests import factories
from tests.store.stores import conversations

ANSWER = Answer(
    sentences=(
        Sentence("We moved to Postgres in May.", (Citation(1, 2, 30, 58, "moved to Postgres", "Minutes"),), 0.8),
    ),
    is_abstained=False,
    confidence=0.7,
)
ABSTAINED = Answer((), is_abstained=True, confidence=0.1, note="The vault does not say.")


async def test_a_question_is_answered_and_both_are_kept_in_order(engine: AsyncEngine, viewer: Viewer) -> None:
    async with conversations(engine, viewer) as store:
        conversation = await store.add("  Database\0 ")
        question, pending = await store.ask(conversation.id, "Why Postgres?\0")
        answered = await store.complete(pending.id, ANSWER)
        assert await store.messages(conversation.id) == [question, answered]
        assert (question.text, pending.state, pending.answer) == ("Why Postgres?", MessageState.PENDING, None)
        assert (answered.state, answered.text, answered.answer) == (MessageState.COMPLETE, ANSWER.text, ANSWER)
        kept = await store.get(conversation.id)
        assert (kept.name, kept.n_questions) == ("Database", 1)


async def test_an_answer_is_written_once(engine: AsyncEngine, viewer: Viewer) -> None:
    async with conversations(engine, viewer) as store:
        question, pending = await store.ask((await store.add("Database")).id, "Why Postgres?")
        first = await store.complete(pending.id, ABSTAINED)
        assert await store.complete(pending.id, ANSWER) == first
        assert await store.complete(question.id, ANSWER) == question


async def test_of_two_streams_that_answer_at_once_one_wins_and_both_see_the_same(
    engine: AsyncEngine, viewer: Viewer
) -> None:
    async with conversations(engine, viewer) as store:
        _, pending = await store.ask((await store.add("Database")).id, "Why Postgres?")

    async def complete(answer: Answer) -> Message:
        async with conversations(engine, viewer) as store:
            return await store.complete(pending.id, answer)

    first, second = await asyncio.gather(complete(ANSWER), complete(ABSTAINED))
    assert first == second


async def test_conversations_are_listed_last_used_first_page_by_page(engine: AsyncEngine, viewer: Viewer) -> None:
    async with conversations(engine, viewer) as store:
        added = [await store.add(f"Thread {number}") for number in range(5)]
        await store.ask(added[1].id, "And then?")
        first, key = await store.page("", 3)
        second, end = await store.page(key, 3)
    assert [each.name for each in first + second] == [f"Thread {number}" for number in (1, 4, 3, 2, 0)]
    assert end == ""


@pytest.mark.parametrize("key", ["yesterday", "2025-01-01|", "|5", "2025-01-01T00:00|5|6", "\0", "|" + "9" * 5000])
async def test_a_key_that_was_not_given_out_is_refused_in_words(engine: AsyncEngine, viewer: Viewer, key: str) -> None:
    async with conversations(engine, viewer) as store:
        with pytest.raises(Invalid, match="first page"):
            await store.page(key, 3)


async def test_a_key_with_an_enormous_number_is_an_empty_page_at_worst(engine: AsyncEngine, viewer: Viewer) -> None:
    async with conversations(engine, viewer) as store:
        assert await store.page(f"2025-01-01T00:00:00+00:00|{10**40}", 3) == ([], "")


async def test_a_conversation_is_renamed_and_deleted_with_its_messages(engine: AsyncEngine, viewer: Viewer) -> None:
    async with conversations(engine, viewer) as store:
        conversation = await store.add("Database")
        _, pending = await store.ask(conversation.id, "Why Postgres?")
        await store.rename(conversation.id, "Storage")
        assert (await store.get(conversation.id)).name == "Storage"
        with pytest.raises(Invalid):
            await store.rename(conversation.id, "n" * 201)
        await store.remove(conversation.id)
        with pytest.raises(NotFound):
            await store.message(pending.id)
        with pytest.raises(NotFound):
            await store.messages(conversation.id)


@pytest.mark.parametrize("is_colleague", [True, False])
async def test_nobody_else_reads_or_changes_a_conversation(
    engine: AsyncEngine, viewer: Viewer, is_colleague: bool
) -> None:
    other = await factories.member(engine, viewer.tenant_id if is_colleague else None)
    async with conversations(engine, viewer) as store:
        conversation = await store.add("Salaries")
        _, pending = await store.ask(conversation.id, "What does Bert earn?")
    async with conversations(engine, other) as store:
        assert await store.page("", 10) == ([], "")
        for attempt in (
            store.get(conversation.id),
            store.rename(conversation.id, "Mine"),
            store.remove(conversation.id),
            store.messages(conversation.id),
            store.message(pending.id),
            store.ask(conversation.id, "And Zoe?"),
            store.complete(pending.id, ANSWER),
        ):
            with pytest.raises(NotFound):
                await attempt
    async with conversations(engine, viewer) as store:
        assert (await store.message(pending.id)).state is MessageState.PENDING
