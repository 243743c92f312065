"""Gmail: attachments, labels, one owner, and a history that no longer reaches back."""

from collections.abc import AsyncIterator

import httpx
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.credentials import Grant
from domain.people import Role, Viewer
from domain.vault import Tools
from infra.store import Stores
from tests import factories
from tests.connectors.contract import equals, succeeded
from tests.connectors.peers import Mailbox, google_environment, mail_of
from tests.connectors.vaulted import Vaulted, connected
from tests.peers.emulate import Emulators


@pytest_asyncio.fixture
async def mailbox(emulators: Emulators) -> AsyncIterator[Mailbox]:
    headers = {"Authorization": "Bearer ya29.ana"}
    async with httpx.AsyncClient(base_url=emulators.google_url, headers=headers) as api:
        mailbox = Mailbox(api)
        await mailbox.empty()
        yield mailbox


@pytest_asyncio.fixture
async def vaulted(
    mailbox: Mailbox, stores: Stores, viewer: Viewer, tools: Tools, emulators: Emulators
) -> AsyncIterator[Vaulted]:
    environment = google_environment(emulators)
    async with connected(stores, viewer, tools, "gmail", environment, Grant("ya29.ana")) as vaulted:
        yield vaulted


async def label(mailbox: Mailbox, external_id: str, **changes: list[str]) -> None:
    path = f"/gmail/v1/users/me/messages/{external_id.partition('/')[2]}/modify"
    assert (await mailbox.api.post(path, json=changes)).is_success


async def test_a_mailbox_is_for_its_owner_alone(vaulted: Vaulted, mailbox: Mailbox, engine: AsyncEngine) -> None:
    await mailbox.add("Kelvaris wants to buy us.")
    succeeded(await vaulted.sync())
    colleague = await factories.member(engine, vaulted.viewer.tenant_id, Role.ADMIN)
    assert len(await vaulted.texts()) == 1
    assert await vaulted.texts(colleague) == {}
    async with vaulted.stores.open_vault(colleague) as vault:
        assert await vault.integrations.all() == []


async def test_attachments_come_with_their_mail_and_go_with_it(vaulted: Vaulted, mailbox: Mailbox) -> None:
    mail = mail_of("The report is attached.")
    mail.add_attachment("Quarter,Revenue\nQ3,120\n", subtype="csv", filename="revenue.csv")
    external_id = await mailbox.send(mail)
    done = succeeded(await vaulted.sync())
    texts = await vaulted.texts()
    assert set(texts) == {external_id, f"{external_id}#attachment/1-revenue.csv"}
    assert "120" in texts[f"{external_id}#attachment/1-revenue.csv"]
    assert sum("/messages/" in each for each in vaulted.asked) <= 2, vaulted.asked
    assert done.progress.indexed == 2
    async with vaulted.stores.open_vault(vaulted.viewer) as vault:
        names = {line.name for line in await vault.trails.newest(done.id, 10)}
    assert names == {"A decision.eml", "revenue.csv"}
    mailbox.expected[external_id] = ""
    await mailbox.delete(external_id)
    succeeded(await vaulted.sync())
    assert await vaulted.texts() == {}


async def test_what_is_trashed_or_spam_leaves_and_comes_back(vaulted: Vaulted, mailbox: Mailbox) -> None:
    await mailbox.add("The offer of Hexadyne.")
    [external_id] = mailbox.expected
    await mailbox.send(mail_of("Win a phone."), labels=("SPAM",))
    await mailbox.send(mail_of("Not finished."), labels=("DRAFT",))
    succeeded(await vaulted.sync())
    await equals(vaulted, mailbox)
    await label(mailbox, external_id, addLabelIds=["TRASH"])
    succeeded(await vaulted.sync())
    assert await vaulted.texts() == {}
    await label(mailbox, external_id, removeLabelIds=["TRASH"])
    succeeded(await vaulted.sync())
    await equals(vaulted, mailbox)


async def test_only_chosen_labels_are_read_and_another_choice_is_followed(vaulted: Vaulted, mailbox: Mailbox) -> None:
    await mailbox.add("To all: the office is closed.")
    sent = await mailbox.send(mail_of("I am on leave."), labels=("SENT",))
    await vaulted.configure(chosen="SENT")
    succeeded(await vaulted.sync())
    assert set(await vaulted.texts()) == {sent}
    await vaulted.configure(chosen="INBOX")
    succeeded(await vaulted.sync())
    await equals(vaulted, mailbox)


async def test_a_change_of_other_labels_asks_for_no_mail(vaulted: Vaulted, mailbox: Mailbox) -> None:
    await mailbox.add("Read me.")
    [external_id] = mailbox.expected
    succeeded(await vaulted.sync())
    await label(mailbox, external_id, addLabelIds=["STARRED"])
    succeeded(await vaulted.sync())
    assert len(vaulted.asked) == 1
