"""Connecting Notion through the pages: in two clicks by consent, or by a secret as before."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import httpx
import pytest
import pytest_asyncio

from domain.credentials import App, Secrets
from domain.documents import LibraryFilter, LibrarySort
from domain.integrations import Integration
from domain.people import Viewer, system_viewer
from domain.syncs import Sync, Trigger
from domain.vault import Tools
from infra.connectors import Connectors, make_oauth
from infra.connectors.addresses import open_outside
from infra.connectors.providers import open_client
from infra.secrets import StateSigner
from infra.settings import read_settings
from infra.store import Stores
from infra.worker import run_sync
from tests.peers.notion import SECRET, Workspace, running_notion
from tests.peers.notion_oauth import ANA, CLIENT_ID, CLIENT_SECRET, WORKSPACE_ID
from tests.web.browser import Browser


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with running_notion() as running:
        yield running


@pytest_asyncio.fixture
async def tools(tools: Tools, workspace: Workspace) -> AsyncIterator[Tools]:
    settings = read_settings(
        {
            "NOTION_CLIENT_ID": CLIENT_ID,
            "NOTION_CLIENT_SECRET": CLIENT_SECRET,
            "NOTION_URL": workspace.url,
            "BASE_URL": "http://vault.test",
        }
    )
    async with open_client() as client, open_outside(["127.0.0.1"]) as outside:
        oauth = make_oauth(client, settings.providers, settings.base_url, StateSigner("a secret of the tests alone"))
        real = Connectors(client, oauth, settings.providers, tools.now, outside=outside)
        yield replace(tools, oauth=oauth, kinds=real.kinds, connect=real.connect, trial=real.trial)


async def allowed(browser: Browser, path: str = "/connect/notion") -> str:
    """Where Notion sends the browser once a person has allowed."""
    answer = await browser.client.get(path, follow_redirects=False)
    async with httpx.AsyncClient() as outside:
        return (await outside.get(answer.headers["Location"])).headers["Location"]


async def integrations(stores: Stores, viewer: Viewer) -> list[Integration]:
    async with stores.open_vault(viewer) as vault:
        return await vault.integrations.all()


async def test_an_admin_connects_notion_in_two_clicks_and_then_says_who_may_read_it(
    admin: Browser, admin_viewer: Viewer, stores: Stores, workspace: Workspace
) -> None:
    await admin.visit("/integrations/new")
    assert ("Connect Notion" in admin.words, "Enter a secret instead" in admin.words) == (True, True)
    await admin.visit(await allowed(admin))
    assert "This is its first sync" in admin.words
    [notion] = await integrations(stores, admin_viewer)
    assert (notion.name, notion.settings["account_id"]) == ("Notion: Tidewater", f"{WORKSPACE_ID}/{ANA}")
    async with stores.open_vault(admin_viewer) as vault:
        assert (await vault.credentials.get(notion.id)).access_token == "ntn_1"
    await admin.visit(f"/integrations/{notion.id}")
    assert ("Reconnect Notion" in admin.words, "Change its access" in admin.words) == (True, False)
    await admin.visit(f"/integrations/{notion.id}/selection/edit")
    assert admin.heading == "Choose who may read it"
    await admin.submit(f"/integrations/{notion.id}/selection", is_shared="yes")
    [notion] = await integrations(stores, admin_viewer)
    assert notion.settings["is_shared"] == "yes"
    await admin.visit(await allowed(admin, f"/connect/notion?integration={notion.id}"))
    assert "accepts our access" in admin.words
    assert len(await integrations(stores, admin_viewer)) == 1


async def test_a_wrong_client_secret_a_denied_consent_and_a_used_code_each_say_what_to_do(
    admin: Browser, admin_viewer: Viewer, stores: Stores, workspace: Workspace
) -> None:
    address = await allowed(admin)
    workspace.consents.codes.clear()
    await admin.visit(address)
    assert (admin.status, "did not accept the consent any more. Begin again." in admin.words) == (403, True)
    denied = (await allowed(admin)).replace("code=", "error=access_denied&dropped=")
    await admin.visit(denied)
    assert (admin.status, "begin again and allow" in admin.words) == (403, True)
    async with stores.open_vault(admin_viewer) as vault:
        await vault.apps.save("notion", App(CLIENT_ID, "wrong"))
    await admin.visit(await allowed(admin))
    assert (admin.status, "client id, secret or address" in admin.words) == (403, True)
    assert await integrations(stores, admin_viewer) == []


async def test_one_connected_by_a_secret_keeps_its_form_and_is_disconnected_without_notion(
    admin: Browser, admin_viewer: Viewer, stores: Stores
) -> None:
    async with stores.open_vault(admin_viewer) as vault:
        entered = await vault.integrations.add("notion", "Handbook", {"readers": "everyone"}, None)
        await vault.credentials.save_secrets(entered.id, Secrets({"token": "ntn_secret"}))
    await admin.visit(f"/integrations/{entered.id}")
    assert ("Change its access" in admin.words, "Reconnect" in admin.words) == (True, False)
    assert not admin.page.css('a[href$="/selection/edit"]'), "what leads nowhere is not offered"
    assert (await admin.visit(f"/integrations/{entered.id}/selection/edit")).status == 404
    await admin.visit(f"/integrations/{entered.id}/removal/new")
    assert ("key that was entered is deleted" in admin.words, "ended at the provider" in admin.words) == (True, False)
    await admin.submit(f"/integrations/{entered.id}/removal")
    assert "“Handbook” was removed" in admin.words


async def synced(stores: Stores, viewer: Viewer, tools: Tools, integration_id: int) -> Sync:
    """A sync of the integration, at its end."""
    async with stores.open_vault(viewer) as vault:
        sync = await vault.syncs.request(integration_id, Trigger.PERSON)
    done = await run_sync(stores.open_vault, tools, system_viewer(viewer.tenant_id), sync.id)
    assert done is not None
    return done


async def held(stores: Stores, viewer: Viewer) -> dict[str, int]:
    """The documents of the vault by title, with their numbers."""
    async with stores.open_vault(viewer) as vault:
        listed = await vault.documents.page(LibraryFilter(), LibrarySort.TITLE, "", 50)
        return {each.title: each.id for each in listed.documents}


async def test_a_secret_gives_way_to_a_consent_and_back_and_nothing_is_read_again(
    admin: Browser, admin_viewer: Viewer, stores: Stores, workspace: Workspace, tools: Tools
) -> None:
    for name in ("Tides", "Harbour"):
        await workspace.write(name, f"All about {name}.")
    await admin.visit("/kinds/notion/integrations/new")
    entered = {"token": SECRET, "api_url": workspace.url, "readers": "everyone", "name": "Handbook"}
    await admin.submit("/kinds/notion/integrations", **entered)
    [notion] = await integrations(stores, admin_viewer)
    await synced(stores, admin_viewer, tools, notion.id)
    before = await held(stores, admin_viewer)
    assert sorted(before) == ["Harbour", "Tides"]

    await admin.visit(f"/integrations/{notion.id}")
    assert "Connect by consent instead" in admin.words
    await admin.visit(await allowed(admin, f"/connect/notion?integration={notion.id}"))
    assert "accepts our access to “Handbook”" in admin.words
    [switched] = await integrations(stores, admin_viewer)
    assert (switched.id, switched.settings["is_shared"]) == (notion.id, "yes")
    assert not {"readers", "api_url"} & switched.settings.keys()
    done = await synced(stores, admin_viewer, tools, notion.id)
    assert (done.progress.skipped, done.progress.indexed, done.progress.deleted) == (2, 0, 0), done.reason
    assert await held(stores, admin_viewer) == before

    await admin.visit(f"/integrations/{notion.id}")
    await admin.visit(f"/integrations/{notion.id}/access/edit")
    assert ("takes its place" in admin.words, "Left empty, it stays" in admin.words) == (True, False)
    await admin.submit(f"/integrations/{notion.id}/access", **entered | {"token": "ntn_wrong"})
    assert (admin.status, "does not accept this secret" in admin.words) == (422, True)
    assert workspace.consents.tokens, "a secret that is not accepted takes nothing away"
    await admin.submit(f"/integrations/{notion.id}/access", **entered)
    assert "is reached with what you entered; what is indexed stays." in admin.words
    assert not workspace.consents.tokens, "the consent was ended at Notion"
    [back] = await integrations(stores, admin_viewer)
    assert (back.settings["readers"], "account_id" in back.settings) == ("everyone", False)
    done = await synced(stores, admin_viewer, tools, notion.id)
    assert (done.progress.skipped, done.progress.indexed, done.progress.deleted) == (2, 0, 0), done.reason
    assert await held(stores, admin_viewer) == before


async def test_a_new_access_that_shows_nothing_of_what_is_held_takes_nothing_over(
    admin: Browser, admin_viewer: Viewer, stores: Stores, workspace: Workspace, tools: Tools
) -> None:
    await workspace.write("Tides", "All about tides.")
    async with stores.open_vault(admin_viewer) as vault:
        settings = {"readers": "everyone", "api_url": workspace.url}
        notion = await vault.integrations.add("notion", "Handbook", settings, None)
        await vault.credentials.save_secrets(notion.id, Secrets({"token": SECRET}))
    await synced(stores, admin_viewer, tools, notion.id)
    elsewhere, workspace.things = workspace.things, {}
    await admin.visit(await allowed(admin, f"/connect/notion?integration={notion.id}"))
    assert (admin.status, "shows nothing of what “Handbook” holds" in admin.words) == (409, True)
    assert not workspace.consents.tokens, "a consent that is of no use was ended"
    [kept] = await integrations(stores, admin_viewer)
    assert kept.settings == settings
    workspace.things = elsewhere
    assert (await synced(stores, admin_viewer, tools, notion.id)).progress.skipped == 1
