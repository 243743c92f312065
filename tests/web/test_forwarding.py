"""Connecting an address for forwarded mail through the pages."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest_asyncio

from domain.people import Viewer
from domain.vault import Tools
from infra.connectors import Connectors
from infra.connectors.providers import open_client
from infra.mail_addresses import SignedAddresses
from infra.store import Stores
from tests.web.browser import Browser

ADDRESSES = SignedAddresses("mail.vault.test", ["a key of the tests alone"])


@pytest_asyncio.fixture
async def tools(tools: Tools) -> AsyncIterator[Tools]:
    async with open_client() as client:
        kinds = Connectors(client, None, {}, tools.now).kinds
        yield replace(tools, kinds=kinds, mail_addresses=ADDRESSES)


async def test_an_admin_makes_an_address_and_finds_it_on_the_integrations_page(
    admin: Browser, admin_viewer: Viewer, stores: Stores
) -> None:
    await admin.visit("/integrations/new")
    assert "Connect Forwarded mail" in admin.words
    await admin.visit("/kinds/forwarding/integrations/new")
    await admin.submit("/kinds/forwarding/integrations", domains="brightwater.example", readers="everyone")
    async with stores.open_vault(admin_viewer) as vault:
        [integration] = await vault.integrations.all()
    await admin.visit(f"/integrations/{integration.id}")
    shown = admin.page.css_first("#mail-address")
    assert shown is not None
    assert shown.attributes["value"] == ADDRESSES.address_of(admin_viewer.tenant_id, integration.id)
    assert "brightwater.example" in admin.words
