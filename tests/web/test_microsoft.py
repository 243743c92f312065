"""Connecting a Microsoft account through the pages, against an emulator of its sign-in that others wrote."""

from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio

from domain.errors import Forbidden
from domain.people import Viewer
from domain.vault import Tools
from infra.connectors import make_oauth
from infra.connectors.microsoft_consent import Person, vouched_address
from infra.connectors.providers import open_client
from infra.secrets import StateSigner
from infra.settings import read_settings
from infra.store import Stores
from tests.connectors.peers import microsoft_environment
from tests.peers.emulate import Emulators, consent
from tests.web.browser import Browser

WORK_ID = "11111111-2222-3333-4444-555555555555"


@pytest_asyncio.fixture
async def tools(tools: Tools, emulators: Emulators) -> AsyncIterator[Tools]:
    settings = read_settings(microsoft_environment(emulators))
    async with open_client() as client:
        oauth = make_oauth(client, settings.providers, settings.base_url, StateSigner("a secret of the tests alone"))
        yield replace(tools, oauth=oauth)


async def test_a_member_connects_outlook_read_only_and_its_refresh_token_is_good_once(
    member: Browser, member_viewer: Viewer, tools: Tools, stores: Stores
) -> None:
    await member.visit("/integrations/new")
    assert ("Connect Outlook" in member.words, "Connect OneDrive" in member.words) == (True, True)
    assert "Unproven" in member.words
    answer = await member.client.get("/connect/outlook", follow_redirects=False)
    address = answer.headers["Location"]
    assert parse_qs(urlsplit(address).query)["scope"] == ["openid offline_access User.Read Mail.Read"]
    await member.visit(await consent(address, "ana"))
    assert "This is its first sync" in member.words
    async with stores.open_vault(member_viewer) as vault:
        [mine] = await vault.integrations.all()
        grant = await vault.credentials.get(mine.id)
    assert (mine.owner_id, mine.settings["account"]) == (member_viewer.user_id, "ana@tidewater.example")
    assert tools.oauth is not None
    provider = tools.oauth.providers["outlook"]
    renewed = await provider.renew(grant)
    assert renewed.refresh_token not in ("", grant.refresh_token)
    with pytest.raises(Forbidden, match="Reconnect"):
        await provider.renew(grant)


async def test_microsoft_vouches_for_names_in_proven_domains_and_for_nothing_else() -> None:
    def vouched(name: str, number: str = WORK_ID) -> str:
        return vouched_address(Person(number, mail="chief@tidewater.example", user_principal_name=name))

    assert vouched("ana@tidewater.example") == "ana@tidewater.example"
    assert vouched("ana_tidewater.example#EXT#@other.onmicrosoft.com") == ""
    assert vouched("ana@outlook.com", "0a1b2c3d4e5f6071") == "ana@outlook.com"
    assert vouched("ana@tidewater.example", "0a1b2c3d4e5f6071") == ""
