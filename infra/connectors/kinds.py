"""What makes a connector complete: its kind in words, how it is connected and tried, and where it gives consent.

A new one is a module that ends in such a `ConnectorKind`, and one line in the registry in `infra.connectors`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import httpx
import msgspec

from domain.integrations import Connector, Integration
from domain.kinds import Kind
from domain.people import Viewer
from domain.uploads import ObjectStore
from domain.vault import OpenVault
from infra.connectors.addresses import Outside
from infra.connectors.consent import Terms
from infra.connectors.http import N_TRIES, Source, Token


@dataclass(frozen=True, slots=True)
class Reach:
    """The way to a source: what was entered to get there, and what all connectors of a process share."""

    settings: Mapping[str, str]
    secrets: Callable[[], Awaitable[Mapping[str, str]]]
    """Opens what was sealed; read it when it is needed, and do not keep it. Raises: NotFound, Forbidden."""
    client: httpx.AsyncClient
    """Follows no redirect by itself; for requests, pass time-outs, and do not add to its headers."""
    now: Callable[[], datetime]
    outside: Outside | None = None
    """The way to servers whose addresses people enter; None where only providers of consent are reached."""

    n_tries: int = N_TRIES
    """How often a server that does not answer is asked; a person who waits at a form is told after the first time."""

    objects: ObjectStore | None = None
    """Where uploaded files lie, when not in Postgres."""

    @property
    def way_out(self) -> Outside:
        """The way to servers whose addresses people enter."""
        if self.outside is None:
            raise ValueError("this process reaches no servers that people enter")
        return self.outside


@dataclass(frozen=True, slots=True)
class Access:
    """One integration, and all that its connector may use."""

    reach: Reach
    integration: Integration
    viewer: Viewer
    open_vault: OpenVault
    title: str
    """How its source is called in messages."""
    api_url: str = ""
    """Where its provider's API answers; "" for kinds without consent."""
    token: Token | None = None
    """Gives the access token of its consent."""
    git_url: str = ""
    """Where its provider serves what only git gives."""

    def source(self, files_url: str = "") -> Source:
        """Return the provider's API in the name of the account that gave consent; files may lie on a second server."""
        if self.token is None:
            raise ValueError(f"{self.integration.kind} is not connected by consent")
        return Source(self.reach.client, self.title, self.api_url, self.token, files_url)


@dataclass(frozen=True, slots=True)
class ConnectorKind:
    """One kind of source, complete: a line of the registry."""

    kind: Kind
    connect: Callable[[Access], Connector]
    """Returns the connector of an integration, without asking the source. Raises: Invalid, Unavailable."""
    check: Callable[[Reach], Awaitable[str]] | None = None
    """For kinds with a form: reads a little with what was entered, and returns how the integration is called by itself.

    Raises: Invalid (with the fields at fault), Forbidden, Unavailable.
    """
    consent: Terms | None = None

    @property
    def described(self) -> Kind:
        """The kind in words, with what its consent leaves to be chosen."""
        must_choose = self.consent.choice_noun if self.consent and self.consent.must_choose else ""
        return msgspec.structs.replace(self.kind, must_choose=must_choose)
