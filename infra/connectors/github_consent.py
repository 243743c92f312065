"""GitHub's OAuth apps: consent, whose account it is, and which repositories there are to choose."""

from collections.abc import Sequence

import httpx
import msgspec

from domain.credentials import Account, Choice, Grant
from domain.errors import Unavailable
from domain.integrations import IntegrationKind
from infra.connectors.http import Source, fixed_token
from infra.connectors.oauth import OAuthClient
from infra.connectors.providers import REDIRECT_PATH
from infra.registrations import CLIENT_ID, ProviderSettings, Registration

MAX_CHOICES = 2_000
REGISTRATION = Registration(
    app="github",
    title="GitHub",
    url="https://github.com",
    api_url="https://api.github.com",
    authorize_url="{url}/login/oauth/authorize",
    token_url="{url}/login/oauth/access_token",  # noqa: S106 (an address)
    revoke_url="{api_url}/applications/{client_id}/token",
)


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
    kind: str = IntegrationKind.GITHUB
    choice_noun = "repositories"
    is_personal = False
    must_choose = True
    has_public_only = True
    mirrors_access = False
    scopes: tuple[str, ...] = ()

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
            self._settings.revoke_url.replace(CLIENT_ID, self._settings.client_id),
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
        return Source(self._client, self.title, self._settings.api_url, fixed_token(grant))


def _lowered(choice: Choice) -> str:
    return choice.name.lower()
