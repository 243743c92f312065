"""What the vault said on a day gone by: asked, searched, and set beside today."""

from datetime import UTC, datetime, timedelta

import pytest_asyncio
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.people import Viewer
from domain.vault import Tools
from infra.database import tenant_transaction
from infra.store import Stores
from tests.factories import Source
from tests.web.asking import HANDBOOK, LIBRARY, bring_in
from tests.web.browser import Browser
from tests.web.test_conversations import QUESTION, ask

LONG_AGO = datetime.now(UTC) - timedelta(days=30)
THAT_DAY = (LONG_AGO + timedelta(days=1)).date().isoformat()
EDITED = HANDBOOK.replace("Nightly backups are kept for 35 days.", "Nightly backups are kept for 60 days.")


@pytest_asyncio.fixture
async def edited(stores: Stores, tools: Tools, source: Source, admin_viewer: Viewer, engine: AsyncEngine) -> None:
    """A handbook that stood for a month before it was edited today; the minutes came today."""
    await bring_in(stores, tools, source, admin_viewer, {"handbook.md": HANDBOOK})
    async with tenant_transaction(engine, admin_viewer.tenant_id) as connection:
        await connection.execute(sa.text("update documents set sorted_at = :at"), {"at": LONG_AGO})
    await bring_in(stores, tools, source, admin_viewer, {**LIBRARY, "handbook.md": EDITED})


async def test_a_question_as_of_a_day_is_answered_from_the_version_of_that_day(admin: Browser, edited: None) -> None:
    await ask(admin, QUESTION)
    assert "60 days" in admin.page.css_first(".answer--given").text()  # type: ignore[union-attr]
    await admin.visit("/conversations")
    await admin.submit("/conversations", question=QUESTION, as_of=THAT_DAY)
    answer = admin.page.css_first(".answer--given")
    assert answer is not None
    assert "35 days" in answer.text()
    assert "60 days" not in answer.text()
    assert "As of" in admin.words
    assert "from an earlier version" in answer.text()
    await admin.visit(answer.css_first("a.citation").attributes["href"] or "")  # type: ignore[union-attr]
    assert "There is a newer one" in admin.words
    assert "35 days" in " ".join(mark.text() for mark in admin.page.css("mark"))


async def test_what_came_later_is_not_known_on_that_day(admin: Browser, edited: None) -> None:
    await admin.visit("/conversations")
    await admin.submit("/conversations", question="Which oil did the storage round choose?", as_of=THAT_DAY)
    assert "turbine" not in admin.words.replace("turbine oil?", "")
    await admin.visit(f"/past?q=turbine+oil&as_of={(LONG_AGO - timedelta(days=300)).date().isoformat()}")
    assert "No document that you may read stood in the vault" in admin.words


async def test_a_search_as_of_a_day_marks_what_was_superseded(admin: Browser, edited: None) -> None:
    await admin.visit(f"/past?q=nightly+backups&as_of={THAT_DAY}")
    assert "35 days" in admin.words
    assert "60 days" not in admin.words
    assert "superseded since" in admin.words
    await admin.visit("/past?q=nightly+backups")
    assert "60 days" in admin.words


async def test_days_that_are_none_or_lie_ahead_are_refused_in_words(admin: Browser) -> None:
    for day in ("yesterday", "9999-12-31", "2999-01-01"):
        await admin.visit(f"/past?q=backups&as_of={day}")
        assert admin.status == 422
        assert "Choose a day that has passed" in admin.words
    await admin.visit("/past")
    assert admin.status == 200


async def test_another_vault_has_another_past(admin: Browser, edited: None, stranger: Browser) -> None:
    await stranger.visit(f"/past?q=nightly+backups&as_of={THAT_DAY}")
    assert "35 days" not in stranger.words


async def test_what_changed_since_one_last_asked_names_edits_and_what_is_new(
    admin: Browser, stores: Stores, tools: Tools, source: Source, admin_viewer: Viewer
) -> None:
    await bring_in(stores, tools, source, admin_viewer, {"handbook.md": HANDBOOK})
    await ask(admin, QUESTION)
    conversation = admin.path
    await admin.visit(f"{conversation}/changes")
    assert "Nothing has changed" in admin.words
    notes = "# Notes on nightly backups\n\nNightly backups of the new machines are kept in Oulu.\n"
    await bring_in(stores, tools, source, admin_viewer, {"handbook.md": EDITED, "notes.md": notes})
    await admin.visit(f"{conversation}/changes")
    assert admin.page.css_first("del").text() == "Nightly backups are kept for 35 days."  # type: ignore[union-attr]
    assert admin.page.css_first("ins").text() == "Nightly backups are kept for 60 days."  # type: ignore[union-attr]
    assert "Notes on nightly backups" in admin.words


async def test_nobody_reads_the_changes_of_anothers_conversation(
    admin: Browser, edited: None, stranger: Browser
) -> None:
    await ask(admin, QUESTION)
    await stranger.visit(f"{admin.path}/changes")
    assert stranger.status == 404
