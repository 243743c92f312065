"""What a person says of an answer is kept, moves the documents behind it a little, and approves golden questions."""

import pytest_asyncio
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.golden import Expects, Origin
from domain.people import Viewer
from domain.vault import Tools
from infra.database import tenant_transaction
from infra.store import Stores
from tests import factories
from tests.factories import Source
from tests.web.asking import LIBRARY, bring_in
from tests.web.browser import Browser
from tests.web.test_conversations import QUESTION, UNANSWERED, ask


@pytest_asyncio.fixture
async def library(stores: Stores, tools: Tools, source: Source, admin_viewer: Viewer) -> None:
    await bring_in(stores, tools, source, admin_viewer, LIBRARY)


def feedback_action(browser: Browser) -> str:
    form = browser.page.css_first(".feedback__form")
    assert form is not None
    return form.attributes["action"] or ""


async def test_a_verdict_with_its_reason_is_kept_and_shown_again(
    admin: Browser, library: None, stores: Stores, admin_viewer: Viewer
) -> None:
    await ask(admin, QUESTION)
    conversation = admin.path
    await admin.submit(feedback_action(admin), verdict="down", reason="It is 40 days by now")
    assert "You said: not right, “It is 40 days by now”" in admin.words
    await admin.visit(conversation)
    await admin.submit(feedback_action(admin), verdict="up", reason="")
    assert "You said: right." in admin.words
    async with stores.open_vault(admin_viewer) as vault:
        [document] = [each for each in await factories.library(vault) if "handbook" in each.external_id]
        assert await vault.feedback.balance([document.id]) == {document.id: 1}


async def test_with_script_the_region_alone_comes_back(admin: Browser, library: None) -> None:
    await ask(admin, QUESTION)
    await admin.submit(feedback_action(admin), is_htmx=True, verdict="up", reason="")
    assert "<html" not in admin.response.text
    assert "You said: right" in admin.response.text


async def test_an_approved_answer_becomes_a_golden_question_with_its_document(
    admin: Browser, library: None, stores: Stores, admin_viewer: Viewer
) -> None:
    await ask(admin, QUESTION)
    await admin.submit(feedback_action(admin), verdict="up", reason="")
    await ask(admin, UNANSWERED)
    await admin.submit(feedback_action(admin), verdict="up", reason="")
    async with stores.open_vault(admin_viewer) as vault:
        questions = {each.question: each for each in await vault.golden.questions()}
        [evidence] = await vault.golden.evidence()
    assert questions[QUESTION].origin is Origin.APPROVED
    assert questions[UNANSWERED].expects is Expects.REFUSAL
    assert evidence.quote == "Nightly backups are kept for 35 days."


async def test_nobody_else_may_judge_an_answer_and_half_a_form_is_refused(
    admin: Browser, library: None, stranger: Browser
) -> None:
    await ask(admin, QUESTION)
    action = feedback_action(admin)
    await admin.post(action, csrf_token=admin.csrf_token(), verdict="maybe")
    assert admin.status == 422
    await stranger.visit("/conversations")
    await stranger.post(action, csrf_token=stranger.csrf_token(), verdict="up")
    assert stranger.status == 404


async def test_a_refused_question_is_kept_as_unanswered_once(
    admin: Browser, library: None, stores: Stores, admin_viewer: Viewer
) -> None:
    await ask(admin, UNANSWERED)
    await admin.visit(admin.path)
    await ask(admin, QUESTION)
    async with stores.open_vault(admin_viewer) as vault:
        [kept] = await vault.unanswered.newest(0, 10)
    assert (kept.question, kept.user_id) == (UNANSWERED, admin_viewer.user_id)
    assert kept.confidence < 0.5


async def test_feedback_goes_with_the_document_and_with_the_conversation(
    admin: Browser, library: None, stores: Stores, admin_viewer: Viewer, engine: AsyncEngine
) -> None:
    await ask(admin, QUESTION)
    await admin.submit(feedback_action(admin), verdict="up", reason="")
    async with stores.open_vault(admin_viewer) as vault:
        await vault.documents.delete([each.document_id for each in await vault.golden.evidence()])
        assert await vault.golden.evidence() == []
        [conversation], _ = await vault.conversations.page("", 5)
        await vault.conversations.remove(conversation.id)
    async with tenant_transaction(engine, admin_viewer.tenant_id) as connection:
        for table in ("answer_feedback", "feedback_documents"):
            assert (await connection.execute(sa.text(f"select count(*) from {table}"))).scalar_one() == 0
