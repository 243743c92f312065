"""Asking, reading on, asking on, renaming and deleting, with and without script."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace

import pytest_asyncio
from litestar import Litestar

from domain.embedding import EmbeddingModel, Matrix
from domain.errors import Unavailable
from domain.people import Role, Viewer, user_principal
from domain.vault import Tools
from infra.store import Stores
from tests import factories
from tests.factories import Source
from tests.web.asking import LIBRARY, bring_in
from tests.web.browser import Browser, sign_up
from tests.web.streams import listening
from web.answer_events import with_pings
from web.app import create_app
from web.conversations import example_questions
from web.doors import Doors, WebSettings
from web.events import PING
from web.sessions import token_hash

QUESTION = "How long are nightly backups kept?"
UNANSWERED = "Who plays the xylophone?"


@pytest_asyncio.fixture
async def library(stores: Stores, tools: Tools, source: Source, admin_viewer: Viewer) -> None:
    await bring_in(stores, tools, source, admin_viewer, LIBRARY)


class AwayEmbedder:
    """A model that nobody reaches."""

    model = EmbeddingModel("away", "1", 384)

    async def embed(self, texts: Sequence[str]) -> Matrix:
        raise Unavailable("The embedding model does not answer. Try again in a minute.")


async def ask(browser: Browser, question: str, is_htmx: bool = False) -> Browser:
    """Ask in the box of the conversations page."""
    await browser.visit("/conversations")
    return await browser.submit("/conversations", question=question, is_htmx=is_htmx)


async def begin(browser: Browser, question: str) -> tuple[str, str]:
    """Ask as a browser with script does; return the conversation's address and that of its stream."""
    await ask(browser, question, is_htmx=True)
    path = browser.response.headers["HX-Redirect"]
    await browser.visit(path)
    waiting = browser.page.css_first("[sse-connect]")
    assert waiting is not None
    return path, waiting.attributes["sse-connect"] or ""


def without_tokens(markup: str) -> str:
    """Forms are sealed anew each time they are shown."""
    return re.sub(r'name="csrf_token" value="[^"]+"', "", markup)


async def test_without_script_the_answer_is_there_and_each_sentence_leads_to_its_proof(
    admin: Browser, library: None
) -> None:
    await ask(admin, QUESTION)
    assert re.fullmatch(r"/conversations/\d+", admin.path)
    answer = admin.page.css_first(".answer--given")
    assert answer is not None
    assert "Nightly backups are kept for 35 days." in answer.text()
    citation = answer.css_first("a.citation")
    assert citation is not None
    assert (citation.text(), citation.attributes["title"]) == ("1", "Nightly backups are kept for 35 days.")
    assert "“Nightly backups are kept for 35 days.”" in answer.css_first(".citations").text()  # type: ignore[union-attr]
    await admin.visit(citation.attributes["href"] or "")
    marked = " ".join(mark.text() for mark in admin.page.css("mark"))
    assert "Nightly backups are kept for 35 days." in marked


async def test_with_script_the_answer_streams_and_ends_as_a_reload_shows_it(
    admin: Browser, library: None, app: Litestar
) -> None:
    path, events_path = await begin(admin, QUESTION)
    async with listening(app, admin, events_path) as stream:
        events = await stream.rest()
    names = [name for name, _ in events]
    assert names[0] == "passages"
    assert names[-2:] == ["done", "close"]
    assert "sentence" in names
    sentence = dict(events)["sentence"]
    assert "citation" in sentence
    done = without_tokens(dict(events)["done"]).strip()
    await admin.visit(path)
    assert done in without_tokens(admin.response.text)
    assert admin.page.css_first("[sse-connect]") is None


async def test_a_stream_that_is_opened_again_ends_in_the_kept_answer(
    admin: Browser, library: None, app: Litestar
) -> None:
    _, events_path = await begin(admin, QUESTION)
    async with listening(app, admin, events_path) as stream:
        await stream.next_event()
    async with listening(app, admin, events_path) as stream:
        first = await stream.rest()
    async with listening(app, admin, events_path) as stream:
        second = await stream.rest()
    assert without_tokens(dict(first)["done"]) == without_tokens(dict(second)["done"])
    assert [name for name, _ in second] == ["done", "close"]


async def test_what_the_vault_does_not_say_is_said_so_with_what_comes_nearest(admin: Browser, library: None) -> None:
    await ask(admin, UNANSWERED)
    assert "Your vault doesn’t say." in admin.words
    nearest = admin.page.css_first(".nearest")
    assert nearest is not None
    await admin.visit(nearest.attributes["hx-get"] or "", HX_Request="true")
    assert admin.page.css("a.excerpt")
    await admin.visit(nearest.attributes["hx-get"] or "")
    assert admin.path.startswith("/search?q=Who+plays")


async def test_an_empty_vault_sends_people_to_bring_documents_in(admin: Browser) -> None:
    await admin.visit("/conversations")
    assert admin.page.css_first("main a[href='/uploads/new']") is not None
    assert admin.page.css_first("textarea") is None


async def test_asking_on_appends_to_the_conversation(admin: Browser, library: None) -> None:
    await ask(admin, QUESTION)
    path = admin.path
    await admin.submit(f"{path}/messages", question="And the monthly backups?")
    assert admin.path.startswith(path)
    assert len(admin.page.css(".exchange")) == 2
    assert "two years" in admin.words
    await admin.submit(f"{path}/messages", is_htmx=True, question="When do releases go out?")
    assert len(admin.page.css(".exchange")) == 1
    assert admin.page.css_first("[sse-connect]") is not None
    box = admin.page.css_first("#ask-on")
    assert box is not None
    assert "hx-swap-oob" in box.attributes


async def test_an_empty_question_is_refused_where_it_was_asked(admin: Browser, library: None) -> None:
    for question in ("", "  \n ", "\u200b\x07"):
        await ask(admin, question)
        assert admin.status == 422
        assert "Type your question first" in admin.words
    await ask(admin, QUESTION)
    path = admin.path
    await admin.submit(f"{path}/messages", question=" ")
    assert (admin.status, "35 days" in admin.words) == (422, True)
    await admin.submit(f"{path}/messages", question=" ", is_htmx=True)
    assert (admin.status, admin.response.headers["HX-Retarget"]) == (422, "#ask-on")


async def test_odd_questions_are_answered(admin: Browser, library: None) -> None:
    foreign = "Wie lange werden Sicherungen aufbewahrt? バックアップは?"
    for question in ("a", "the", "backups " * 1250, "<b>'; drop table messages</b>", "\u202e🦜\x00﷽", foreign):
        await ask(admin, question)
        assert admin.status == 200, question
        assert "<b>'" not in admin.response.text


async def test_a_conversation_is_renamed(admin: Browser, library: None) -> None:
    await ask(admin, QUESTION)
    path = admin.path
    await admin.visit(f"{path}/edit")
    await admin.submit(f"{path}/name", name="  Keeping   backups ")
    assert (admin.path, admin.heading) == (path, "Keeping backups")
    await admin.visit(f"{path}/edit")
    await admin.submit(f"{path}/name", name=" ")
    assert (admin.status, admin.error_at("name")) == (422, "Type a name.")
    await admin.submit(f"{path}/name", name="x" * 201)
    assert admin.status == 422


async def test_a_deleted_conversation_is_gone(admin: Browser, library: None) -> None:
    await ask(admin, QUESTION)
    path = admin.path
    await admin.submit(f"{path}/removal")
    assert (admin.path, "is deleted" in admin.words) == ("/conversations", True)
    assert (await admin.visit(path)).status == 404


async def test_a_conversation_is_nobody_elses_even_in_the_same_company(
    admin: Browser, library: None, stores: Stores, admin_viewer: Viewer, new_browser: Callable[[], Browser], email: str
) -> None:
    path, events_path = await begin(admin, QUESTION)
    colleague = await sign_up(new_browser(), f"colleague.{email}")
    async with stores.open_lobby() as lobby:
        user = await lobby.user_by_email(f"colleague.{email}")
        assert user is not None
        await lobby.add_membership(admin_viewer.tenant_id, user.id, Role.ADMIN)
        await lobby.switch_session(token_hash(colleague.client.cookies["kv_session"]), admin_viewer.tenant_id)
    for address in (path, f"{path}/edit", events_path, events_path.replace("events", "passages")):
        assert (await colleague.visit(address)).status == 404, address
    token = (await colleague.visit("/members")).csrf_token()
    for address in (f"{path}/messages", f"{path}/name", f"{path}/removal", events_path.replace("events", "answer")):
        await colleague.post(address, csrf_token=token, question="What?", name="Mine")
        assert colleague.status == 404, address


async def test_numbers_that_no_row_can_have_are_not_found(admin: Browser) -> None:
    for number in ("0", "9223372036854775807", "9223372036854775808", "9" * 40):
        for address in (f"/conversations/{number}", f"/conversations/{number}/edit", f"/messages/{number}/events"):
            assert (await admin.visit(address)).status == 404, address


async def test_an_answer_does_not_outlive_the_right_to_read_its_source(
    admin: Browser, library: None, stores: Stores, tools: Tools, source: Source, admin_viewer: Viewer
) -> None:
    await ask(admin, QUESTION)
    path = admin.path
    colleague = await factories.member(stores.engine, admin_viewer.tenant_id)
    source.principals = {"handbook.md": (user_principal(colleague.user_id),)}
    await bring_in(stores, tools, source, admin_viewer, LIBRARY)
    await admin.visit(path)
    assert "35 days" not in admin.words
    assert "no longer in the vault, or no longer shared with you" in admin.words


async def test_an_answer_does_not_outlive_its_document(
    admin: Browser, library: None, stores: Stores, tools: Tools, source: Source, admin_viewer: Viewer
) -> None:
    await ask(admin, QUESTION)
    path = admin.path
    await bring_in(stores, tools, source, admin_viewer, {"minutes.md": LIBRARY["minutes.md"]})
    assert "35 days" not in (await admin.visit(path)).words


async def test_the_list_goes_on_page_by_page_last_used_first(
    admin: Browser, stores: Stores, admin_viewer: Viewer
) -> None:
    async with stores.open_vault(admin_viewer) as vault:
        for number in range(23):
            conversation = await vault.conversations.add(f"Question {number}")
            await vault.conversations.ask(conversation.id, "What?")
    await admin.visit("/conversations")
    names = [node.text() for node in admin.page.css(".list__title")]
    assert names[0] == "Question 22"
    await admin.visit(admin.page.css_first("a[rel=next]").attributes["href"] or "")  # type: ignore[union-attr]
    names += [node.text() for node in admin.page.css(".list__title")]
    assert names == [f"Question {number}" for number in reversed(range(23))]
    for key in ("nonsense", "2026-01-01|x", "%00", "2026-01-01T00:00:00|99999999999999999999"):
        assert (await admin.visit(f"/conversations?key={key}")).status in (200, 422), key


async def test_a_long_thread_asks_the_database_no_more_than_a_short_one(
    admin: Browser, library: None, statements: list[str]
) -> None:
    counts = []
    await ask(admin, QUESTION)
    path = admin.path
    for question in ("And the monthly backups?", "When do releases go out?"):
        await admin.submit(f"{path}/messages", question=question)
        statements.clear()
        await admin.visit(path)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 8
    statements.clear()
    await admin.visit("/conversations")
    assert len(statements) <= 4


async def test_when_the_model_is_away_the_question_is_kept_and_can_be_tried_again(
    admin: Browser, library: None, tools: Tools, doors: Doors, web_settings: WebSettings
) -> None:
    broken = create_app(doors, replace(tools, embedder=AwayEmbedder()), web_settings)
    path, events_path = await begin(admin, QUESTION)
    async with listening(broken, admin, events_path) as stream:
        events = dict(await stream.rest())
    assert "does not answer" in events["done"]
    assert "Try again" in events["done"]
    assert "close" in events
    await admin.visit(path)
    await admin.submit(events_path.replace("events", "answer"), is_htmx=True)
    assert admin.page.css_first("[sse-connect]") is not None
    await admin.visit(path)
    await admin.submit(events_path.replace("events", "answer"))
    assert "35 days" in admin.words


async def test_a_silent_stream_is_kept_open_by_pings() -> None:
    is_pinged = asyncio.Event()

    async def slow() -> AsyncGenerator[bytes, None]:
        yield b"first"
        await is_pinged.wait()
        yield b"last"

    seen = []
    async for chunk in with_pings(slow(), ping_s=0.01):
        seen.append(chunk)
        if chunk == PING:
            is_pinged.set()
    assert (seen[0], seen[-1], PING in seen) == (b"first", b"last", True)


async def test_a_reader_who_goes_away_ends_the_work() -> None:
    is_ended = asyncio.Event()

    async def endless() -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield b"more"
        finally:
            is_ended.set()

    reading = with_pings(endless())
    assert await anext(reading) == b"more"
    await reading.aclose()  # type: ignore[attr-defined]
    assert is_ended.is_set()


def test_examples_are_drawn_from_titles_and_titles_that_ask_come_first() -> None:
    asked = "how long do we keep snapshots?"
    titles = ["Operations handbook", "services", f"Re: Fwd: {asked}", f"RE: {asked}"]
    assert example_questions(titles) == [asked, "What does “Operations handbook” say?"]
    assert example_questions(["", " "]) == []
