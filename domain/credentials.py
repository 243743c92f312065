"""What a consent needs (state, ticket, provider), what it gives (a grant), and where that is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from domain.errors import NotFound
from domain.integrations import Integration

RENEWED_BEFORE = timedelta(minutes=5)
"""A token that ends sooner than this is renewed before it is used."""


class Grant(msgspec.Struct, frozen=True):
    """The right to read an account; it leaves the process only sealed."""

    access_token: str
    refresh_token: str = ""
    """"" where the provider gives none."""
    scopes: tuple[str, ...] = ()
    expires_at: datetime | None = None
    """None when the access token does not end by itself."""

    def is_fresh(self, now: datetime) -> bool:
        """Whether the access token can be used for a while yet."""
        return self.expires_at is None or self.expires_at - now > RENEWED_BEFORE

    def __repr__(self) -> str:
        """Keep tokens out of logs and tracebacks."""
        return f"Grant(scopes={self.scopes!r}, expires_at={self.expires_at!r})"


class Secrets(msgspec.Struct, frozen=True):
    """What a person entered to give access (a password, a key), by field; it leaves the process only sealed."""

    values: dict[str, str]

    def __repr__(self) -> str:
        """Keep them out of logs and tracebacks."""
        return f"Secrets({', '.join(sorted(self.values))})"


class Account(msgspec.Struct, frozen=True):
    """Whose account a grant reads."""

    id: str
    """Stable at the provider."""
    name: str


class Choice(msgspec.Struct, frozen=True):
    """A part of an account that can be chosen for reading: a repository, a channel, a folder."""

    id: str
    name: str
    is_private: bool
    description: str = ""


class Provider(Protocol):
    """Speaks OAuth with one provider, and asks it whose account it is and what there is to choose."""

    name: str
    """As it stands in addresses: `github`."""
    title: str
    """As people write it: GitHub."""
    kind: str
    """The kind of integration it gives access to."""
    choice_noun: str
    """What is chosen, in the plural: repositories."""
    access_page: str
    """Where a person sees and ends what they allowed at the provider."""

    def authorize_url(self, state: str, challenge: str, is_private: bool) -> str:
        """Return the consent page; `challenge` is PKCE's, by S256 (RFC 7636). Scopes are the least that suffice."""

    async def exchange(self, code: str, verifier: str) -> Grant:
        """Return the grant for a code. Raises: Forbidden when it is refused, Unavailable."""

    async def renew(self, grant: Grant) -> Grant:
        """Return a new grant for the old one's refresh token. Raises: Forbidden when it is refused, Unavailable."""

    async def revoke(self, grant: Grant) -> None:
        """End the grant at the provider; one that is unknown there is as good as ended. Raises: Unavailable."""

    async def account(self, grant: Grant) -> Account:
        """Return whose account it is. Raises: Forbidden, Unavailable."""

    async def choices(self, grant: Grant) -> Sequence[Choice]:
        """Return what can be chosen, by name. Raises: Forbidden, Unavailable."""


class Credentials(Protocol):
    """The access of one tenant's integrations, sealed at rest: a grant, or secrets that were entered."""

    async def get(self, integration_id: int) -> Grant:
        """Return the grant of an integration. Raises: NotFound."""

    async def hold(self, integration_id: int) -> Grant:
        """Return it and keep everybody else from changing it until this transaction ends. Raises: NotFound."""

    async def save(self, integration_id: int, grant: Grant) -> None:
        """Keep a grant in place of the one before it."""

    async def secrets(self, integration_id: int) -> Secrets:
        """Return what was entered to connect an integration. Raises: NotFound, Forbidden when it stays shut."""

    async def save_secrets(self, integration_id: int, secrets: Secrets) -> None:
        """Keep what was entered in place of what was before."""


class Nonces(Protocol):
    """One-time tickets of consents under way, each with its PKCE verifier."""

    async def put(self, nonce: str, verifier: str, expires_at: datetime) -> None:
        """Keep a ticket; tickets that have expired go."""

    async def take(self, nonce: str) -> str | None:
        """Return the verifier once; whoever asks later, or at the same moment, gets None."""


class State(msgspec.Struct, frozen=True):
    """Who asked for consent, where, and what for."""

    nonce: str
    tenant_id: int
    user_id: int
    provider: str
    session: str
    """A digest of the browser session in which it began."""
    expires_at: datetime
    integration_id: int | None = None
    """The integration to give new access to; None for a new one."""


class States(Protocol):
    """Signs states, so that nobody else can write one."""

    def sign(self, state: State) -> str:
        """Return a state as it travels."""

    def read(self, signed: str) -> State:
        """Return a state that was signed here, however old. Raises: Invalid."""


@dataclass(frozen=True, slots=True)
class OAuth:
    """What consents need: the providers of this deployment by name, and the signature."""

    providers: Mapping[str, Provider]
    states: States

    def provider(self, name: str) -> Provider:
        """Return a provider. Raises: NotFound when this deployment has no such, or was given no client id for it."""
        if found := self.providers.get(name):
            return found
        raise NotFound("This provider is not set up on this server. Ask its operator to set a client id and a secret.")

    def provider_of(self, integration: Integration) -> Provider | None:
        """Return the provider an integration's access comes from; None where it needs none, or none is set up."""
        return next((each for each in self.providers.values() if each.kind == integration.kind), None)
