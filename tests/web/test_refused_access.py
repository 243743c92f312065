"""Access that is refused, in every way providers know: the integrations page says so, and what to do next."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest_asyncio

from domain.credentials import App, Grant
from domain.integrations import Integration
from domain.people import Viewer, system_viewer
from domain.syncs import SyncState, Trigger
from domain.vault import Tools
from infra.connectors import Connectors, make_oauth
from infra.connectors.providers import open_client
from infra.secrets import StateSigner
from infra.settings import read_settings
from infra.store import Stores
from infra.worker import run_sync
from tests.connectors.peers import google_environment, slack_environment
from tests.peers.emulate import CLIENT_ID, Emulators, consent
from tests.web.browser import Browser


@pytest_asyncio.fixture
async def tools(tools: Tools, emulators: Emulators) -> AsyncIterator[Tools]:
    settings = read_settings({**google_environment(emulators), **slack_environment(emulators)})
    async with open_client() as client:
        oauth = make_oauth(client, settings.providers, settings.base_url, StateSigner("a secret of the tests alone"))
        connectors = Connectors(client, oauth, settings.providers, tools.now)
        yield replace(tools, oauth=oauth, kinds=connectors.kinds, connect=connectors.connect)


@dataclass
class Office:
    """An admin with their browser, and what they do again and again."""

    browser: Browser
    viewer: Viewer
    stores: Stores
    tools: Tools

    async def begin(self, path: str) -> str:
        """Where the browser is sent for consent."""
        return (await self.browser.client.get(path, follow_redirects=False)).headers["Location"]

    async def connect(self, kind: str) -> Integration:
        await self.browser.visit(await consent(await self.begin(f"/connect/{kind}"), "ana"))
        async with self.stores.open_vault(self.viewer) as vault:
            return next(each for each in await vault.integrations.all() if each.kind == kind)

    async def give(self, integration: Integration, grant: Grant) -> None:
        async with self.stores.open_vault(self.viewer) as vault:
            await vault.credentials.save(integration.id, grant)

    async def sync(self, integration: Integration) -> SyncState:
        async with self.stores.open_vault(self.viewer) as vault:
            sync = await vault.syncs.request(integration.id, Trigger.PERSON)
        done = await run_sync(self.stores.open_vault, self.tools, system_viewer(self.viewer.tenant_id), sync.id)
        assert done is not None
        return done.state

    async def page(self) -> str:
        """What the integrations page says."""
        return (await self.browser.visit("/integrations")).words

    def leads_to(self, address: str) -> bool:
        """Whether the page shown has such a link."""
        return self.browser.page.css_first(f'a[href="{address}"]') is not None


@pytest_asyncio.fixture
async def office(admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools) -> Office:
    return Office(admin, admin_viewer, stores, tools)


async def test_a_denied_consent_is_told_on_the_integrations_page_and_what_was_connected_stays_so(
    office: Office,
) -> None:
    state = parse_qs(urlsplit(await office.begin("/connect/gmail")).query)["state"][0]
    await office.browser.visit(f"/connect/gmail/callback?error=access_denied&state={state}")
    words = await office.page()
    assert "Gmail is not connected. Gmail was told not to allow this" in words
    assert ("begin again and allow" in words, office.leads_to("/integrations/new")) == (True, True)
    assert "not connected." not in await office.page(), "it is said once"
    slack = await office.connect("slack")
    state = parse_qs(urlsplit(await office.begin(f"/connect/slack?integration={slack.id}")).query)["state"][0]
    await office.browser.visit(f"/connect/slack/callback?error=access_denied&state={state}")
    assert "Slack is not connected. Slack was told not to allow this" in await office.page()
    async with office.stores.open_vault(office.viewer) as vault:
        assert (await vault.integrations.get(slack.id)).access_problem == ""


async def test_a_wrong_client_secret_is_told_at_the_consent_and_when_a_token_is_renewed(
    office: Office, emulators: Emulators
) -> None:
    gmail = await office.connect("gmail")
    async with office.stores.open_vault(office.viewer) as vault:
        held = await vault.credentials.get(gmail.id)
        await vault.credentials.save(gmail.id, replace_expiry(held, office))
        await vault.apps.save("google", App(CLIENT_ID, "wrong"))
    assert await office.sync(gmail) is SyncState.FAILED
    words = await office.page()
    assert "does not accept this server's client id, secret or address. Ask the operator" in words
    await office.browser.visit(await consent(await office.begin("/connect/drive"), "ana"))
    assert "Google Drive is not connected. Google Drive does not accept this server's client id" in await office.page()
    async with office.stores.open_vault(office.viewer) as vault:
        await vault.apps.remove("google")
    assert await office.sync(gmail) is SyncState.SUCCEEDED
    assert "does not accept" not in await office.page()


def replace_expiry(grant: Grant, office: Office) -> Grant:
    """The same grant, its access token at its end."""
    ended_at = office.tools.now() - timedelta(minutes=1)
    return Grant(grant.access_token, grant.refresh_token, grant.scopes, ended_at, holder=grant.holder)


async def test_a_revoked_grant_asks_to_reconnect_and_reconnecting_mends_it(
    office: Office, emulators: Emulators
) -> None:
    gmail = await office.connect("gmail")
    async with office.stores.open_vault(office.viewer) as vault:
        grant = await vault.credentials.get(gmail.id)
    async with httpx.AsyncClient() as ana:
        for token in (grant.access_token, grant.refresh_token):
            await ana.post(f"{emulators.google_url}/oauth2/revoke", data={"token": token})
    assert await office.sync(gmail) is SyncState.FAILED
    words = await office.page()
    assert "no longer accepts our access. Reconnect it" in words
    assert ("what is indexed stays" in words, office.leads_to(f"/connect/gmail?integration={gmail.id}")) == (True, True)
    await office.browser.visit(await consent(await office.begin(f"/connect/gmail?integration={gmail.id}"), "ana"))
    assert (office.browser.status, "Gmail accepts our access" in office.browser.words) == (200, True)
    assert await office.sync(gmail) is SyncState.SUCCEEDED
    assert "no longer accepts" not in await office.page()


async def test_a_scope_that_is_missing_is_named_at_the_consent_and_when_a_sync_needs_it(office: Office) -> None:
    address = (await office.begin("/connect/gmail")).replace(
        "+https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fgmail.readonly", ""
    )
    await office.browser.visit(await consent(address, "ana"))
    words = await office.page()
    assert "Gmail was allowed without gmail.readonly, so nothing was connected. Begin again" in words
    slack = await office.connect("slack")
    await office.give(slack, Grant("xoxp-narrow"))
    assert await office.sync(slack) is SyncState.FAILED
    words = await office.page()
    assert "Slack was allowed without" in words
    assert ("leave everything ticked" in words, office.leads_to(f"/connect/slack?integration={slack.id}")) == (
        True,
        True,
    )
