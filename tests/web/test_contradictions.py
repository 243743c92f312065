"""The contradictions page: found in a sync, settled by their owners, marked in answers; seen by who may read both."""

import sqlalchemy as sa

from domain.conversations import Answer, Citation, Sentence
from domain.people import Viewer, user_principal
from domain.radar import Standing
from domain.vault import Tools
from infra.database import tenant_transaction
from infra.store import Stores
from tests import factories
from tests.web.browser import Browser

OLD = "Raw readings are kept for 12 months in the archive."
NEW = "Raw readings are kept for 24 months in the archive."


async def n_rows(stores: Stores, viewer: Viewer, table: str) -> int:
    async with tenant_transaction(stores.engine, viewer.tenant_id) as connection:
        return int((await connection.execute(sa.text(f"select count(*) from {table}"))).scalar_one())


async def answered(stores: Stores, viewer: Viewer, title: str, quote: str) -> int:
    """A conversation in which the viewer got an answer that cites a document."""
    async with stores.open_vault(viewer) as vault:
        [document] = [each for each in await factories.library(vault) if each.external_id == title]
        text = (await vault.documents.version(document.id)).text
        start = text.index(quote)
        cited = Citation(document.id, document.version_id, start, start + len(quote), quote, title)
        conversation = await vault.conversations.add("How long are readings kept?")
        _, pending = await vault.conversations.ask(conversation.id, "How long are readings kept?")
        await vault.conversations.complete(pending.id, Answer((Sentence(quote, (cited,)),), False, 0.9))
    return conversation.id


async def test_a_vault_without_contradictions_says_when_they_appear(admin: Browser) -> None:
    await admin.visit("/contradictions")
    assert "Nothing contradicts itself" in admin.words
    await admin.visit("/contradictions?show=settled&after=x")
    assert "Nothing here yet" in admin.words


async def test_a_row_of_a_table_stands_beside_the_sentence_that_it_contradicts(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, source: factories.Source
) -> None:
    source.files = {
        "old.md": OLD,
        "rules.md": "| What | Kept in the archive |\n|---|---|\n| Raw readings | 24 months |\n",
    }
    await factories.studied(stores, tools, admin_viewer)
    await admin.visit("/contradictions")
    assert OLD in admin.words
    row = next(each for each in admin.page.css(".clash__side") if "24 months" in each.text())
    assert "“Raw readings | 24 months”" in row.text()
    link = row.css_first("a")
    assert link is not None
    await admin.visit(link.attributes["href"] or "")
    marked = admin.page.css_first("mark")
    assert marked is not None
    assert marked.text() == "24 months"


async def test_an_admin_settles_a_contradiction_and_who_was_told_otherwise_hears_of_it(
    admin: Browser,
    admin_viewer: Viewer,
    member: Browser,
    member_viewer: Viewer,
    stores: Stores,
    tools: Tools,
    source: factories.Source,
    statements: list[str],
) -> None:
    source.files = {"old.md": OLD, "new.md": NEW, "other.md": "Guest readings are kept for 3 days in the lobby."}
    await factories.studied(stores, tools, admin_viewer)
    conversation_id = await answered(stores, member_viewer, "old.md", OLD)
    statements.clear()
    await admin.visit("/contradictions")
    assert len(statements) <= 4, "one of them asks whose session it is"
    assert OLD in admin.words
    assert NEW in admin.words
    assert "lobby" not in admin.words
    await member.visit("/contradictions")
    assert "The author of either document, or an admin, can settle this." in member.words
    async with stores.open_vault(admin_viewer) as vault:
        [found] = await vault.radar.page(Standing.OPEN, 0, 9)
    winner = next(side.name for side in found.sides if side.quote == NEW)
    place = f"/contradictions/{found.id}"
    await member.post(f"{place}/settlement", csrf_token=member.csrf_token(), winner=winner)
    assert member.status == 403
    await admin.post(f"{place}/settlement", csrf_token=admin.csrf_token(), winner="neither")
    assert admin.status == 422
    await admin.visit("/contradictions")
    await admin.submit(f"{place}/settlement", winner=winner)
    assert "Nothing contradicts itself" in admin.words
    await member.visit("/")
    assert "An answer you got has been overtaken" in member.words
    await member.visit(f"/conversations/{conversation_id}")
    assert "Settled otherwise on" in member.words
    await factories.studied(stores, tools, admin_viewer)
    await admin.visit("/contradictions?show=settled")
    assert "Settled otherwise" in admin.words
    await admin.submit(f"{place}/opening")
    await member.visit("/")
    assert "overtaken" not in member.words
    await member.visit(f"/conversations/{conversation_id}")
    assert "Settled otherwise" not in member.words


async def test_a_notice_is_put_away_once_it_is_understood(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, source: factories.Source
) -> None:
    source.files = {"old.md": OLD, "new.md": NEW}
    await factories.studied(stores, tools, admin_viewer)
    await answered(stores, admin_viewer, "old.md", OLD)
    async with stores.open_vault(admin_viewer) as vault:
        [found] = await vault.radar.page(Standing.OPEN, 0, 9)
        winner = next(side.name for side in found.sides if side.quote == NEW)
        await vault.radar.close(found.id, Standing.SETTLED, winner)
    await admin.visit("/")
    form = admin.page.css_first('form[action$="/reading"]')
    assert form is not None
    await admin.submit(form.attributes["action"] or "")
    assert "overtaken" not in admin.words


async def test_what_was_dismissed_comes_back_only_when_its_text_changes_and_goes_with_its_document(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, source: factories.Source
) -> None:
    source.files = {"old.md": OLD, "new.md": NEW}
    await factories.studied(stores, tools, admin_viewer)
    await admin.visit("/contradictions")
    form = admin.page.css_first('form[action$="/dismissal"]')
    assert form is not None
    await admin.submit(form.attributes["action"] or "")
    source.files |= {"old.md": f"{OLD}\n\nThe shelf is blue.", "copy.md": OLD}
    await factories.studied(stores, tools, admin_viewer)
    await admin.visit("/contradictions")
    assert "Nothing contradicts itself" in admin.words
    source.files["old.md"] = OLD.replace("12", "18")
    await factories.studied(stores, tools, admin_viewer)
    await admin.visit("/contradictions")
    assert "18 months" in admin.words
    source.files = {"new.md": NEW}
    async with stores.open_vault(admin_viewer) as vault:
        folder = await factories.integration(stores, admin_viewer)
        await vault.deletions.allow(folder.id, None)
    await factories.studied(stores, tools, admin_viewer)
    assert [await n_rows(stores, admin_viewer, table) for table in ("claims", "contradiction_evidence")] == [1, 0]
    async with tenant_transaction(stores.engine, admin_viewer.tenant_id) as connection:
        states = await connection.execute(sa.text("select state from contradictions"))
        assert list(states.scalars()) == ["dismissed"], "a hash stays, so that it is not asked again"


async def test_both_sides_are_seen_only_by_who_may_read_both_documents(
    admin: Browser,
    admin_viewer: Viewer,
    member: Browser,
    stores: Stores,
    tools: Tools,
    source: factories.Source,
) -> None:
    source.files = {"old.md": OLD, "new.md": NEW}
    source.principals = {"old.md": (user_principal(admin_viewer.user_id),)}
    await factories.studied(stores, tools, admin_viewer)
    await member.visit("/contradictions")
    assert "Nothing contradicts itself" in member.words
    async with stores.open_vault(admin_viewer) as vault:
        [found] = await vault.radar.page(Standing.OPEN, 0, 9)
    await member.post(f"/contradictions/{found.id}/dismissal", csrf_token=member.csrf_token())
    assert member.status == 404
    await admin.visit("/contradictions")
    assert "12 months" in admin.words
