"""What a consent needs (state, ticket, provider), what it gives (a grant), and where that is kept."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from domain.errors import NotFound

NOT_SET_UP = "This provider is not set up on this server. Ask an admin to set a client id and a secret for it."
DIES_SOON = timedelta(days=7)
"""People are warned this long before a grant ends for good."""
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
    dies_at: datetime | None = None
    """When it can no longer be renewed, as far as the provider says."""
    holder: str = ""
    """Who gave it, in the provider's own words (JSON), where it says that beside the token."""

    def is_fresh(self, now: datetime) -> bool:
        """Whether the access token can be used for a while yet."""
        return self.expires_at is None or self.expires_at - now > RENEWED_BEFORE

    def __repr__(self) -> str:
        """Keep tokens out of logs and tracebacks."""
        return f"Grant(scopes={self.scopes!r}, expires_at={self.expires_at!r})"


class App(msgspec.Struct, frozen=True):
    """How somebody is registered at a provider: a client id and its secret."""

    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        """Keep the secret out of logs and tracebacks."""
        return f"App({self.client_id!r})"


class Registered(msgspec.Struct, frozen=True):
    """A kind of integration whose provider has to know us first."""

    kind: str
    app: str
    """Kinds of the same provider share an app: google."""
    title: str
    """As people write the provider: Google."""
    callback: str
    """The address to enter at the provider."""
    is_set_up: bool
    """Whether this server's settings hold an app for it."""


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
    email: str = ""
    """The address of whoever gave consent, where the provider vouches for it."""


class Choice(msgspec.Struct, frozen=True):
    """A part of an account that can be chosen for reading: a repository, a channel, a folder."""

    id: str
    name: str
    is_private: bool
    description: str = ""
    group: str = ""
    """The heading under which it is offered; "" where all stand together."""
    order: int = 0
    """Groups with a lower one come first; within one it goes by order, then by name."""


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
    is_personal: bool
    """Whether what it gives access to belongs to the person who connects it."""
    must_choose: bool
    """Whether nothing is read before something was chosen; otherwise nothing chosen means everything."""
    has_public_only: bool
    """Whether consent can be asked for public things alone."""
    mirrors_access: bool
    """Whether the provider says who may read each thing."""
    host: str
    """The server that holds what it gives access to."""
    never_read: str
    """What is read in no case, in a sentence; "" where there is nothing to say."""
    scopes: tuple[str, ...]
    """Those without which it cannot be read."""

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
        """Return what can be chosen, by order and name. Raises: Forbidden, Unavailable."""


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

    async def note_problem(self, integration_id: int, problem: str) -> None:
        """Remember why access has ended, for people; "" when it works. What changes is announced after the commit."""

    async def warn(self, integration_id: int, now: datetime) -> bool:
        """Return, once for each grant, that it will soon be beyond renewal; announced after the commit."""

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


class Apps(Protocol):
    """The apps that one tenant registered at providers itself, sealed at rest."""

    async def all(self) -> Mapping[str, App]:
        """Return them by name: google."""

    async def save(self, name: str, app: App) -> None:
        """Keep an app in place of the one before it."""

    async def remove(self, name: str) -> None:
        """Forget an app; harmless when there is none."""


@dataclass(frozen=True, slots=True)
class OAuth:
    """What consents need: the providers of this deployment by name, and the signature."""

    providers: Mapping[str, Provider]
    """Those that the settings of this server set up."""
    states: States
    registered: tuple[Registered, ...] = ()
    """All that could be set up."""
    make: Callable[[str, App], Provider] | None = None
    """Makes a provider, by its name, that uses another app."""

    def with_apps(self, apps: Mapping[str, App]) -> dict[str, Provider]:
        """Return the providers of a tenant by name: those of the server, unless the tenant has an app of its own."""
        make = self.make
        own = {each.kind: make(each.kind, apps[each.app]) for each in self.registered if make and each.app in apps}
        return {**self.providers, **own}

    def title(self, name: str) -> str:
        """Return how people call a provider. Raises: NotFound when there is none of this name."""
        titles = {each.kind: each.title for each in self.registered}
        titles.update({kind: provider.title for kind, provider in self.providers.items()})
        if name not in titles:
            raise NotFound(NOT_SET_UP)
        return titles[name]
