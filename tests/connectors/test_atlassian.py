"""Confluence and Jira, on a stand-in that is held to what Atlassian publishes, and that clients of others read too."""

from collections.abc import Iterator

import pytest
from atlassian import Confluence, Jira
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.errors import Forbidden
from domain.people import Viewer
from domain.vault import Tools
from infra.store import Stores
from tests import factories
from tests.connectors.contract import succeeded
from tests.connectors.entered import Entered, check_mirror, entered
from tests.peers.atlassian import EMAIL, TOKEN, AtlassianServer, Issues, Pages, reading, running_atlassian
from tests.peers.published import audited, complaints, published


@pytest.fixture
def site() -> Iterator[AtlassianServer]:
    with running_atlassian() as running:
        yield running


def form(site: AtlassianServer, **more: str) -> dict[str, str]:
    return {"url": site.url, "email": EMAIL, "token": TOKEN} | more


async def colleague(connected: Entered, engine: AsyncEngine, email: str) -> Viewer:
    member = await factories.member(engine, connected.viewer.tenant_id)
    async with connected.stores.open_vault(member) as vault:
        await vault.access.prove(member.user_id, email)
    return member


@pytest.mark.parametrize("email", [EMAIL, pytest.param("", marks=pytest.mark.long)], ids=["cloud", "server"])
async def test_after_any_changes_the_vault_equals_confluence(
    site: AtlassianServer, stores: Stores, tools: Tools, viewer: Viewer, email: str
) -> None:
    pages = Pages(site)
    await pages.write("start", "A first page.")
    async with entered(stores, tools, viewer, "confluence", form(site, email=email)) as connected:
        await pages.delete("start")
        await check_mirror(connected, pages, allowance=5, n_items=10, n_changes=8)


@pytest.mark.parametrize("email", [EMAIL, ""], ids=["cloud", "server"])
async def test_after_any_changes_the_vault_equals_jira(
    site: AtlassianServer, stores: Stores, tools: Tools, viewer: Viewer, email: str
) -> None:
    issues = Issues(site)
    await issues.write("start", "A first issue.")
    async with entered(stores, tools, viewer, "jira", form(site, email=email)) as connected:
        await issues.delete("start")
        await check_mirror(connected, issues, allowance=20, n_items=10, n_changes=8)


async def test_a_page_is_read_with_its_comments_and_files_and_a_new_comment_is_noticed(
    site: AtlassianServer, stores: Stores, tools: Tools, viewer: Viewer
) -> None:
    page = site.page("The move", "We move in May.")
    other = site.page("Elsewhere", "Not chosen.", space="HR")
    file = site.attached(page, "attachment", "crates.txt", "Two thousand crates.")
    site.attached(page, "attachment", "photo.png", "no words")
    async with entered(stores, tools, viewer, "confluence", form(site, keys="ENG")) as connected:
        succeeded(await connected.sync())
        assert set(await connected.texts()) == {page, f"{page}/{file}"}
        comment = site.attached(page, "comment", "Re: The move", "In June, says the harbour.")
        succeeded(await connected.sync())
        assert "In June" in (await connected.texts())[page]
        assert sum("content/search" in each for each in connected.asked) == len(connected.asked)
        del site.content[comment]
        succeeded(await connected.sync())
        assert "In June" not in (await connected.texts())[page]
        assert other not in await connected.texts()


async def test_a_restricted_page_and_all_below_it_are_for_those_it_is_open_to_until_that_changes(
    site: AtlassianServer, stores: Stores, tools: Tools, viewer: Viewer, engine: AsyncEngine
) -> None:
    top = site.page("Salaries", "What we pay.")
    below = site.page("2026", "A raise.", above=top)
    file = site.attached(below, "attachment", "table.txt", "Numbers.")
    site.groups["leads"] = ["eva@b.test", "tom@b.test"]
    site.content[top]["restrictions"] = reading(("tom@b.test",), ("leads",))
    site.content[below]["restrictions"] = reading(("eva@b.test", "zoe@b.test"), ())
    async with entered(stores, tools, viewer, "confluence", form(site)) as connected:
        tom, eva = await colleague(connected, engine, "tom@b.test"), await colleague(connected, engine, "eva@b.test")
        zoe = await colleague(connected, engine, "zoe@b.test")
        succeeded(await connected.sync())
        assert set(await connected.texts(tom)) == {top}
        assert set(await connected.texts(eva)) == {top, below, f"{below}/{file}"}
        assert await connected.texts(zoe) == {}
        site.groups["leads"] = []
        succeeded(await connected.sync())
        assert await connected.texts(eva) == {}


async def test_a_page_whose_list_is_silent_about_restrictions_is_asked_about_and_never_taken_for_open(
    site: AtlassianServer, stores: Stores, tools: Tools, viewer: Viewer, engine: AsyncEngine
) -> None:
    told, silent = site.page("Open", "For all."), site.page("Salaries", "What we pay.")
    site.asides[silent] = reading(("tom@b.test",), ())
    del site.content[silent]["restrictions"]
    lost = site.page("Lost", "Nobody says.")
    del site.content[lost]["restrictions"]
    async with entered(stores, tools, viewer, "confluence", form(site)) as connected:
        tom = await colleague(connected, engine, "tom@b.test")
        succeeded(await connected.sync())
        assert set(await connected.texts(tom)) == {told, silent}
        assert set(await connected.texts(await factories.member(engine, viewer.tenant_id))) == {told}


async def test_an_issue_brings_comments_and_files_and_keeps_what_only_some_may_read_to_them(
    site: AtlassianServer, stores: Stores, tools: Tools, viewer: Viewer, engine: AsyncEngine
) -> None:
    issue = site.issue("Cold room alarm", "It rang at night.")
    secret = site.issue("A leak", "Of words.", security={"name": "Board"})
    file = site.attach(issue, "log.txt", "Four degrees.")
    for number in range(3):
        site.say(issue, f"<p>Remark {number}.</p>")
    site.say(issue, "<p>For the board.</p>", visibility={"type": "role", "value": "Admins"})
    async with entered(stores, tools, viewer, "jira", form(site, keys="OPS")) as connected:
        succeeded(await connected.sync())
        member = await factories.member(engine, viewer.tenant_id)
        texts = await connected.texts(member)
        assert set(texts) == {issue, f"{issue}/attachment/{file}"}
        assert ("Remark 2" in texts[issue], "For the board" in texts[issue]) == (True, False)
        assert "Labels: cold chain" in texts[issue]
        assert secret in await connected.texts(await colleague(connected, engine, EMAIL))
        site.issues[issue]["fields"]["attachment"].clear()
        site.say(issue, "<p>The log was wrong.</p>")
        async with stores.open_vault(viewer) as vault:
            await vault.deletions.allow(connected.integration.id, None)
        succeeded(await connected.sync())
        assert set(await connected.texts(member)) == {issue}


@pytest.mark.parametrize("kind", ["confluence", "jira"])
async def test_a_wrong_token_is_refused_before_it_is_kept(
    site: AtlassianServer, stores: Stores, tools: Tools, viewer: Viewer, kind: str
) -> None:
    with pytest.raises(Forbidden, match="does not accept this token"):
        async with entered(stores, tools, viewer, kind, form(site, token="wrong")):
            pass


def test_the_stand_in_answers_in_the_shape_atlassian_publishes(site: AtlassianServer) -> None:
    document, issue = published("jira"), site.issue("Alarm", "It rang.")
    for number in range(3):
        site.say(issue, f"<p>Remark {number}.</p>", visibility={"type": "role", "value": "Admins"})
    [file] = (site.attach(issue, "log.txt", "Four degrees."),)
    for path, schema in (
        ("search", "SearchResults"),
        (f"issue/{issue}", "IssueBean"),
        (f"issue/{issue}/comment", "PageOfComments"),
        ("myself", "User"),
    ):
        status, said = site.answer(f"/rest/api/3/{path}", {"jql": "", "fields": "comment"})
        assert (status, complaints(document, schema, said)) == (200, []), path
    held = site.issues[issue]["fields"]["attachment"]
    assert [each["id"] for each in held] == [file]
    assert complaints(document, "Attachment", held[0]) == []
    assert complaints(document, "IssueBean", {"id": 7, "kea": "OPS-7"}) != []


def test_clients_made_from_what_atlassian_publishes_find_nothing_unexpected(site: AtlassianServer) -> None:
    site.groups["leads"] = ["eva@b.test"]
    page, issue = site.page("The move", "We move in May."), site.issue("Alarm", "It rang.")
    site.page("Below", "A raise.", above=page)
    site.attached(page, "attachment", "crates.txt", "Two thousand crates.")
    site.attached(page, "comment", "Re: The move", "In June.")
    site.content[page]["restrictions"] = site.asides[page] = reading(("tom@b.test",), ("leads",))
    site.say(issue, "<p>Remark.</p>")
    site.attach(issue, "log.txt", "Four degrees.")
    asked = {"page": page, "issue": issue, "group": "id-leads"}
    assert audited(site.url, EMAIL, TOKEN, **asked) == []
    del site.content[page]["version"]["number"]
    site.issues[issue]["titel"] = "no such field"
    assert len(audited(site.url, EMAIL, TOKEN, **asked)) >= 1


def test_a_client_that_others_wrote_reads_the_stand_in_too(site: AtlassianServer) -> None:
    page, issue = site.page("The move", "We move in May."), site.issue("Alarm", "It rang.")
    confluence = Confluence(url=site.url, username=EMAIL, password=TOKEN)
    assert confluence.get_page_by_id(page)["title"] == "The move"
    jira = Jira(url=site.url, username=EMAIL, password=TOKEN)
    assert jira.issue(f"OPS-{issue}")["fields"]["summary"] == "Alarm"
    assert [each["id"] for each in jira.jql('project in ("OPS")')["issues"]] == [issue]
