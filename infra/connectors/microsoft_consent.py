"""Microsoft's consent, shared by Outlook, OneDrive and SharePoint: one app, and for each its own read-only scope.

Refresh tokens rotate; Microsoft knows no call that ends one grant, so people are told where they end it themselves.
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

IDENTITY = ("openid", "offline_access", "User.Read")
GUEST = "#EXT#"
OWN_DOMAINS = frozenset({"outlook.com", "hotmail.com", "live.com", "msn.com"})
"""Where Microsoft itself gives addresses to private people."""
ID_OF_WORK_CHARACTERS = 36
"""Work accounts have a UUID, private ones a shorter number."""


def microsoft_registration(api: str) -> Registration:
    """Return how a part of Microsoft Graph is registered; all share MICROSOFT_CLIENT_ID."""
    return Registration(
        app="microsoft",
        title="Microsoft",
        url="https://login.microsoftonline.com/common",
        api_url="https://graph.microsoft.com",
        authorize_url="{url}/oauth2/v2.0/authorize",
        token_url="{url}/oauth2/v2.0/token",  # noqa: S106 (an address)
        revoke_url="{url}/oauth2/v2.0/logout",
        account_url="{api_url}/v1.0/me",
        api=api,
    )


class Person(msgspec.Struct, frozen=True, rename="camel"):
    """What Graph says of whoever gave consent."""

    id: str
    display_name: str | None = None
    mail: str | None = None
    user_principal_name: str | None = None


class MicrosoftProvider:
    """Consent at Microsoft for one part of Graph."""

    name: str
    title: str
    kind: str
    choice_noun: str
    scope: str
    is_personal = True
    must_choose = False
    has_public_only = False
    mirrors_access = True
    access_page = "https://myapps.microsoft.com (for a private account: https://account.live.com/consent/Manage)"

    def __init__(self, client: httpx.AsyncClient, settings: ProviderSettings, base_url: str) -> None:
        self._client = client
        self._settings = settings
        self._oauth = OAuthClient(client, self.title, settings, base_url + REDIRECT_PATH.format(provider=self.name))
        self.scopes: tuple[str, ...] = (self.scope,)

    def authorize_url(self, state: str, challenge: str, is_private: bool) -> str:  # noqa: ARG002 (nothing is public)
        return self._oauth.authorize_url(state, challenge, (*IDENTITY, self.scope), prompt="select_account")

    async def exchange(self, code: str, verifier: str) -> Grant:
        return self._read(await self._oauth.exchange(code, verifier))

    async def renew(self, grant: Grant) -> Grant:
        return self._read(await self._oauth.renew(grant))

    async def revoke(self, grant: Grant) -> None:  # noqa: ARG002 (no call ends it)
        raise Unavailable("Microsoft lets nobody but you end an access.")

    async def account(self, grant: Grant) -> Account:
        source = Source(self._client, self.title, self._settings.account_url, fixed_token(grant))
        person = msgspec.json.decode((await source.get("")).content, type=Person)
        name = person.mail or person.user_principal_name or person.display_name or person.id
        return Account(person.id, name, vouched_address(person))

    async def choices(self, grant: Grant) -> Sequence[Choice]:
        """Return what can be chosen, by name."""
        raise NotImplementedError

    def _read(self, grant: Grant) -> Grant:
        """Name our scope as we do: Microsoft may write it in full, and in other letters."""
        ours = {self.scope.lower(): self.scope}
        short = (each.rsplit("/", 1)[-1] for each in grant.scopes)
        return msgspec.structs.replace(grant, scopes=tuple(ours.get(each.lower(), each) for each in short))

    def _source(self, grant: Grant) -> Source:
        return Source(self._client, self.title, self._settings.api_url, fixed_token(grant))


def vouched_address(person: Person) -> str:
    """Return the address Microsoft vouches for, or "".

    `mail` is whatever the admin of somebody's tenant enters, so it proves nothing; a principal name can only end in a
    domain that the tenant proved. A private account's name may be an address elsewhere, and then is nobody's proof.
    """
    name = (person.user_principal_name or "").strip()
    if GUEST in name.upper() or "@" not in name:
        return ""
    is_work = len(person.id) == ID_OF_WORK_CHARACTERS
    return name if is_work or name.rpartition("@")[2].lower() in OWN_DOMAINS else ""
