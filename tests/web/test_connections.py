"""Connecting a provider through the pages, against an emulator that others wrote, on one instance and on two."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import pytest_asyncio
import sqlalchemy as sa
from litestar import Litestar
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.credentials import Grant
from domain.integrations import Integration, IntegrationKind
from domain.people import Viewer
from domain.vault import Tools
from infra.analysis import WordAnalyzer
from infra.connectors import make_oauth
from infra.connectors.providers import open_client
from infra.database import make_engine, tenant_transaction
from infra.queue import make_queue
from infra.secrets import Sealer, StateSigner
from infra.settings import read_settings
from infra.store import Stores
from tests.peers.emulate import CLIENT_ID, CLIENT_SECRET, Emulators, consent
from tests.web.browser import Browser, sign_in
from web.app import create_app
from web.doors import Doors, WebSettings

SECRET = "a secret of the tests alone"


def provider_environment(emulators: Emulators) -> dict[str, str]:
    return {
        "GITHUB_CLIENT_ID": CLIENT_ID,
        "GITHUB_CLIENT_SECRET": CLIENT_SECRET,
        "GITHUB_URL": emulators.github_url,
        "GITHUB_API_URL": emulators.github_url,
        "BASE_URL": "http://vault.test",
    }


@pytest_asyncio.fixture
async def tools(tools: Tools, emulators: Emulators) -> AsyncIterator[Tools]:
    settings = read_settings(provider_environment(emulators))
    async with open_client() as client:
        yield replace(tools, oauth=make_oauth(client, settings.providers, settings.base_url, StateSigner(SECRET)))


async def begun(browser: Browser, path: str = "/connect/github") -> str:
    """The consent page that the browser is sent to."""
    answer = await browser.client.get(path, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


async def allowed(browser: Browser, person: str = "ana", path: str = "/connect/github") -> str:
    """Where the provider sends the browser once a person has allowed."""
    return await consent(await begun(browser, path), person)


async def connected(stores: Stores, viewer: Viewer) -> list[Integration]:
    async with stores.open_vault(viewer) as vault:
        return [each for each in await vault.integrations.all() if each.kind == IntegrationKind.GITHUB]


async def grant_of(stores: Stores, viewer: Viewer, integration: Integration) -> Grant:
    async with stores.open_vault(viewer) as vault:
        return await vault.credentials.get(integration.id)


@asynccontextmanager
async def another_instance(
    doors: Doors, tools: Tools, web_settings: WebSettings, database_url: str, emulators: Emulators
) -> AsyncIterator[Litestar]:
    """The application once more, as another machine runs it: only the database and the secret are shared."""
    engine = make_engine(database_url, pool_size=4)

    async def publish(_tenant_id: int, _facts: object) -> None:
        return None

    stores = Stores(engine, make_queue(database_url), WordAnalyzer(), "words@1", publish, Sealer([SECRET]))
    own_doors = replace(doors, open_vault=stores.open_vault, open_lobby=stores.open_lobby)
    async with open_client() as client:
        settings = read_settings(provider_environment(emulators))
        own_tools = replace(tools, oauth=make_oauth(client, settings.providers, settings.base_url, StateSigner(SECRET)))
        yield create_app(own_doors, own_tools, web_settings)
    await engine.dispose()


@pytest_asyncio.fixture
async def second_app(
    doors: Doors, tools: Tools, web_settings: WebSettings, database_url: str, emulators: Emulators
) -> AsyncIterator[Litestar]:
    async with another_instance(doors, tools, web_settings, database_url, emulators) as app:
        yield app


def other_browser(app: Litestar, browser: Browser) -> Browser:
    """The same person's browser, served by another instance: cookies are all that both know."""
    other = Browser(app)
    other.client.cookies.update(browser.client.cookies)
    return other


async def test_an_admin_connects_github_and_is_asked_what_to_read(
    admin: Browser, admin_viewer: Viewer, stores: Stores
) -> None:
    await admin.visit("/integrations/new")
    assert "Connect GitHub" in admin.words
    await admin.visit(await allowed(admin))
    assert admin.heading == "Choose repositories"
    [integration] = await connected(stores, admin_viewer)
    assert (integration.name, integration.settings["account"]) == ("GitHub: ana", "ana")
    grant = await grant_of(stores, admin_viewer, integration)
    assert grant.access_token.startswith("gho_")
    assert grant.scopes == ("repo",)
    await admin.visit("/integrations")
    assert ("Choose repositories" in admin.words, "Sync now" in admin.words) == (True, False)
    await admin.visit(f"/integrations/{integration.id}")
    assert "Nothing is chosen yet" in admin.words
    assert "Nothing yet. Choose repositories and dates" in admin.words


async def test_the_consent_page_is_asked_for_the_least_and_with_a_challenge(admin: Browser) -> None:
    asked = parse_qs(urlsplit(await begun(admin, "/connect/github?private=no")).query)
    assert "scope" not in asked
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["code_challenge"][0]) == 43
    assert asked["redirect_uri"] == ["http://vault.test/connect/github/callback"]
    assert parse_qs(urlsplit(await begun(admin)).query)["scope"] == ["repo"]


async def test_tokens_lie_sealed_in_the_database(
    admin: Browser, admin_viewer: Viewer, stores: Stores, engine: AsyncEngine
) -> None:
    await admin.visit(await allowed(admin))
    [integration] = await connected(stores, admin_viewer)
    token = (await grant_of(stores, admin_viewer, integration)).access_token
    async with tenant_transaction(engine, admin_viewer.tenant_id) as connection:
        [row] = await connection.execute(sa.text("select * from credentials"))
    assert token.encode() not in bytes(row.sealed)
    assert token not in str(row)


async def test_consent_begun_on_one_instance_is_finished_on_another(admin: Browser, second_app: Litestar) -> None:
    other = other_browser(second_app, admin)
    await other.visit(await allowed(admin))
    assert other.heading == "Choose repositories"
    await admin.visit("/integrations")
    assert "GitHub: ana" in admin.words
    await other.client.aclose()


async def test_a_state_is_good_once(admin: Browser, admin_viewer: Viewer, stores: Stores) -> None:
    address = await allowed(admin)
    await admin.visit(address)
    await admin.visit(address)
    assert (admin.status, admin.heading) == (403, "GitHub is not connected")
    assert "used already" in admin.words
    assert len(await connected(stores, admin_viewer)) == 1


async def test_exactly_one_of_twenty_simultaneous_callbacks_on_two_instances_wins(
    admin: Browser, admin_viewer: Viewer, stores: Stores, second_app: Litestar
) -> None:
    address, other = await allowed(admin), other_browser(second_app, admin)
    clients = (admin.client, other.client)
    answers = await asyncio.gather(*(clients[number % 2].get(address, follow_redirects=False) for number in range(20)))
    assert sorted(answer.status_code for answer in answers) == [303] + [403] * 19
    assert len(await connected(stores, admin_viewer)) == 1
    await other.client.aclose()


async def test_consent_that_took_too_long_is_refused(
    admin: Browser, doors: Doors, tools: Tools, web_settings: WebSettings
) -> None:
    address = await allowed(admin)
    late = replace(tools, now=lambda: tools.now() + timedelta(minutes=10))
    other = other_browser(create_app(doors, late, web_settings), admin)
    await other.visit(address)
    assert (other.status, "10 minutes" in other.words) == (422, True)
    await other.client.aclose()


@pytest.mark.parametrize("change", ["cut", "foreign", "empty"])
async def test_a_state_that_was_tampered_with_is_refused(admin: Browser, change: str) -> None:
    address = await allowed(admin)
    state = parse_qs(urlsplit(address).query)["state"][0]
    forged = {"cut": state[:-4], "foreign": "eyJhbGciOiJub25lIn0.e30.", "empty": ""}[change]
    await admin.visit(address.replace(state, forged))
    assert (admin.status, "not begun here" in admin.words) == (422, True)


async def test_another_browser_of_the_same_person_is_refused(
    admin: Browser, email: str, new_browser: Callable[[], Browser], admin_viewer: Viewer, stores: Stores
) -> None:
    address = await allowed(admin)
    other = await sign_in(new_browser(), email)
    await other.visit(address)
    assert (other.status, "another browser" in other.words) == (403, True)
    assert not await connected(stores, admin_viewer)


async def test_somebody_of_another_vault_is_refused(admin: Browser, stranger: Browser) -> None:
    await stranger.visit(await allowed(admin))
    assert (stranger.status, "another browser" in stranger.words) == (403, True)


async def test_a_person_who_has_changed_the_vault_meanwhile_is_told_so(
    admin: Browser, admin_viewer: Viewer, email: str, stores: Stores
) -> None:
    async with stores.open_lobby() as lobby:
        other = await lobby.add_tenant("Elsewhere", f"e-{admin_viewer.tenant_id}-{admin_viewer.user_id}")
        await lobby.add_membership(other.id, admin_viewer.user_id, admin_viewer.role)
    address = await allowed(admin)
    await admin.visit("/tenants")
    await admin.submit("/session/tenant", tenant_id=str(other.id))
    await admin.visit(address)
    assert (admin.status, "another vault of yours" in admin.words) == (403, True)


async def test_a_callback_without_a_session_says_to_sign_in(admin: Browser, new_browser: Callable[[], Browser]) -> None:
    nobody = new_browser()
    await nobody.visit(await allowed(admin))
    assert (nobody.status, nobody.heading) == (403, "GitHub is not connected")
    assert "Sign in" in nobody.words


async def test_a_denied_consent_says_what_to_do_and_uses_the_state_up(
    admin: Browser, admin_viewer: Viewer, stores: Stores
) -> None:
    address = await allowed(admin)
    state = parse_qs(urlsplit(address).query)["state"][0]
    await admin.visit(f"/connect/github/callback?error=access_denied&state={state}")
    assert (admin.status, "begin again and allow" in admin.words) == (403, True)
    await admin.visit(address)
    assert "used already" in admin.words
    assert not await connected(stores, admin_viewer)


async def test_a_code_that_the_provider_does_not_know_is_refused(admin: Browser) -> None:
    address = await allowed(admin)
    code = parse_qs(urlsplit(address).query)["code"][0]
    await admin.visit(address.replace(code, "invented"))
    assert (admin.status, "did not accept the consent" in admin.words) == (403, True)


async def test_a_wrong_client_secret_names_the_operator(
    admin: Browser, emulators: Emulators, doors: Doors, tools: Tools, web_settings: WebSettings
) -> None:
    settings = read_settings({**provider_environment(emulators), "GITHUB_CLIENT_SECRET": "wrong"})
    async with open_client() as client:
        wrong = replace(tools, oauth=make_oauth(client, settings.providers, settings.base_url, StateSigner(SECRET)))
        other = other_browser(create_app(doors, wrong, web_settings), admin)
        await other.visit(await allowed(other))
        assert (other.status, "client id, secret or address" in other.words) == (403, True)
        await other.client.aclose()


async def test_an_unknown_provider_is_not_found(admin: Browser) -> None:
    assert (await admin.visit("/connect/gitlab")).status == 404
    assert (await admin.visit("/connect/gitlab/callback?state=x")).status == 404
    assert (await admin.visit("/connect/github?integration=x")).status == 404


async def test_a_member_may_not_connect(admin: Browser, admin_viewer: Viewer, email: str, engine: AsyncEngine) -> None:
    address = await allowed(admin)
    async with tenant_transaction(engine, admin_viewer.tenant_id) as connection:
        await connection.execute(sa.text("update memberships set role = 'member'"))
    assert (await admin.visit("/connect/github")).status == 403
    assert (await admin.visit(address)).status == 403


async def test_reconnecting_renews_the_access_and_keeps_the_integration(
    admin: Browser, admin_viewer: Viewer, stores: Stores
) -> None:
    await admin.visit(await allowed(admin))
    [integration] = await connected(stores, admin_viewer)
    before = await grant_of(stores, admin_viewer, integration)
    await admin.visit(await allowed(admin, "ana", f"/connect/github?integration={integration.id}"))
    assert [each.id for each in await connected(stores, admin_viewer)] == [integration.id]
    assert await grant_of(stores, admin_viewer, integration) != before
    await admin.visit(await allowed(admin, "ana"))
    assert [each.id for each in await connected(stores, admin_viewer)] == [integration.id]


async def test_another_account_cannot_take_an_integrations_place(
    admin: Browser, admin_viewer: Viewer, stores: Stores
) -> None:
    await admin.visit(await allowed(admin))
    [integration] = await connected(stores, admin_viewer)
    before = await grant_of(stores, admin_viewer, integration)
    await admin.visit(await allowed(admin, "tom", f"/connect/github?integration={integration.id}"))
    assert (admin.status, "tom" in admin.words, "reads ana" in admin.words) == (409, True, True)
    assert await grant_of(stores, admin_viewer, integration) == before


async def test_two_accounts_of_one_provider_stand_side_by_side(
    admin: Browser, admin_viewer: Viewer, stores: Stores
) -> None:
    for person in ("ana", "tom"):
        await admin.visit(await allowed(admin, person))
    assert [each.name for each in await connected(stores, admin_viewer)] == ["GitHub: ana", "GitHub: tom"]


async def test_what_is_chosen_is_kept_and_synced_and_nothing_else_can_be_smuggled_in(
    admin: Browser, admin_viewer: Viewer, stores: Stores, emulators: Emulators
) -> None:
    name = f"plans-{admin_viewer.tenant_id}"
    async with httpx.AsyncClient(base_url=emulators.github_url, headers={"Authorization": "Bearer gho_ana"}) as ana:
        assert (await ana.post("/user/repos", json={"name": name, "private": True})).is_success
    await admin.visit(await allowed(admin))
    [integration] = await connected(stores, admin_viewer)
    path = f"/integrations/{integration.id}/selection"
    await admin.submit(path, chosen="../../user")
    assert (admin.status, "Choose at least one" in admin.words) == (422, True)
    await admin.submit(path, chosen=f"ana/{name}", is_shared="yes")
    assert admin.path.startswith("/syncs/")
    [integration] = await connected(stores, admin_viewer)
    assert (integration.settings["chosen"], integration.settings["is_shared"]) == (f"ana/{name}", "yes")


async def test_removal_deletes_the_credential_and_names_what_is_left_to_do(
    admin: Browser, admin_viewer: Viewer, stores: Stores, engine: AsyncEngine
) -> None:
    """The emulator knows no call to end a token, as GitHub does not know a foreign one: both are as good as ended."""
    await admin.visit(await allowed(admin))
    [integration] = await connected(stores, admin_viewer)
    await admin.visit(f"/integrations/{integration.id}/removal/new")
    assert "Our access to it is deleted at once, and ended at the provider." in admin.words
    await admin.submit(f"/integrations/{integration.id}/removal")
    assert "was removed" in admin.words
    async with tenant_transaction(engine, admin_viewer.tenant_id) as connection:
        assert (await connection.execute(sa.text("select count(*) from credentials"))).scalar_one() == 0


async def test_tickets_that_nobody_came_back_for_go_with_the_next(
    admin: Browser, admin_viewer: Viewer, engine: AsyncEngine
) -> None:
    await begun(admin)
    async with tenant_transaction(engine, admin_viewer.tenant_id) as connection:
        await connection.execute(sa.text("update oauth_nonces set expires_at = now() - interval '1 second'"))
    await begun(admin)
    async with tenant_transaction(engine, admin_viewer.tenant_id) as connection:
        assert (await connection.execute(sa.text("select count(*) from oauth_nonces"))).scalar_one() == 1
