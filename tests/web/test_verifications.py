"""Who vouches for a document, since when, and what is due."""

import sqlalchemy as sa

from domain.people import Viewer
from domain.vault import Tools
from infra.database import tenant_transaction
from infra.store import Stores
from tests import factories
from tests.web.browser import Browser


async def backdate(stores: Stores, viewer: Viewer) -> None:
    """As if it were half a year later."""
    async with tenant_transaction(stores.engine, viewer.tenant_id) as connection:
        await connection.execute(sa.text("update document_verifications set due_at = due_at - interval '400 days'"))


async def test_a_document_is_verified_with_one_click_and_comes_back_when_it_is_due_or_changed(
    admin: Browser,
    member: Browser,
    admin_viewer: Viewer,
    member_viewer: Viewer,
    stores: Stores,
    tools: Tools,
    source: factories.Source,
    statements: list[str],
) -> None:
    await member.visit("/verifications")
    assert "Nothing for you to verify" in member.words
    source.files = {"leave.md": "# Leave\n\nParental leave lasts sixteen weeks at Tidewater.\n"}
    await factories.synced(stores, tools, admin_viewer)
    async with stores.open_vault(admin_viewer) as vault:
        document = (await vault.gaps.due("none", 0, 5))[0]
    await admin.visit(f"/documents/{document}")
    assert "Nobody vouches for this document" in admin.words
    await admin.submit(f"/documents/{document}/verifier", verifier=str(member_viewer.user_id), every_days="180")
    statements.clear()
    await member.visit("/verifications")
    assert len(statements) <= 5, "one of them asks whose session it is"
    assert "never verified" in member.words
    await member.submit(f"/documents/{document}/verifications")
    assert "Nothing for you to verify" in member.words
    await admin.visit("/conversations")
    await admin.submit("/conversations", question="How long does parental leave last?")
    assert "verified by Mia Lund on" in admin.words
    await backdate(stores, admin_viewer)
    await member.visit("/verifications")
    assert "Leave" in member.words
    await admin.visit(f"/documents/{document}")
    assert "Overdue" in admin.words
    await member.visit("/verifications")
    await member.submit(f"/documents/{document}/verifications")
    source.files = {"leave.md": "# Leave\n\nParental leave lasts twenty weeks at Tidewater.\n"}
    await factories.synced(stores, tools, admin_viewer)
    await member.post(f"/documents/{document}/verifications", csrf_token=member.csrf_token(), version="1")
    assert member.status == 409, "nobody vouches for a text they have not seen"
    await member.visit("/verifications")
    assert "changed since it was verified" in member.words


async def test_only_the_verifier_or_an_admin_verifies(
    admin: Browser, member: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, source: factories.Source
) -> None:
    source.files = {"leave.md": "Leave lasts sixteen weeks."}
    await factories.synced(stores, tools, admin_viewer)
    async with stores.open_vault(admin_viewer) as vault:
        document = (await vault.gaps.due("none", 0, 5))[0]
    await admin.visit(f"/documents/{document}")
    await admin.submit(f"/documents/{document}/verifier", verifier=str(admin_viewer.user_id), every_days="30")
    await member.visit("/")
    await member.post(f"/documents/{document}/verifications", csrf_token=member.csrf_token())
    assert member.status == 403
    await admin.visit(f"/documents/{document}")
    await admin.submit(f"/documents/{document}/verifier", verifier="")
    assert "Nobody vouches" in admin.words
