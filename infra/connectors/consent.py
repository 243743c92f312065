"""One way to ask any provider for consent; what is its own stands in its terms, a value beside its connector."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

import httpx
import msgspec

from domain.credentials import Account, Choice, Grant
from infra.connectors.http import Source, fixed_token
from infra.connectors.oauth import STANDARD, Dialect, OAuthClient
from infra.connectors.providers import REDIRECT_PATH
from infra.registrations import ProviderSettings, Registration


@dataclass(frozen=True, slots=True)
class Consented:
    """An account that was opened by consent."""

    source: Source
    """What it holds, where the provider answers over HTTP."""
    grant: Grant
    api_url: str


class End(Protocol):
    """Ends a grant at its provider."""

    async def __call__(self, oauth: OAuthClient, settings: ProviderSettings, grant: Grant) -> None:
        """Raises: Unavailable when nobody but a person can, or not just now."""


async def end_by_rfc_7009(oauth: OAuthClient, settings: ProviderSettings, grant: Grant) -> None:  # noqa: ARG001 (an End)
    """End a grant as the standard says; an unknown one is as good as ended."""
    await oauth.revoke(grant)


@dataclass(frozen=True, slots=True)
class Terms:
    """What one provider wants of a consent, and how it tells whose account it is and what there is to choose."""

    name: str
    """As it stands in addresses, and what the kind of integration is called that it gives access to."""
    title: str
    choice_noun: str
    registration: Registration
    """Where it answers, unless the settings say otherwise."""
    account: Callable[[Consented], Awaitable[Account]]
    """Asks whose account it is; the source is the registration's `account_url`, or else the API."""
    choices: Callable[[Consented], Awaitable[Sequence[Choice]]]
    """Asks what can be chosen, in any order."""
    access_page: str
    """Where a person ends what they allowed; `{url}` stands for the provider's own address."""
    scopes: tuple[str, ...] = ()
    """Those without which it cannot be read."""
    asked: tuple[str, ...] = ()
    """All that are asked for."""
    asked_in_public: tuple[str, ...] | None = None
    """Those asked for when public things suffice; None where the provider does not tell these apart."""
    more: Mapping[str, str] = field(default_factory=dict)
    """What its consent page wants to know besides."""
    dialect: Dialect = STANDARD
    end: End = end_by_rfc_7009
    is_personal: bool = True
    must_choose: bool = False
    mirrors_access: bool = True
    never_read: str = ""


class ConsentProvider:
    """Consent at one provider, by its terms; see `domain.credentials.Provider`."""

    def __init__(self, terms: Terms, client: httpx.AsyncClient, settings: ProviderSettings, base_url: str) -> None:
        self._terms = terms
        self._client = client
        self._settings = settings
        redirect_uri = base_url + REDIRECT_PATH.format(provider=terms.name)
        self._oauth = OAuthClient(client, terms.title, settings, redirect_uri, terms.dialect)
        self.name = self.kind = terms.name
        self.title = terms.title
        self.choice_noun = terms.choice_noun
        self.access_page = terms.access_page.replace("{url}", settings.url)
        self.is_personal = terms.is_personal
        self.must_choose = terms.must_choose
        self.has_public_only = terms.asked_in_public is not None
        self.mirrors_access = terms.mirrors_access
        self.never_read = terms.never_read
        self.host = urlsplit(settings.api_url).hostname or ""
        self.scopes = terms.scopes

    def authorize_url(self, state: str, challenge: str, is_private: bool) -> str:
        public = self._terms.asked_in_public
        asked = self._terms.asked if is_private or public is None else public
        return self._oauth.authorize_url(state, challenge, asked, **self._terms.more)

    async def exchange(self, code: str, verifier: str) -> Grant:
        return self._named(await self._oauth.exchange(code, verifier))

    async def renew(self, grant: Grant) -> Grant:
        return self._named(await self._oauth.renew(grant))

    async def revoke(self, grant: Grant) -> None:
        await self._terms.end(self._oauth, self._settings, grant)

    async def account(self, grant: Grant) -> Account:
        return await self._terms.account(self._consented(grant, self._settings.account_url))

    async def choices(self, grant: Grant) -> Sequence[Choice]:
        return in_order(await self._terms.choices(self._consented(grant, "")))

    def _named(self, grant: Grant) -> Grant:
        """Name our scopes as we do: a provider may write them in short or in full, and in other letters."""
        ours = {_short(scope): scope for scope in self.scopes}
        return msgspec.structs.replace(grant, scopes=tuple(ours.get(_short(each), each) for each in grant.scopes))

    def _consented(self, grant: Grant, url: str) -> Consented:
        api_url = self._settings.api_url
        return Consented(Source(self._client, self.title, url or api_url, fixed_token(grant)), grant, api_url)


def in_order(found: Sequence[Choice]) -> list[Choice]:
    """Return choices as people see them: by order, then by name."""
    return sorted(found, key=lambda choice: (choice.order, choice.name.lower()))


def _short(scope: str) -> str:
    return scope.rstrip("/").rsplit("/", 1)[-1].lower()
