"""What a person's own account brings: reserved until it is known to be work, in every statement, for everybody else."""

import pytest
import sqlalchemy as sa

from domain.errors import NotFound
from domain.integrations import Integration, IntegrationKind
from domain.people import EVERYONE, Viewer, system_viewer
from domain.privacy import DecidedBy, Label, Review
from domain.retrieval import search
from domain.search import SearchFilter
from domain.syncs import Trigger
from domain.vault import Tools
from infra.database import tenant_transaction
from infra.store import Stores, passage_sql
from infra.store.access import access_binds
from infra.store.columns import N_PARTS
from infra.worker import run_sync
from tests import factories
from tests.factories import Source
from tests.web.browser import Browser
from tests.web.pressing import press


def mail(subject: str, sender: str, text: str) -> str:
    return f"From: {sender}\nTo: me@home.example\nSubject: {subject}\n\n{text}\n"


async def own(stores: Stores, viewer: Viewer) -> Integration:
    async with stores.open_vault(viewer) as vault:
        return await vault.integrations.add(IntegrationKind.FOLDER, "My mail", {}, viewer.user_id)


async def sync(stores: Stores, tools: Tools, viewer: Viewer, integration: Integration) -> None:
    async with stores.open_vault(viewer) as vault:
        requested = await vault.syncs.request(integration.id, Trigger.IMPORT)
    await run_sync(stores.open_vault, tools, system_viewer(viewer.tenant_id), requested.id)


async def found(stores: Stores, tools: Tools, viewer: Viewer, words: str) -> set[str]:
    async with stores.open_vault(viewer) as vault:
        return {hit.title for hit in (await search(vault, tools, words, SearchFilter())).hits}


async def reviews(stores: Stores, viewer: Viewer) -> dict[str, Review]:
    async with stores.open_vault(viewer) as vault:
        pages = [await vault.reviews.page(label, 0, 50) for label in Label]
    return {review.title: review for found_page in pages for review in found_page}


@pytest.fixture
def mailbox(source: Source, admin_viewer: Viewer) -> Source:
    """A mail from a colleague, one from a relative, and one that could be either."""
    colleague = f"Ben <ben@{admin_viewer.email.rpartition('@')[2]}>"
    source.files = {
        "1.eml": mail("Xylophone budget", colleague, "The xylophone budget for the quarter."),
        "2.eml": mail("Xylophone wedding", "eve@gmail.com", "Mum plays the xylophone at the wedding."),
        "3.eml": mail("Xylophone offer", "sales@shop.example", "A xylophone for sale."),
    }
    return source


async def test_only_work_follows_the_sharing_of_the_source_the_rest_is_the_owners_alone(
    stores: Stores, tools: Tools, admin_viewer: Viewer, mailbox: Source
) -> None:
    colleague = await factories.member(stores.engine, admin_viewer.tenant_id)
    await sync(stores, tools, admin_viewer, await own(stores, admin_viewer))
    assert mailbox.item("1.eml").principals == (EVERYONE,)
    labels = {title: review.label for title, review in (await reviews(stores, admin_viewer)).items()}
    assert labels == {
        "Xylophone budget": Label.WORK,
        "Xylophone wedding": Label.PERSONAL,
        "Xylophone offer": Label.UNSURE,
    }
    assert await found(stores, tools, admin_viewer, "xylophone") == set(labels)
    assert await found(stores, tools, colleague, "xylophone") == {"Xylophone budget"}
    async with stores.open_vault(colleague) as vault:
        assert await vault.documents.count() == 1
        assert await vault.reviews.page(Label.UNSURE, 0, 10) == []


async def test_a_decision_holds_from_its_commit_on_and_through_later_syncs(
    stores: Stores, tools: Tools, admin_viewer: Viewer, mailbox: Source
) -> None:
    colleague = await factories.member(stores.engine, admin_viewer.tenant_id)
    folder = await own(stores, admin_viewer)
    await sync(stores, tools, admin_viewer, folder)
    known = await reviews(stores, admin_viewer)
    with pytest.raises(NotFound):
        async with stores.open_vault(colleague) as vault:
            await vault.reviews.decide(known["Xylophone offer"].document_id, Label.WORK)
    async with stores.open_vault(admin_viewer) as vault:
        await vault.reviews.decide(known["Xylophone offer"].document_id, Label.WORK)
        await vault.reviews.decide(known["Xylophone budget"].document_id, Label.PERSONAL)
    assert await found(stores, tools, colleague, "xylophone") == {"Xylophone offer"}
    mailbox.files["1.eml"] = str(mailbox.files["1.eml"]) + "Now in red.\n"
    await sync(stores, tools, admin_viewer, folder)
    assert await found(stores, tools, colleague, "xylophone") == {"Xylophone offer"}
    assert (await reviews(stores, admin_viewer))["Xylophone budget"].decided_by is DecidedBy.PERSON


async def test_the_search_statement_itself_checks_it_as_the_plain_role(
    stores: Stores, tools: Tools, admin_viewer: Viewer, mailbox: Source
) -> None:
    colleague = await factories.member(stores.engine, admin_viewer.tenant_id)
    await sync(stores, tools, admin_viewer, await own(stores, admin_viewer))
    binds = {
        **access_binds(colleague),
        "mine": list(colleague.principals),
        "tenant": colleague.tenant_id,
        "part": colleague.tenant_id % N_PARTS,
        "sv": "{1:1}/1000000000",
        "query": f"' {colleague.tenant_id}'",
        **dict.fromkeys(("integration", "since", "until")),
        **dict.fromkeys(("media_type", "author"), ""),
        "limit": 10,
    }
    async with tenant_transaction(stores.engine, colleague.tenant_id) as connection:
        assert not (await connection.execute(sa.text("select usesuper from pg_user where usename = user"))).scalar()
        statement = passage_sql.LEXICAL.format(worded="", within="")
        rows = (await connection.execute(sa.text(statement), binds)).all()
        plan = "\n".join((await connection.execute(sa.text(f"explain {statement}"), binds)).scalars())
    assert len(rows) == 1
    assert f"reserved_for = '{colleague.user_id}'" in plan.replace("::bigint", ""), plan


async def test_the_owner_decides_in_a_queue_which_shrinks_by_what_it_learns(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, mailbox: Source, statements: list[str]
) -> None:
    mailbox.files = {
        f"{kind}{number}.eml": mail(f"{words} {number}", "x@y.example", f"{words} {words} number {number}")
        for kind, words in (("a", "Invoice forecast supplier"), ("b", "Guitar concert tickets"))
        for number in range(4)
    }
    await sync(stores, tools, admin_viewer, await own(stores, admin_viewer))
    await admin.visit("/integrations")
    assert "8 items of your own accounts could be work or personal" in admin.words
    assert admin.page.css_first('main a[href="/reviews"]') is not None
    statements.clear()
    await admin.visit("/reviews")
    assert len(statements) <= 3
    assert "Not certain (8)" in admin.words
    known = await reviews(stores, admin_viewer)
    for title, label in (
        ("Invoice forecast supplier 0", "work"),
        ("Invoice forecast supplier 1", "work"),
        ("Guitar concert tickets 0", "personal"),
    ):
        await press(admin, f"/reviews/{known[title].document_id}", label, is_htmx=True)
        assert admin.response.text.lstrip().startswith("<section")
        await admin.visit("/reviews")
    await press(admin, f"/reviews/{known['Guitar concert tickets 1'].document_id}", "personal")
    assert (admin.path, "Nothing to decide" in admin.words) == ("/reviews?label=unsure", True)
    labels = {title: review.label.value for title, review in (await reviews(stores, admin_viewer)).items()}
    assert labels == {title: "work" if title.startswith("Invoice") else "personal" for title in labels}
    await admin.visit("/reviews?label=secret")
    assert admin.status == 422
