"""Apps that a vault registered at providers itself: sealed, used for consent, and taken away again."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest_asyncio
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.credentials import Grant
from domain.people import Viewer
from domain.vault import Tools
from infra.connectors import make_oauth
from infra.connectors.providers import open_client
from infra.database import tenant_transaction
from infra.secrets import StateSigner
from infra.settings import read_settings
from infra.store import Stores
from tests.web.browser import Browser


@pytest_asyncio.fixture
async def tools(tools: Tools) -> AsyncIterator[Tools]:
    """A server on which only Slack is set up."""
    environment = {"BASE_URL": "http://vault.test", "SLACK_CLIENT_ID": "of the server", "SLACK_CLIENT_SECRET": "s"}
    settings = read_settings(environment)
    async with open_client() as client:
        oauth = make_oauth(client, settings.providers, settings.base_url, StateSigner("a key"))
        yield replace(tools, oauth=oauth)


async def test_a_vault_uses_its_own_app_where_the_server_has_none(
    admin: Browser, admin_viewer: Viewer, engine: AsyncEngine
) -> None:
    assert "Connect GitHub" not in (await admin.visit("/integrations/new")).words
    await admin.visit("/settings/apps/github/edit")
    assert 'value="http://vault.test/connect/github/callback"' in admin.response.text
    await admin.submit("/settings/apps/github", client_id="Iv1.mine", client_secret="a secret of mine")
    assert "Iv1.mine" in admin.words
    assert "a secret of mine" not in (await admin.visit("/settings/apps/github/edit")).response.text
    assert "Connect GitHub" in (await admin.visit("/integrations/new")).words
    answer = await admin.client.get("/connect/github", follow_redirects=False)
    assert parse_qs(urlsplit(answer.headers["Location"]).query)["client_id"] == ["Iv1.mine"]
    async with tenant_transaction(engine, admin_viewer.tenant_id) as connection:
        [row] = await connection.execute(sa.text("select sealed from provider_apps"))
    assert b"a secret of mine" not in bytes(row.sealed)


async def test_an_own_app_goes_before_the_servers_and_taken_away_leaves_it(admin: Browser) -> None:
    async def client_id() -> list[str]:
        answer = await admin.client.get("/connect/slack", follow_redirects=False)
        return parse_qs(urlsplit(answer.headers["Location"]).query)["client_id"]

    assert await client_id() == ["of the server"]
    await admin.visit("/settings/apps/slack/edit")
    await admin.submit("/settings/apps/slack", client_id="mine", client_secret="secret")
    assert await client_id() == ["mine"]
    await admin.visit("/settings/apps")
    await admin.submit("/settings/apps/slack/removal")
    assert await client_id() == ["of the server"]


async def test_what_cannot_be_an_app_is_refused(admin: Browser) -> None:
    await admin.visit("/settings/apps/google/edit")
    await admin.submit("/settings/apps/google", client_id="", client_secret="x" * 501)
    assert admin.status == 422
    assert "Enter the client id" in admin.error_at("client_id")
    assert "copy it again" in admin.error_at("client_secret")
    assert (await admin.visit("/settings/apps/telegraph/edit")).status == 404


async def test_apps_are_for_admins(member: Browser) -> None:
    assert (await member.visit("/settings/apps")).status == 403


async def test_access_that_ends_is_announced_on_the_page_before_and_after(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools
) -> None:
    now = tools.now()
    async with stores.open_vault(admin_viewer) as vault:
        slack = await vault.integrations.add("slack", "Slack: Tidewater", {}, None)
        await vault.credentials.save(slack.id, Grant("t", "r", dies_at=now + timedelta(days=30)))
    assert "Our access" not in (await admin.visit("/integrations")).words
    async with stores.open_vault(admin_viewer) as vault:
        await vault.credentials.save(slack.id, Grant("t", "r", dies_at=now + timedelta(days=3)))
    assert "Our access ends on" in (await admin.visit("/integrations")).words
    assert admin.page.css_first(f'a[href="/connect/slack?integration={slack.id}"]') is not None
    async with stores.open_vault(admin_viewer) as vault:
        assert await vault.credentials.warn(slack.id, now)
        assert not await vault.credentials.warn(slack.id, now)
        await vault.credentials.note_problem(slack.id, "Slack no longer accepts our access.")
    assert "Slack no longer accepts our access." in (await admin.visit("/integrations")).words
