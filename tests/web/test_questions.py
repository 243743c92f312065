"""Answering from a mail."""

import dataclasses
from datetime import UTC, datetime, timedelta

import httpx

from domain.found_gaps import GapFilter
from domain.notes import link_for, week_of
from domain.people import Viewer, user_principal
from domain.vault import Tools
from infra.links import LinkSigner
from infra.store import Stores
from tests import factories
from tests.web.browser import Browser
from tests.web.knowing import LOST
from web.app import create_app
from web.doors import Doors, WebSettings

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


async def test_a_signed_link_answers_its_own_question_without_a_session_and_nothing_else(
    stores: Stores,
    tools: Tools,
    viewer: Viewer,
    source: factories.Source,
    doors: Doors,
    web_settings: WebSettings,
) -> None:
    links = LinkSigner("a secret of the tests alone")
    noon_tools = dataclasses.replace(tools, now=lambda: NOON, links=links)
    other = await factories.member(stores.engine, viewer.tenant_id, name="Zoe Quill")
    source.files, source.principals = {"a.md": LOST}, {"a.md": (user_principal(viewer.user_id),)}
    await factories.studied(stores, noon_tools, viewer)
    async with stores.open_vault(viewer) as vault:
        gap_id = (await vault.gaps.page(GapFilter(), 5)).gaps[0].id
    browser = Browser(create_app(doors, noon_tools, web_settings))
    mine, foreign, old = (
        links.sign(link_for(whose, gap_id, week_of(NOON), when))
        for whose, when in ((viewer, NOON), (other, NOON), (viewer, NOON - timedelta(days=30)))
    )
    for token in (foreign, old, f"{mine}x", "nonsense"):
        await browser.visit(f"/questions/{token}")
        assert browser.status == httpx.codes.NOT_FOUND
    await browser.visit(f"/questions/{mine}")
    assert LOST in browser.words
    await browser.submit(f"/questions/{mine}/answers", text=" ")
    assert browser.status == 422
    await browser.submit(f"/questions/{mine}/answers", text="Zelda does.")
    assert browser.heading == "Thank you"
    await browser.visit(f"/gaps/{gap_id}")
    assert browser.path.startswith("/session"), "the link opened no session"
    await browser.client.aclose()
