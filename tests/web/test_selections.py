"""Choosing labels, folders, channels or repositories, with a preview of items, passages and minutes."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
import pytest_asyncio
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.credentials import Choice, Grant
from domain.integrations import Integration
from domain.people import Viewer
from domain.vault import Tools
from infra.connectors import REGISTRY, Connectors, make_oauth
from infra.connectors.consent import in_order
from infra.connectors.gmail_consent import Label, offered
from infra.connectors.providers import open_client
from infra.database import lobby_transaction
from infra.secrets import StateSigner
from infra.settings import read_settings
from infra.store import Stores
from tests import factories
from tests.connectors.peers import (
    Mailbox,
    github_environment,
    google_environment,
    mail_of,
    new_repository,
    slack_environment,
)
from tests.factories import Source
from tests.peers.emulate import Emulators
from tests.web.browser import Browser
from web.selections import chosen_in_words, chosen_settings, grouped


@pytest_asyncio.fixture
async def tools(tools: Tools, emulators: Emulators) -> AsyncIterator[Tools]:
    """Those of the product, with the providers emulated; folders are the source in memory."""
    environment = google_environment(emulators) | github_environment(emulators) | slack_environment(emulators)
    settings, in_memory = read_settings(environment), tools.connect
    async with open_client() as client:
        oauth = make_oauth(client, settings.providers, settings.base_url, StateSigner("a secret of the tests alone"))
        real = Connectors(client, oauth, settings.providers, tools.now)

        def connect(integration: Integration, *more: object) -> object:
            return (in_memory if integration.kind == "folder" else real.connect)(integration, *more)  # type: ignore[arg-type]

        yield replace(tools, oauth=oauth, connect=connect)  # type: ignore[arg-type]


async def connected(stores: Stores, viewer: Viewer, kind: str, token: str) -> str:
    """An integration of this kind; the address of its page of choices."""
    is_personal = next(each.kind.is_personal for each in REGISTRY if each.kind.name == kind)
    async with stores.open_vault(viewer) as vault:
        given = {"connected_by": str(viewer.user_id)}
        owner_id = viewer.user_id if is_personal else None
        integration = await vault.integrations.add(kind, f"{kind}: ana", given, owner_id)
        await vault.credentials.save(integration.id, Grant(token))
    return f"/integrations/{integration.id}/selection"


async def test_repositories_are_previewed_by_their_files_before_anything_is_saved(
    admin: Browser, admin_viewer: Viewer, stores: Stores, emulators: Emulators, tools: Tools, source: Source
) -> None:
    source.files = {f"{number}.md": f"# Note {number}\n\nWords." for number in range(4)}
    await factories.synced(stores, tools, admin_viewer)
    async with httpx.AsyncClient(base_url=emulators.github_url, headers={"Authorization": "Bearer gho_ana"}) as api:
        repository = await new_repository(api)
        for number in range(3):
            await repository.add(f"Plan {number}.")
    path = await connected(stores, admin_viewer, "github", "gho_ana")
    await admin.visit(f"{path}/edit")
    assert "Count to see how many items" in admin.words
    await admin.visit(f"{path}/edit?since=&until=", HX_Request="true")
    assert "Choose at least one of the repositories" in admin.words
    await admin.visit(f"{path}/edit?chosen={repository.name}", HX_Request="true")
    assert admin.response.text.lstrip().startswith("<section")
    assert "3 items would be read." in admin.words
    assert "passages, a few seconds if all of it is new, at the pace of the past syncs here" in admin.words
    await admin.visit(f"{path}/edit?chosen={repository.name}&since=2026-02-01&until=2026-01-01")
    assert (admin.status, "last day lies before the first" in admin.words) == (422, True)
    async with stores.open_vault(admin_viewer) as vault:
        assert not any("chosen" in each.settings for each in await vault.integrations.all())


async def test_labels_are_counted_each_mail_once_and_within_the_days_that_are_chosen(
    member: Browser, member_viewer: Viewer, stores: Stores, emulators: Emulators
) -> None:
    headers = {"Authorization": "Bearer ya29.tom"}
    async with httpx.AsyncClient(base_url=emulators.google_url, headers=headers) as api:
        mailbox = Mailbox(api)
        await mailbox.empty()
        old = mail_of("The old offer.")
        del old["Date"]
        old["Date"] = "Mon, 05 Jan 2026 10:00:00 +0000"
        await mailbox.send(old, ("INBOX", "STARRED"))
        for number in range(2):
            await mailbox.send(mail_of(f"Offer {number}."), ("INBOX", "SENT"))
        path = await connected(stores, member_viewer, "gmail", "ya29.tom")
        await member.visit(f"{path}/edit?chosen=INBOX&chosen=SENT", HX_Request="true")
        assert "3 items would be read." in member.words
        await member.visit(f"{path}/edit?chosen=INBOX&since=2026-01-06", HX_Request="true")
        assert "2 items would be read." in member.words
        await member.visit(f"{path}/edit?until=2026-01-05", HX_Request="true")
        assert "1 item would be read." in member.words
        await member.visit(f"{path}/edit")
        for name in ("Mailbox", "Inbox", "Sent", "Categories", "Promotions", "Spam, bin, drafts and chats are never"):
            assert name in member.words, name
        assert not {"CATEGORY_PROMOTIONS", "INBOX", "SPAM", "UNREAD"} & set(member.words.split())
        await member.submit(path, chosen="INBOX", since="2026-01-06")
        assert "ana” brings Inbox." in member.words
        async with stores.open_vault(member_viewer) as vault:
            [kept] = await vault.integrations.all()
        assert (kept.settings["chosen"], kept.settings["since"]) == ("INBOX", "2026-01-06")
        await member.visit(f"{path}/edit")
        await member.submit(path, chosen="INBOX", since="2026-02-01")
        assert (member.status, "Wait for its end, or cancel it, then choose again" in member.words) == (422, True)
        assert "Inbox, from 6 January 2026 on." in (await member.visit(f"/integrations/{kept.id}")).words


def test_gmails_labels_are_named_and_grouped_as_people_know_them_and_marks_are_not_offered() -> None:
    found = offered(
        [
            Label("Label_7", "projects/tide", "user"),
            *(Label(each, each, "system") for each in ("SPAM", "TRASH", "UNREAD", "RED_BANG", "SENT", "INBOX")),
            *(Label(f"CATEGORY_{each}", f"CATEGORY_{each}", "system") for each in ("TRAVEL_PLANS", "PERSONAL")),
        ]
    )
    assert {each.title: [choice.name for choice in each.choices] for each in grouped(in_order(found))} == {
        "Mailbox": ["Inbox", "Sent"],
        "Categories": ["Primary", "Travel plans"],
        "Your labels": ["projects/tide"],
    }


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["Inbox"], "Inbox"),
        (["Inbox", "Sent"], "Inbox and Sent"),
        (["a", "b", "c"], "a, b and c"),
        (["a", "b", "c", "d", "e"], "a, b, c and 2 more"),
        ([], ""),
    ],
)
def test_what_is_chosen_is_named_and_counted_where_it_is_much(names: list[str], words: str) -> None:
    assert chosen_in_words(chosen_settings([Choice(each, each, True) for each in names]), "labels") == words
    if names:  # chosen before names were kept
        assert chosen_in_words({"chosen": "\n".join(names)}, "labels") == f"{len(names)} of the labels"


async def test_a_source_that_tells_no_count_says_so_and_what_shows_it_instead(
    admin: Browser, admin_viewer: Viewer, stores: Stores
) -> None:
    path = await connected(stores, admin_viewer, "slack", "xoxp-ana")
    await admin.visit(f"{path}/edit?since=", HX_Request="true")
    assert "Slack tells no count before it is read" in admin.words
    assert "its first sync shows the count, the rate and the time left" in admin.words


async def test_a_vault_without_a_sync_of_its_own_is_told_the_pace_of_the_others_on_this_server(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, source: Source, engine: AsyncEngine
) -> None:
    async with lobby_transaction(engine) as connection:
        await connection.execute(sa.text("delete from sync_paces"))
    source.files = {f"{number}.md": f"# Note {number}\n\nWords." for number in range(4)}
    folder = await factories.integration(stores, admin_viewer)
    path = f"/integrations/{folder.id}/scope/edit"
    assert "known after the first sync of this server" in (await admin.visit(path)).words
    await factories.synced(stores, tools, await factories.member(engine))
    await admin.visit(path)
    assert "4 items would be read." in admin.words
    assert "passages, a few seconds if all of it is new, at the pace of other syncs of this server" in admin.words
