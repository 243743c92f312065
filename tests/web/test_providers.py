"""Connecting Gmail and Slack through the pages, against an emulator that others wrote."""

from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest_asyncio

from domain.credentials import Grant
from domain.integrations import Integration
from domain.people import Viewer
from domain.vault import Tools
from infra.connectors import make_oauth
from infra.connectors.providers import open_client
from infra.secrets import StateSigner
from infra.settings import read_settings
from infra.store import Stores
from tests.connectors.peers import google_environment, slack_environment
from tests.peers.emulate import Emulators, consent
from tests.web.browser import Browser

READ_ONLY = "https://www.googleapis.com/auth/gmail.readonly"


@pytest_asyncio.fixture
async def tools(tools: Tools, emulators: Emulators) -> AsyncIterator[Tools]:
    settings = read_settings({**google_environment(emulators), **slack_environment(emulators)})
    async with open_client() as client:
        oauth = make_oauth(client, settings.providers, settings.base_url, StateSigner("a secret of the tests alone"))
        yield replace(tools, oauth=oauth)


async def begun(browser: Browser, kind: str) -> str:
    answer = await browser.client.get(f"/connect/{kind}", follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


async def integrations(stores: Stores, viewer: Viewer) -> list[Integration]:
    async with stores.open_vault(viewer) as vault:
        return await vault.integrations.all()


async def test_a_member_connects_their_own_mailbox_and_nobody_else_sees_it(
    member: Browser, member_viewer: Viewer, admin_viewer: Viewer, stores: Stores
) -> None:
    await member.visit("/integrations/new")
    assert "Connect Gmail" in member.words
    assert "Connect Slack" not in member.words
    address = await begun(member, "gmail")
    asked = parse_qs(urlsplit(address).query)
    assert asked["scope"] == [f"openid email {READ_ONLY}"]
    assert asked["access_type"] == ["offline"]
    await member.visit(await consent(address, "ana"))
    assert (member.path.startswith("/syncs/"), "This is its first sync" in member.words) == (True, True)
    [mine] = await integrations(stores, member_viewer)
    assert (mine.kind, mine.owner_id, mine.settings["account"]) == (
        "gmail",
        member_viewer.user_id,
        "ana@tidewater.example",
    )
    assert await integrations(stores, admin_viewer) == []
    async with stores.open_vault(member_viewer) as vault:
        grant = await vault.credentials.get(mine.id)
    assert (bool(grant.refresh_token), READ_ONLY in grant.scopes) == (True, True)


async def test_a_scope_that_was_left_out_connects_nothing_and_says_which(
    member: Browser, member_viewer: Viewer, stores: Stores
) -> None:
    address = (await begun(member, "gmail")).replace("+https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fgmail.readonly", "")
    assert "gmail.readonly" not in address
    await member.visit(await consent(address, "ana"))
    assert (member.status, "allowed without gmail.readonly" in member.words) == (403, True)
    assert await integrations(stores, member_viewer) == []


async def test_an_admin_connects_slack_with_a_users_token_and_the_least_scopes(
    admin: Browser, admin_viewer: Viewer, stores: Stores
) -> None:
    address = await begun(admin, "slack")
    asked = parse_qs(urlsplit(address).query)
    assert "scope" not in asked
    assert all(scope.endswith((":read", ":history", ":read.email")) for scope in asked["user_scope"][0].split(","))
    await admin.visit(await consent(address, "tom"))
    assert admin.path.startswith("/syncs/"), admin.words
    [slack] = await integrations(stores, admin_viewer)
    assert slack.name == "Slack: Tidewater, Tom Okafor"
    async with stores.open_vault(admin_viewer) as vault:
        assert (await vault.credentials.get(slack.id)).access_token.startswith("xoxp-")


async def test_a_member_may_not_connect_the_workspace(member: Browser) -> None:
    assert (await member.visit("/connect/slack")).status == 403


async def test_choosing_nothing_means_everything_where_a_provider_says_who_may_read(
    admin: Browser, admin_viewer: Viewer, stores: Stores
) -> None:
    await admin.visit(await consent(await begun(admin, "slack"), "tom"))
    [slack] = await integrations(stores, admin_viewer)
    await admin.visit(f"/integrations/{slack.id}/selection/edit")
    assert admin.heading == "Choose channels"
    assert "may read the private ones" not in admin.words
    await admin.submit(f"/integrations/{slack.id}/selection")
    assert "brings everything." in admin.words


async def test_reconnecting_keeps_the_integration_and_clears_what_was_wrong(
    admin: Browser, admin_viewer: Viewer, stores: Stores
) -> None:
    await admin.visit(await consent(await begun(admin, "slack"), "tom"))
    [slack] = await integrations(stores, admin_viewer)
    async with stores.open_vault(admin_viewer) as vault:
        await vault.credentials.save(slack.id, Grant("xoxp-ended"))
        await vault.credentials.note_problem(slack.id, "Slack no longer accepts our access.")
    await admin.visit(f"/integrations/{slack.id}")
    assert "Slack no longer accepts our access." in admin.words
    answer = await admin.client.get(f"/connect/slack?integration={slack.id}", follow_redirects=False)
    await admin.visit(await consent(answer.headers["Location"], "tom"))
    [again] = await integrations(stores, admin_viewer)
    assert (again.id, again.access_problem) == (slack.id, "")
