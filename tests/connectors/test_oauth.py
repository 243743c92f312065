"""OAuth towards a provider that enforces PKCE (Google, as others emulate it), and renewal by many processes at once."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import pytest_asyncio
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.credentials import Account, Choice, Grant, OAuth
from domain.errors import Forbidden, NotFound, Unavailable
from domain.integrations import Integration, IntegrationKind
from domain.oauth import challenge_of, disconnect, fresh_grant
from domain.people import Viewer
from infra.connectors.consent import ConsentProvider
from infra.connectors.github_consent import TERMS as GITHUB
from infra.connectors.oauth import OAuthClient
from infra.connectors.providers import open_client
from infra.database import tenant_transaction
from infra.registrations import ProviderSettings
from infra.secrets import Sealer, StateSigner
from infra.store import Stores
from infra.store.credentials import CredentialStore
from tests.peers.emulate import CALLBACKS, CLIENT_ID, CLIENT_SECRET, Emulators, consent

NOW = datetime(2030, 5, 1, 12, 0, tzinfo=UTC)
VERIFIER = "v" * 64
SCOPES = ("openid", "email", "profile")


def settings_at(url: str, client_secret: str = CLIENT_SECRET) -> ProviderSettings:
    return ProviderSettings(
        client_id=CLIENT_ID,
        client_secret=client_secret,
        url=url,
        api_url=url,
        authorize_url=f"{url}/o/oauth2/v2/auth",
        token_url=f"{url}/oauth2/token",
        revoke_url=f"{url}/oauth2/revoke",
    )


@pytest_asyncio.fixture
async def google(emulators: Emulators) -> AsyncIterator[OAuthClient]:
    async with open_client() as client:
        yield OAuthClient(client, "Google", settings_at(emulators.google_url), CALLBACKS[1])


async def code_for(google: OAuthClient) -> str:
    address = google.authorize_url("state", challenge_of(VERIFIER), SCOPES, access_type="offline", prompt="consent")
    return parse_qs(urlsplit(await consent(address, "ana")).query)["code"][0]


async def test_a_code_is_exchanged_with_its_verifier_and_with_no_other(google: OAuthClient) -> None:
    with pytest.raises(Forbidden, match="Begin again"):
        await google.exchange(await code_for(google), "w" * 64)
    grant = await google.exchange(await code_for(google), VERIFIER)
    assert grant.access_token
    assert set(grant.scopes) >= {"openid", "email"}
    assert grant.expires_at is not None


async def test_a_grant_is_renewed_and_after_its_revocation_it_is_not(google: OAuthClient) -> None:
    grant = await google.exchange(await code_for(google), VERIFIER)
    renewed = await google.renew(grant)
    assert renewed.access_token != grant.access_token
    assert renewed.refresh_token
    await google.revoke(renewed)
    with pytest.raises(Forbidden, match="no longer accepts our access"):
        await google.renew(renewed)


async def test_a_provider_that_is_away_is_said_to_be(emulators: Emulators) -> None:
    async with open_client() as client:
        away = OAuthClient(client, "Google", settings_at("http://127.0.0.1:9"), CALLBACKS[1])
        with pytest.raises(Unavailable, match="does not answer"):
            await away.exchange("code", VERIFIER)


async def test_an_answer_that_is_no_answer_is_not_trusted() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text="<html>")

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        with pytest.raises(Unavailable, match="do not understand"):
            await OAuthClient(client, "Google", settings_at("http://g.test"), CALLBACKS[1]).exchange("code", VERIFIER)


async def test_github_is_told_to_end_a_token_as_its_documentation_says() -> None:
    """Emulators know no such call: DELETE /applications/{client_id}/token, with client id and secret as password."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(204)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        settings = ProviderSettings("id", "secret", "", "", "", "", "http://gh.test/applications/id/token")
        await ConsentProvider(GITHUB, client, settings, "http://vault.test").revoke(Grant("gho_x"))
    [request] = seen
    assert (request.method, request.url.path) == ("DELETE", "/applications/id/token")
    assert json.loads(request.content) == {"access_token": "gho_x"}
    assert request.headers["Authorization"].startswith("Basic ")


@dataclass
class Rotating:
    """A provider whose refresh tokens are good once, as Box's and Microsoft's are."""

    name: str = "github"
    title: str = "GitHub"
    kind: IntegrationKind = IntegrationKind.GITHUB
    choice_noun: str = "repositories"
    access_page: str = "http://gh.test/settings"
    is_personal: bool = False
    must_choose: bool = True
    has_public_only: bool = True
    mirrors_access: bool = False
    never_read: str = ""
    host: str = "api.gh.test"
    scopes: tuple[str, ...] = ()
    n_renewed: int = 0
    is_away: bool = False
    revoked: list[Grant] = field(default_factory=list)

    def authorize_url(self, state: str, challenge: str, is_private: bool) -> str:
        return f"http://gh.test?state={state}"

    async def exchange(self, code: str, verifier: str) -> Grant:
        return Grant("a0", "r0")

    async def renew(self, grant: Grant) -> Grant:
        if grant.refresh_token != f"r{self.n_renewed}":
            raise Forbidden("This refresh token was used already.")
        self.n_renewed += 1
        await asyncio.sleep(0)
        return Grant(f"a{self.n_renewed}", f"r{self.n_renewed}", expires_at=NOW + timedelta(hours=1))

    async def revoke(self, grant: Grant) -> None:
        if self.is_away:
            raise Unavailable("away")
        self.revoked.append(grant)

    async def account(self, grant: Grant) -> Account:
        return Account("1", "ana")

    async def choices(self, grant: Grant) -> Sequence[Choice]:
        return ()


async def integration_with(stores: Stores, viewer: Viewer, grant: Grant) -> Integration:
    async with stores.open_vault(viewer) as vault:
        integration = await vault.integrations.add(IntegrationKind.GITHUB, "GitHub: ana", {}, None)
        await vault.credentials.save(integration.id, grant)
        return integration


async def test_of_many_who_need_a_new_token_at_once_one_asks_for_it(stores: Stores, viewer: Viewer) -> None:
    provider = Rotating()
    integration = await integration_with(stores, viewer, Grant("a0", "r0", expires_at=NOW))
    grants = await asyncio.gather(
        *(fresh_grant(stores.open_vault, viewer, provider, integration.id, NOW) for _ in range(8))
    )
    assert provider.n_renewed == 1
    assert {(grant.access_token, grant.refresh_token) for grant in grants} == {("a1", "r1")}


async def test_a_token_that_was_refused_is_renewed_though_it_seemed_fresh(stores: Stores, viewer: Viewer) -> None:
    provider = Rotating()
    integration = await integration_with(stores, viewer, Grant("a0", "r0"))
    grant = await fresh_grant(stores.open_vault, viewer, provider, integration.id, NOW, refused="a0")
    assert grant.access_token == "a1"
    assert await fresh_grant(stores.open_vault, viewer, provider, integration.id, NOW, refused="a0") == grant


async def test_what_cannot_be_renewed_asks_for_a_person(stores: Stores, viewer: Viewer) -> None:
    integration = await integration_with(stores, viewer, Grant("a0"))
    with pytest.raises(Forbidden, match="Reconnect it"):
        await fresh_grant(stores.open_vault, viewer, Rotating(), integration.id, NOW, refused="a0")


async def test_disconnecting_ends_the_grant_at_the_provider_and_says_so_when_it_cannot(
    stores: Stores, viewer: Viewer
) -> None:
    provider = Rotating()
    oauth = OAuth({"github": provider}, StateSigner("a key"))
    integration = await integration_with(stores, viewer, Grant("a0", "r0"))
    assert (await disconnect(oauth, stores.open_vault, viewer, integration.id)).left_to_do == ""
    assert [grant.access_token for grant in provider.revoked] == ["a0"]
    async with stores.open_vault(viewer) as vault:
        with pytest.raises(NotFound):
            await vault.credentials.get(integration.id)
    provider.is_away = True
    integration = await integration_with(stores, viewer, Grant("a0", "r0"))
    left = (await disconnect(oauth, stores.open_vault, viewer, integration.id)).left_to_do
    assert "http://gh.test/settings" in left


async def test_after_a_change_of_key_grants_open_and_are_sealed_anew_when_they_are_held(
    engine: AsyncEngine, stores: Stores, viewer: Viewer
) -> None:
    integration = await integration_with(stores, viewer, Grant("a0", "r0"))
    rotated = Sealer(["a new key", "a secret of the tests alone"])
    async with tenant_transaction(engine, viewer.tenant_id) as connection:
        assert (
            await CredentialStore(connection, viewer, rotated, lambda *_: None).hold(integration.id)
        ).access_token == "a0"
        key_id = (await connection.execute(sa.text("select key_id from credentials"))).scalar_one()
        assert key_id == rotated.key_id
    with pytest.raises(Forbidden, match="Reconnect"):
        async with stores.open_vault(viewer) as vault:
            await vault.credentials.get(integration.id)
