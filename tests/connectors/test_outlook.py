"""Outlook, on a stand-in of our own that is held to the shape Microsoft publishes for Graph."""

from collections.abc import AsyncIterator, Iterator
from datetime import date

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.credentials import Grant
from domain.people import Viewer
from domain.scope import Scope, scope_of
from domain.surveys import survey
from domain.vault import Tools
from infra.store import Stores
from tests import factories
from tests.connectors.contract import keeps_its_contract, succeeded
from tests.connectors.peers import mail_of
from tests.connectors.vaulted import Vaulted, connected
from tests.peers.outlook import OutlookServer, running_outlook
from tests.peers.published import complaints, published


@pytest.fixture
def outlook() -> Iterator[OutlookServer]:
    with running_outlook() as running:
        yield running


@pytest_asyncio.fixture
async def vaulted(outlook: OutlookServer, stores: Stores, viewer: Viewer, tools: Tools) -> AsyncIterator[Vaulted]:
    environment = {
        "MICROSOFT_CLIENT_ID": "id",
        "MICROSOFT_CLIENT_SECRET": "secret",
        "OUTLOOK_API_URL": outlook.url,
    }
    async with connected(stores, viewer, tools, "outlook", environment, Grant("a0")) as vaulted:
        yield vaulted


async def allow(vaulted: Vaulted) -> None:
    async with vaulted.stores.open_vault(vaulted.viewer) as vault:
        await vault.deletions.allow(vaulted.integration.id, None)


async def test_outlook_keeps_the_contract(vaulted: Vaulted, outlook: OutlookServer) -> None:
    await keeps_its_contract(vaulted, outlook, n_items=9, n_edits=10)


async def test_a_mail_that_is_moved_is_found_once_and_what_is_attached_moves_with_it(
    vaulted: Vaulted, outlook: OutlookServer, engine: AsyncEngine
) -> None:
    inbox = next(iter(outlook.folders))
    mail = mail_of("The offer is attached.")
    mail.add_attachment(b"Two thousand crates.", maintype="text", subtype="plain", filename="offer.txt")
    first = outlook.put(inbox, mail.as_bytes())
    outlook.put(outlook.folder("Drafty", inside=list(outlook.folders)[1]), mail_of("Not sent yet.").as_bytes())
    succeeded(await vaulted.sync())
    assert set(await vaulted.texts()) == {first, f"{first}#attachment/1-offer.txt"}
    colleague = await factories.member(engine, vaulted.viewer.tenant_id)
    assert await vaulted.texts(colleague) == {}
    moved = outlook.move(first, outlook.folder("Archive"))
    await allow(vaulted)
    done = succeeded(await vaulted.sync())
    assert set(await vaulted.texts()) == {moved, f"{moved}#attachment/1-offer.txt"}
    assert done.progress.n_embedded == 0


async def test_a_folder_that_is_gone_takes_its_mails_along_and_only_chosen_ones_are_read(
    vaulted: Vaulted, outlook: OutlookServer
) -> None:
    work = outlook.folder("Work")
    below = outlook.folder("2026", inside=work)
    await outlook.add("A private letter.")
    kept, gone = outlook.put(work, mail_of("A plan.").as_bytes()), outlook.put(below, mail_of("A note.").as_bytes())
    await vaulted.configure(chosen=work)
    succeeded(await vaulted.sync())
    assert set(await vaulted.texts()) == {kept, gone}
    del outlook.folders[below]
    await allow(vaulted)
    succeeded(await vaulted.sync())
    assert set(await vaulted.texts()) == {kept}


async def test_a_delta_that_is_too_old_compares_the_folder_with_the_vault_and_fetches_nothing_twice(
    vaulted: Vaulted, outlook: OutlookServer
) -> None:
    for number in range(10):
        await outlook.add(f"Letter {number}.")
    succeeded(await vaulted.sync())
    await outlook.delete(next(iter(outlook.expected)))
    outlook.is_forgetful = True
    succeeded(await vaulted.sync())
    assert set(await vaulted.texts()) == set(outlook.expected)
    assert not any("$value" in each for each in vaulted.asked)


async def test_a_mailbox_whose_access_has_ended_keeps_its_mails_and_says_so(
    vaulted: Vaulted, outlook: OutlookServer
) -> None:
    await outlook.add("A letter.")
    succeeded(await vaulted.sync())
    outlook.access_token = "another"
    assert "Reconnect" in (await vaulted.sync()).reason
    assert set(await vaulted.texts()) == set(outlook.expected)


async def test_mails_are_counted_by_folder_and_only_those_within_the_chosen_days_are_fetched(
    vaulted: Vaulted, outlook: OutlookServer
) -> None:
    work, old = outlook.folder("Work"), mail_of("The old plan.")
    del old["Date"]
    old["Date"] = "Mon, 05 Jan 2026 10:00:00 +0000"
    outlook.put(work, old.as_bytes())
    kept = outlook.put(work, mail_of("The new plan.").as_bytes())
    await outlook.add("A private letter.")
    await vaulted.configure(chosen=work, since="2026-01-06")
    async with vaulted.stores.open_vault(vaulted.viewer) as vault:
        integration = await vault.integrations.get(vaulted.integration.id)
    connector = vaulted.tools.connect(integration, vaulted.viewer, vaulted.stores.open_vault)
    for scope, n_items in ((Scope(), 2), (scope_of(integration.settings), 1), (Scope(until=date(2026, 1, 5)), 1)):
        found = await survey(connector, scope)
        assert (found.is_total, sum(each.n_items for each in found.counted)) == (True, n_items)
    succeeded(await vaulted.sync())
    assert set(await vaulted.texts()) == {kept}
    assert sum("$value" in each for each in vaulted.asked) == 1


async def test_the_stand_in_answers_in_the_shape_microsoft_publishes(outlook: OutlookServer) -> None:
    document, inbox = published("graph"), next(iter(outlook.folders))
    gone = outlook.put(inbox, mail_of("A letter.").as_bytes())
    status, first = outlook.answer(f"/v1.0/me/mailFolders/{inbox}/messages/delta", {})
    outlook.take(gone)
    _, then = outlook.answer(f"/v1.0/me/mailFolders/{inbox}/messages/delta", {"$deltatoken": "1"})
    _, folders = outlook.answer("/v1.0/me/mailFolders/delta", {})
    assert status == 200
    for said, schema in ((first, "message"), (then, "message"), (folders, "mailFolder")):
        assert isinstance(said, dict)
        assert complaints(document, "BaseDeltaFunctionResponse", {k: v for k, v in said.items() if k != "value"}) == []
        items = said["value"]
        assert isinstance(items, list) and items
        for each in items:
            shown = {name: value for name, value in each.items() if name != "@removed"}  # OData's own (4.01, 15.3)
            assert complaints(document, f"microsoft.graph.{schema}", shown) == []
