"""The mechanics of a stream: its form, its pings, its end."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from domain.facts import AccessEnded, DocumentsChanged, Fact
from domain.people import Role, Viewer
from web.events import CLOSE, PING, Event, Renderings, answers, encoded

VIEWER = Viewer(1, 2, Role.MEMBER, "Ada", "ada@tidewater.example", "Tidewater", session_id=3)
SNAPSHOT = Event("region", "<p>now</p>")


async def snapshot() -> Sequence[Event]:
    return [SNAPSHOT]


async def echo(fact: Fact) -> Sequence[Event]:
    return [Event("fact", str(fact.integration_id))] if isinstance(fact, DocumentsChanged) else ()


async def told(*facts: Fact) -> AsyncIterator[Fact]:
    for fact in facts:
        yield fact


async def silence() -> AsyncIterator[Fact]:
    await asyncio.Event().wait()
    yield DocumentsChanged(0)


def test_markup_of_several_lines_travels_as_one_event() -> None:
    assert encoded(Event("sync-7", "<p>\n</p>")) == b"event: sync-7\ndata: <p>\ndata: </p>\n\n"


async def test_a_stream_begins_with_what_stands_now_and_goes_on_with_what_changes() -> None:
    chunks = [chunk async for chunk in answers(told(DocumentsChanged(5)), VIEWER, snapshot, echo)]
    assert chunks == [encoded(SNAPSHOT), encoded(Event("fact", "5"))]


async def test_a_silent_stream_pings_and_ends_after_its_life() -> None:
    chunks = [chunk async for chunk in answers(silence(), VIEWER, snapshot, echo, life_s=0.05, ping_s=0.01)]
    assert chunks[0] == encoded(SNAPSHOT)
    assert set(chunks[1:]) == {PING}
    assert len(chunks) >= 3


async def test_nothing_comes_after_the_closing_event() -> None:
    async def closing() -> Sequence[Event]:
        return [SNAPSHOT, CLOSE]

    chunks = [chunk async for chunk in answers(told(DocumentsChanged(5)), VIEWER, closing, echo)]
    assert chunks == [encoded(SNAPSHOT) + encoded(CLOSE)]


@pytest.mark.parametrize("ending", [AccessEnded(2), AccessEnded(2, session_id=3)])
async def test_a_removed_member_sees_nothing_more(ending: AccessEnded) -> None:
    chunks = [chunk async for chunk in answers(told(ending, DocumentsChanged(5)), VIEWER, snapshot, echo)]
    assert chunks == [encoded(SNAPSHOT)]


@pytest.mark.parametrize("ending", [AccessEnded(9), AccessEnded(2, session_id=4)])
async def test_the_end_of_somebody_elses_access_changes_nothing(ending: AccessEnded) -> None:
    chunks = [chunk async for chunk in answers(told(ending, DocumentsChanged(5)), VIEWER, snapshot, echo)]
    assert chunks[-1] == encoded(Event("fact", "5"))


def test_a_fact_is_rendered_once_for_all_who_watch_and_old_ones_are_forgotten() -> None:
    rendered: list[str] = []

    def render(name: str) -> str:
        rendered.append(name)
        return f"<p>{name}</p>"

    kept = Renderings(size=2)
    assert {kept.once("a", lambda: render("a")) for _ in range(3)} == {"<p>a</p>"}
    kept.once("b", lambda: render("b"))
    kept.once("c", lambda: render("c"))
    kept.once("a", lambda: render("a"))
    assert rendered == ["a", "b", "c", "a"]
