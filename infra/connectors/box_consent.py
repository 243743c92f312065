"""Consent to read a Box account, and the folders at its top, to choose from.

Box has no scopes in the request: what an app may do is ticked where it is registered, and reading is enough for us.
"""

from collections.abc import Sequence

import msgspec

from domain.credentials import Account, Choice, Grant
from domain.errors import Unavailable
from infra.connectors.consent import Consented, Terms
from infra.connectors.oauth import OAuthClient
from infra.registrations import ProviderSettings, Registration

BOX = "box"
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


async def _end(oauth: OAuthClient, settings: ProviderSettings, grant: Grant) -> None:
    """Box ends a grant by a call of its own, with our client id and secret beside the token."""
    token = grant.refresh_token or grant.access_token
    asked = {"client_id": settings.client_id, "client_secret": settings.client_secret, "token": token}
    answer = await oauth.send("POST", settings.revoke_url, data=asked)
    if answer.status_code >= 500:
        raise Unavailable("Box could not end our access just now.")


async def _account(consented: Consented) -> Account:
    user = msgspec.json.decode((await consented.source.get("/2.0/users/me")).content, type=User)
    return Account(user.id, user.login or user.name, user.login)


async def _folders(consented: Consented) -> Sequence[Choice]:
    answer = await consented.source.get("/2.0/folders/0/items", {"limit": str(MAX_CHOICES), "usemarker": "true"})
    folders = (each for each in msgspec.json.decode(answer.content, type=Top).entries if each.type == "folder")
    return [Choice(each.id, each.name, is_private=True) for each in folders]


TERMS = Terms(
    name=BOX,
    title="Box",
    choice_noun="folders",
    registration=Registration(
        app=BOX,
        title="Box",
        url="https://account.box.com",
        api_url="https://api.box.com",
        authorize_url="{url}/api/oauth2/authorize",
        token_url="{api_url}/oauth2/token",  # noqa: S106 (an address)
        revoke_url="{api_url}/oauth2/revoke",
    ),
    account=_account,
    choices=_folders,
    access_page="https://app.box.com/account/apps",
    end=_end,
)
"""Box, as the person who consents sees it; its refresh tokens are good once."""
