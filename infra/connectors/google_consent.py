"""Google's consent, shared by Gmail and Drive: one app, and for each of them its own read-only scope."""

from collections.abc import Sequence

import httpx
import msgspec

from domain.credentials import Account, Choice, Grant
from infra.connectors.http import Source, fixed_token
from infra.connectors.oauth import OAuthClient
from infra.connectors.providers import REDIRECT_PATH
from infra.registrations import ProviderSettings, Registration

IDENTITY = ("openid", "email")


def google_registration(api: str, api_url: str) -> Registration:
    """Return how one of Google's APIs is registered; all share GOOGLE_CLIENT_ID."""
    return Registration(
        app="google",
        title="Google",
        url="https://accounts.google.com",
        api_url=api_url,
        authorize_url="{url}/o/oauth2/v2/auth",
        token_url="https://oauth2.googleapis.com/token",  # noqa: S106 (an address)
        revoke_url="https://oauth2.googleapis.com/revoke",
        account_url="https://openidconnect.googleapis.com/v1/userinfo",
        api=api,
    )


class Person(msgspec.Struct, frozen=True):
    """What Google says of whoever gave consent; the identity number is `sub`, in older answers `id`."""

    email: str
    sub: str = ""
    id: str = ""
    email_verified: bool = False
    verified_email: bool = False


class GoogleProvider:
    """Consent at Google for one of its APIs; refresh tokens are given because access is asked for offline."""

    name: str
    title: str
    kind: str
    choice_noun: str
    scope: str
    is_personal = True
    must_choose = False
    has_public_only = False
    mirrors_access = True
    access_page = "https://myaccount.google.com/permissions"

    def __init__(self, client: httpx.AsyncClient, settings: ProviderSettings, base_url: str) -> None:
        self._client = client
        self._settings = settings
        self._oauth = OAuthClient(client, self.title, settings, base_url + REDIRECT_PATH.format(provider=self.name))
        self.scopes: tuple[str, ...] = (self.scope,)

    def authorize_url(self, state: str, challenge: str, is_private: bool) -> str:  # noqa: ARG002 (nothing is public)
        return self._oauth.authorize_url(
            state, challenge, (*IDENTITY, self.scope), access_type="offline", prompt="consent"
        )

    async def exchange(self, code: str, verifier: str) -> Grant:
        return await self._oauth.exchange(code, verifier)

    async def renew(self, grant: Grant) -> Grant:
        return await self._oauth.renew(grant)

    async def revoke(self, grant: Grant) -> None:
        await self._oauth.revoke(grant)

    async def account(self, grant: Grant) -> Account:
        source = Source(self._client, self.title, self._settings.account_url, fixed_token(grant))
        person = msgspec.json.decode((await source.get("")).content, type=Person)
        is_verified = person.email_verified or person.verified_email
        return Account(person.sub or person.id, person.email, person.email if is_verified else "")

    async def choices(self, grant: Grant) -> Sequence[Choice]:
        """Return what can be chosen, by name."""
        raise NotImplementedError

    def _source(self, grant: Grant) -> Source:
        return Source(self._client, self.title, self._settings.api_url, fixed_token(grant))
