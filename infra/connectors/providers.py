"""The providers this deployment can ask for consent: those it was given a client id for."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import httpx
import msgspec

from domain.credentials import Account, Choice, Grant, Provider
from domain.errors import Unavailable
from domain.integrations import IntegrationKind
from infra.connectors.http import Source
from infra.connectors.oauth import OAuthClient
from infra.settings import ProviderSettings, Settings

REDIRECT_PATH = "/connect/{provider}/callback"
MAX_CHOICES = 2_000


@asynccontextmanager
async def open_client() -> AsyncIterator[httpx.AsyncClient]:
    """Open the client that all connectors of a process share; redirects are followed by hand, where that is safe."""
    async with httpx.AsyncClient(follow_redirects=False, headers={"User-Agent": "KnowledgeVault"}) as client:
        yield client


def make_providers(client: httpx.AsyncClient, settings: Settings) -> dict[str, Provider]:
    """Return the providers that are set up, by name."""
    providers: list[Provider] = []
    if settings.github.client_id:
        providers.append(GitHub(client, settings.github, settings.base_url))
    return {provider.name: provider for provider in providers}


class Person(msgspec.Struct, frozen=True):
    """A user of GitHub."""

    id: int
    login: str


class Listed(msgspec.Struct, frozen=True):
    """A repository in a list."""

    full_name: str
    private: bool
    description: str | None = None


class GitHub:
    """GitHub's OAuth apps. Their only scope for private repositories, `repo`, would also allow writing; we never do."""

    name = "github"
    title = "GitHub"
    kind = IntegrationKind.GITHUB
    choice_noun = "repositories"

    def __init__(self, client: httpx.AsyncClient, settings: ProviderSettings, base_url: str) -> None:
        self._client = client
        self._settings = settings
        self._oauth = OAuthClient(client, self.title, settings, base_url + REDIRECT_PATH.format(provider=self.name))
        self.access_page = f"{settings.url}/settings/applications"

    def authorize_url(self, state: str, challenge: str, is_private: bool) -> str:
        return self._oauth.authorize_url(state, challenge, ("repo",) if is_private else ())

    async def exchange(self, code: str, verifier: str) -> Grant:
        return await self._oauth.exchange(code, verifier)

    async def renew(self, grant: Grant) -> Grant:
        return await self._oauth.renew(grant)

    async def revoke(self, grant: Grant) -> None:
        """GitHub ends a token by a call of its own, with our client id and secret as user and password."""
        answer = await self._oauth.send(
            "DELETE",
            self._settings.revoke_url,
            json={"access_token": grant.access_token},
            auth=(self._settings.client_id, self._settings.client_secret),
        )
        if answer.status_code not in (204, 404, 422):
            raise Unavailable("GitHub could not end our access just now.")

    async def account(self, grant: Grant) -> Account:
        person = msgspec.json.decode((await self._source(grant).get("/user")).content, type=Person)
        return Account(str(person.id), person.login)

    async def choices(self, grant: Grant) -> Sequence[Choice]:
        found: list[Choice] = []
        async for page in self._source(grant).pages("/user/repos", {"per_page": "100", "sort": "full_name"}):
            listed = msgspec.json.decode(page.content, type=list[Listed])
            found += [Choice(each.full_name, each.full_name, each.private, each.description or "") for each in listed]
            if len(found) >= MAX_CHOICES:
                break
        return sorted(found, key=_lowered)

    def _source(self, grant: Grant) -> Source:
        async def token(refused: str) -> str:  # noqa: ARG001 (a grant that was just given cannot be renewed)
            return grant.access_token

        return Source(self._client, self.title, self._settings.api_url, token)


def _lowered(choice: Choice) -> str:
    return choice.name.lower()


def provider_named(providers: Mapping[str, Provider], name: str, title: str) -> Provider:
    """Return a provider that an integration needs. Raises: Unavailable when this deployment has no client id for it."""
    if found := providers.get(name):
        return found
    raise Unavailable(f"{title} is not set up on this server any more. Ask the operator to set its client id again.")
