"""Mailboxes whose hosts take no passwords: consent on the pages, then XOAUTH2 at Dovecot, which asks the provider."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import pytest_asyncio

from domain.credentials import Grant
from domain.integrations import Integration
from domain.people import Viewer, system_viewer
from domain.syncs import Sync, SyncState, Trigger
from domain.vault import Tools
from infra.connectors import Connectors, make_oauth
from infra.connectors.addresses import open_outside
from infra.connectors.imap_consent import door_at
from infra.connectors.providers import open_client
from infra.registrations import WrongSetting
from infra.secrets import StateSigner
from infra.settings import read_settings
from infra.store import Stores
from infra.worker import run_sync
from tests.connectors.peers import google_environment, microsoft_environment
from tests.peers.dovecot import PASSWORD, MailServer, mail, running_dovecot
from tests.peers.emulate import Emulators, consent
from tests.peers.introspection import introspecting
from tests.web.browser import Browser

ANA = "ana@tidewater.example"


@dataclass(frozen=True)
class Servers:
    """The mail servers of both providers."""

    google: MailServer
    microsoft: MailServer


@pytest.fixture(scope="module")
def mail_servers(emulators: Emulators) -> Iterator[Servers]:
    with (
        tempfile.TemporaryDirectory(prefix="mail-") as one,
        tempfile.TemporaryDirectory(prefix="mail-") as other,
        introspecting(f"{emulators.google_url}/oauth2/v2/userinfo") as google_judge,
        introspecting(f"{emulators.microsoft_url}/oidc/userinfo") as microsoft_judge,
        running_dovecot(Path(one), judge_url=google_judge) as google,
        running_dovecot(Path(other), judge_url=microsoft_judge) as microsoft,
    ):
        yield Servers(google, microsoft)


@pytest_asyncio.fixture
async def tools(tools: Tools, emulators: Emulators, mail_servers: Servers) -> AsyncIterator[Tools]:
    settings = read_settings(
        {
            **google_environment(emulators),
            **microsoft_environment(emulators),
            "GMAIL_IMAP_API_URL": f"imap://127.0.0.1:{mail_servers.google.port}",
            "MICROSOFT_IMAP_API_URL": f"imap://127.0.0.1:{mail_servers.microsoft.port}",
        }
    )
    async with open_client() as client, open_outside(["127.0.0.1"]) as outside:
        oauth = make_oauth(client, settings.providers, settings.base_url, StateSigner("a secret of the tests alone"))
        real = Connectors(client, oauth, settings.providers, tools.now, outside=outside)
        yield replace(tools, oauth=oauth, kinds=real.kinds, connect=real.connect, trial=real.trial)


async def connected(member: Browser, viewer: Viewer, stores: Stores, kind: str, scope: str) -> Integration:
    """Connect Ana's mailbox on the pages, and return the integration."""
    answer = await member.client.get(f"/connect/{kind}", follow_redirects=False)
    address = answer.headers["Location"]
    assert parse_qs(urlsplit(address).query)["scope"][0].split()[-1] == scope
    await member.visit(await consent(address, "ana"))
    assert "This is its first sync" in member.words, member.words
    async with stores.open_vault(viewer) as vault:
        [mine] = await vault.integrations.all()
    assert (mine.kind, mine.owner_id, mine.settings["account"]) == (kind, viewer.user_id, ANA)
    return mine


async def synced(stores: Stores, tools: Tools, viewer: Viewer, mine: Integration) -> Sync:
    async with stores.open_vault(viewer) as vault:
        sync = await vault.syncs.request(mine.id, Trigger.PERSON)
    done = await run_sync(stores.open_vault, tools, system_viewer(viewer.tenant_id), sync.id)
    assert done is not None
    return done


async def grant_of(stores: Stores, viewer: Viewer, mine: Integration) -> Grant:
    async with stores.open_vault(viewer) as vault:
        return await vault.credentials.get(mine.id)


async def test_a_mailbox_at_google_is_read_by_xoauth2_its_token_renewed_and_a_revoked_one_asks_to_reconnect(
    member: Browser, member_viewer: Viewer, stores: Stores, tools: Tools, mail_servers: Servers, emulators: Emulators
) -> None:
    await member.visit("/integrations/new")
    assert "Google has no read-only permission for IMAP" in member.words
    mine = await connected(member, member_viewer, stores, "gmail_imap", "https://mail.google.com/")
    with mail_servers.google.open(ANA) as session:
        session.append("INBOX", mail("Pump", "The impeller turns left."))
        session.append("Trash", mail("Old", "From the trash."))
    first = await synced(stores, tools, member_viewer, mine)
    assert (first.state, first.progress.indexed, first.reason) == (SyncState.SUCCEEDED, 1, "")
    before = await grant_of(stores, member_viewer, mine)
    await revoke(emulators, before.access_token)
    with mail_servers.google.open(ANA) as session:
        session.append("INBOX", mail("Valve", "The valve opens right."))
    second = await synced(stores, tools, member_viewer, mine)
    renewed = await grant_of(stores, member_viewer, mine)
    assert (second.state, second.progress.indexed, second.reason) == (SyncState.SUCCEEDED, 1, "")
    assert renewed.access_token != before.access_token
    await revoke(emulators, renewed.access_token)
    await revoke(emulators, renewed.refresh_token)
    third = await synced(stores, tools, member_viewer, mine)
    assert third.state is SyncState.FAILED
    await member.visit("/integrations")
    assert "no longer accepts our access. Reconnect it" in member.words
    assert f"/connect/gmail_imap?integration={mine.id}" in (member.page.html or "")
    answer = await member.client.get(f"/connect/gmail_imap?integration={mine.id}", follow_redirects=False)
    await member.visit(await consent(answer.headers["Location"], "ana"))
    assert (await synced(stores, tools, member_viewer, mine)).state is SyncState.SUCCEEDED
    assert "no longer accepts" not in (await member.visit("/integrations")).words


async def test_a_mailbox_at_microsoft_is_named_by_its_id_token_and_only_chosen_folders_are_read(
    member: Browser, member_viewer: Viewer, stores: Stores, tools: Tools, mail_servers: Servers
) -> None:
    scope = "https://outlook.office.com/IMAP.AccessAsUser.All"
    mine = await connected(member, member_viewer, stores, "microsoft_imap", scope)
    with mail_servers.microsoft.open(ANA) as session:
        session.create_folder("Projects 2026")
        session.append("Projects 2026", mail("Plan", "We ship in May."))
        session.append("INBOX", mail("Hello", "From the inbox."))
    assert tools.oauth is not None
    choices = await tools.oauth.providers["microsoft_imap"].choices(await grant_of(stores, member_viewer, mine))
    assert [choice.name for choice in choices] == ["Inbox", "Projects 2026"]
    await member.visit(f"/integrations/{mine.id}/selection/edit")
    await member.submit(f"/integrations/{mine.id}/selection", chosen="Projects 2026")
    done = await synced(stores, tools, member_viewer, mine)
    assert (done.state, done.progress.indexed) == (SyncState.SUCCEEDED, 1)


async def test_a_mailbox_goes_from_a_password_to_a_consent_and_back_without_reading_a_mail_again(
    member: Browser, member_viewer: Viewer, stores: Stores, tools: Tools, mail_servers: Servers
) -> None:
    with mail_servers.google.open(ANA) as session:
        for name, text in (("INBOX", "The impeller turns left."), ("Letters", "Dear Ana.")):
            if not session.folder_exists(name):
                session.create_folder(name)
            session.append(name, mail("Note", text))
    await member.visit("/kinds/imap/integrations/new")
    door = {"host": "127.0.0.1", "port": f"{mail_servers.google.port}", "security": "none", "user": ANA}
    entered = door | {"password": PASSWORD, "folders": "Letters", "readers": "owner", "name": "Letters"}
    await member.submit("/kinds/imap/integrations", **entered)
    async with stores.open_vault(member_viewer) as vault:
        [mine] = await vault.integrations.all()
    assert (await synced(stores, tools, member_viewer, mine)).progress.indexed == 1
    await member.visit(f"/integrations/{mine.id}")
    assert f"/connect/gmail_imap?integration={mine.id}" in (member.page.html or "")
    answer = await member.client.get(f"/connect/gmail_imap?integration={mine.id}", follow_redirects=False)
    await member.visit(await consent(answer.headers["Location"], "ana"))
    done = await synced(stores, tools, member_viewer, mine)
    assert (done.state, done.progress.indexed, done.progress.deleted) == (SyncState.SUCCEEDED, 0, 0)
    async with stores.open_vault(member_viewer) as vault:
        switched = await vault.integrations.get(mine.id)
    assert (switched.kind, switched.settings["chosen"], switched.n_documents) == ("gmail_imap", "Letters", 1)

    assert "Enter a password instead" in (await member.visit(f"/integrations/{mine.id}")).words
    await member.visit(f"/integrations/{mine.id}/access/edit")
    await member.submit(f"/integrations/{mine.id}/access", **entered)
    assert "is reached with what you entered" in member.words
    done = await synced(stores, tools, member_viewer, mine)
    assert (done.state, done.progress.indexed, done.progress.deleted) == (SyncState.SUCCEEDED, 0, 0)
    async with stores.open_vault(member_viewer) as vault:
        back = await vault.integrations.get(mine.id)
    assert (back.kind, back.settings["folders"], back.n_documents) == ("imap", "Letters", 1)


async def revoke(emulators: Emulators, token: str) -> None:
    async with httpx.AsyncClient() as client:
        assert (await client.post(f"{emulators.google_url}/oauth2/revoke", data={"token": token})).is_success


def test_the_mail_servers_of_providers_are_settings_and_a_token_is_never_shown() -> None:
    settings = read_settings({}).providers
    assert settings["gmail_imap"].api_url == "imaps://imap.gmail.com"
    assert settings["microsoft_imap"].api_url == "imaps://outlook.office365.com"
    door = door_at("imaps://imap.gmail.com", ANA, "ya29.secret", "Google")
    assert (door.port, door.security, "ya29" in repr(door)) == (993, "tls", False)
    with pytest.raises(WrongSetting, match="GMAIL_IMAP_API_URL"):
        read_settings({"GMAIL_IMAP_API_URL": "https://imap.gmail.com"})
