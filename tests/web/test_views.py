"""Who can see a document and why, and an admin's look through another member's eyes."""

import pytest_asyncio

from domain.access import Group
from domain.people import EVERYONE, Viewer, email_principal, group_principal, user_principal
from domain.vault import Tools
from infra.store import Stores
from tests import factories
from tests.web.browser import Browser

MIA = "mia@tidewater.example"


@pytest_asyncio.fixture
async def channel(
    admin_viewer: Viewer, member_viewer: Viewer, stores: Stores, tools: Tools, source: factories.Source
) -> str:
    """A private channel that Mia is in, beside a page for everyone and one that is Mia's alone."""
    folder = await factories.integration(stores, admin_viewer)
    principal = group_principal(folder.id, "C1")
    source.files = {
        "plan.md": "# Secret plan\n\nThe secret plan is to move.",
        "all.md": "# Handbook\n\nThe open handbook.",
        "mine.md": "# Diary\n\nThe diary of Mia.",
    }
    source.principals = {
        "plan.md": (principal, email_principal("tom@elsewhere.example")),
        "all.md": (EVERYONE,),
        "mine.md": (user_principal(member_viewer.user_id),),
    }
    await factories.synced(stores, tools, admin_viewer)
    async with stores.open_vault(admin_viewer) as vault:
        group = Group(principal, "the private channel #plans at Slack", (email_principal(MIA),))
        await vault.access.replace_groups(folder.id, [group])
        await vault.access.prove(member_viewer.user_id, "Mia@Tidewater.example")
    return principal


async def leave(stores: Stores, viewer: Viewer, principal: str) -> None:
    """Mia leaves the channel: the group is all that changes."""
    integration_id = int(principal.split(":")[1])
    async with stores.open_vault(viewer) as vault:
        await vault.access.replace_groups(integration_id, [Group(principal, "#plans", ())])


async def test_who_is_in_a_group_sees_what_is_shared_with_it_until_they_leave(
    channel: str, admin: Browser, member: Browser, admin_viewer: Viewer, stores: Stores
) -> None:
    assert "Secret plan" in (await member.visit("/documents")).words
    assert "secret" in (await member.visit("/search?q=secret+plan")).words
    assert "Secret plan" not in (await admin.visit("/documents")).words
    await leave(stores, admin_viewer, channel)
    assert "Secret plan" not in (await member.visit("/documents")).words
    assert "The secret plan is to move." not in (await member.visit("/search?q=secret+plan")).words


async def test_a_document_says_who_can_see_it_and_why(channel: str, member: Browser, stores: Stores) -> None:
    await member.visit("/documents?sort=title")
    link = next(node for node in member.page.css("a") if node.text(strip=True) == "Secret plan")
    await member.visit(link.attributes["href"] or "")
    assert "Who can see this, and why" in member.words
    assert "Mia Lund (you): member of the private channel #plans at Slack" in member.words
    await member.visit(f"{member.path.partition('?')[0]}/readers")
    assert member.heading == "Who can see this, and why"
    assert "Shared with tom@elsewhere.example at its source" in member.words


async def test_who_may_not_see_a_document_may_not_see_its_readers_either(
    channel: str, admin: Browser, member: Browser
) -> None:
    await member.visit("/documents")
    link = next(node for node in member.page.css("a") if node.text(strip=True) == "Secret plan")
    assert (await admin.visit(f"{link.attributes['href']}/readers")).status == 404


async def test_an_admin_sees_the_library_as_a_member_does_but_not_what_is_theirs_alone(
    channel: str, admin: Browser, member_viewer: Viewer, admin_viewer: Viewer, stores: Stores
) -> None:
    await admin.visit("/members")
    await admin.post("/views", csrf_token=admin.csrf_token(), member=str(member_viewer.user_id))
    assert "You see the vault as Mia Lund" in admin.words
    assert "Secret plan" in admin.words
    assert "Diary" not in admin.words
    assert "You see the vault as Mia Lund" in (await admin.visit("/search?q=secret+plan")).words
    for path in ("/", "/settings", "/conversations", "/integrations", "/members"):
        assert (await admin.visit(path)).status == 403, path
        assert "End this view" in admin.words
    await admin.visit("/documents")
    await admin.post("/documents/deletions", csrf_token=admin.csrf_token(), document="1")
    assert admin.status == 403
    await admin.visit("/documents")
    await admin.submit("/views/ending")
    assert (admin.path, "with your own eyes" in admin.words) == ("/members", True)
    assert "Secret plan" not in (await admin.visit("/documents")).words
    async with stores.open_vault(admin_viewer) as vault:
        trail = [(event.action, event.actor) for event in await vault.audit.page(None, 2)]
    assert trail == [("view.ended", "Ada Byron"), ("view.began", "Ada Byron")]


async def test_members_look_with_their_own_eyes_alone(member: Browser, admin_viewer: Viewer, stranger: Browser) -> None:
    await member.visit("/documents")
    await member.post("/views", csrf_token=member.csrf_token(), member=str(admin_viewer.user_id))
    assert member.status == 403
    await stranger.visit("/members")
    await stranger.post("/views", csrf_token=stranger.csrf_token(), member=str(admin_viewer.user_id))
    assert stranger.status == 404
