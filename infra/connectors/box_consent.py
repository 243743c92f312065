"""Consent to read a Box account, and the folders at its top, to choose from.

Box has no scopes in the request: what an app may do is ticked where it is registered, and reading is enough for us.
"""

from collections.abc import Sequence

import httpx
import msgspec

from domain.credentials import Account, Choice, Grant
from domain.errors import Unavailable
from infra.connectors.http import Source, fixed_token
from infra.connectors.oauth import OAuthClient
from infra.connectors.providers import REDIRECT_PATH
from infra.registrations import ProviderSettings, Registration

BOX = "box"
REGISTRATION = Registration(
    app=BOX,
    title="Box",
    url="https://account.box.com",
    api_url="https://api.box.com",
    authorize_url="{url}/api/oauth2/authorize",
    token_url="{api_url}/oauth2/token",  # noqa: S106 (an address)
    revoke_url="{api_url}/oauth2/revoke",
)
MAX_CHOICES = 1000


class User(msgspec.Struct, frozen=True):
    """Whose account it is."""

    id: str
    name: str = ""
    login: str = ""


class Listed(msgspec.Struct, frozen=True):
    """A file or folder, by name."""

    id: str
    type: str
    name: str = ""


class Top(msgspec.Struct, frozen=True):
    """What lies at the top."""

    entries: tuple[Listed, ...] = ()


class Box:
    """Box, as the person who consents sees it; its refresh tokens are good once."""

    name = BOX
    title = "Box"
    kind = BOX
    choice_noun = "folders"
    is_personal = True
    must_choose = False
    has_public_only = False
    mirrors_access = True
    access_page = "https://app.box.com/account/apps"
    scopes: tuple[str, ...] = ()

    def __init__(self, client: httpx.AsyncClient, settings: ProviderSettings, base_url: str) -> None:
        self._client = client
        self._settings = settings
        self._oauth = OAuthClient(client, self.title, settings, base_url + REDIRECT_PATH.format(provider=self.name))

    def authorize_url(self, state: str, challenge: str, is_private: bool) -> str:  # noqa: ARG002 (Box has one consent)
        return self._oauth.authorize_url(state, challenge, ())

    async def exchange(self, code: str, verifier: str) -> Grant:
        return await self._oauth.exchange(code, verifier)

    async def renew(self, grant: Grant) -> Grant:
        return await self._oauth.renew(grant)

    async def revoke(self, grant: Grant) -> None:
        """Box ends a grant by a call of its own, with our client id and secret beside the token."""
        token = grant.refresh_token or grant.access_token
        settings = self._settings
        asked = {"client_id": settings.client_id, "client_secret": settings.client_secret, "token": token}
        answer = await self._oauth.send("POST", settings.revoke_url, data=asked)
        if answer.status_code >= 500:
            raise Unavailable("Box could not end our access just now.")

    async def account(self, grant: Grant) -> Account:
        user = msgspec.json.decode((await self._source(grant).get("/2.0/users/me")).content, type=User)
        return Account(user.id, user.login or user.name, user.login)

    async def choices(self, grant: Grant) -> Sequence[Choice]:
        params = {"limit": str(MAX_CHOICES), "usemarker": "true"}
        answer = await self._source(grant).get("/2.0/folders/0/items", params)
        folders = (each for each in msgspec.json.decode(answer.content, type=Top).entries if each.type == "folder")
        return sorted((Choice(each.id, each.name, is_private=True) for each in folders), key=_lowered)

    def _source(self, grant: Grant) -> Source:
        return Source(self._client, self.title, self._settings.api_url, fixed_token(grant))


def _lowered(choice: Choice) -> str:
    return choice.name.lower()
