"""Connectors: one module for each kind of source, and the one list that says which there are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import httpx

from domain.credentials import Provider
from domain.errors import Invalid
from domain.integrations import Connector, Integration
from domain.kinds import Entered, Kinds
from domain.oauth import fresh_grant
from domain.people import Viewer
from domain.vault import OpenVault
from infra.connectors import folder, github, imap, mediawiki, notion, s3, upload, web, webdav
from infra.connectors.addresses import Outside
from infra.connectors.http import Token
from infra.connectors.kinds import Access, ConnectorKind, Reach
from infra.connectors.providers import provider_named
from infra.registrations import ProviderSettings

REGISTRY: tuple[ConnectorKind, ...] = (
    upload.KIND,
    folder.KIND,
    github.KIND,
    imap.KIND,
    web.KIND,
    webdav.KIND,
    s3.KIND,
    mediawiki.KIND,
    notion.KIND,
)
"""Every kind of source, in the order people see them."""


@dataclass(frozen=True, slots=True)
class Connectors:
    """Makes connectors; what they share in a process is made in the composition root."""

    client: httpx.AsyncClient
    providers: Mapping[str, Provider]
    """Those that are set up here, by the name of their kind."""
    settings: Mapping[str, ProviderSettings]
    """Of every kind that is connected by consent, by its name."""
    now: Callable[[], datetime]
    registry: tuple[ConnectorKind, ...] = REGISTRY
    outside: Outside | None = None

    @property
    def kinds(self) -> Kinds:
        """What can be connected, and how it is tried."""
        return Kinds(tuple(each.kind for each in self.registry), self.check)

    def connect(self, integration: Integration, viewer: Viewer, open_vault: OpenVault) -> Connector:
        """Return the connector that reads an integration.

        Raises: Invalid when its settings do not suffice, Unavailable when its provider is no longer set up here.
        """

        async def secrets() -> Mapping[str, str]:
            async with open_vault(viewer) as vault:
                return (await vault.credentials.secrets(integration.id)).values

        found = self._registered(integration.kind)
        reach = Reach(integration.settings, secrets, self.client, self.now, self.outside)
        if found.consent is None:
            return found.connect(Access(reach, integration, viewer, open_vault, found.kind.title))
        provider = provider_named(self.providers, found.kind.name, found.kind.title)
        token = self._token(provider, integration, viewer, open_vault)
        api_url = self.settings[found.kind.name].api_url
        return found.connect(Access(reach, integration, viewer, open_vault, provider.title, api_url, token))

    async def check(self, kind: str, entered: Entered) -> str:
        """See `domain.kinds.Check`."""

        async def secrets() -> Mapping[str, str]:
            return entered.secrets

        found = self._registered(kind)
        if found.check is None:
            return ""
        return await found.check(Reach(entered.settings, secrets, self.client, self.now, self.outside, n_tries=1))

    def _registered(self, kind: str) -> ConnectorKind:
        if found := next((each for each in self.registry if each.kind.name == kind), None):
            return found
        raise Invalid("This server does not know this kind of source any more. Remove the integration.")

    def _token(self, provider: Provider, integration: Integration, viewer: Viewer, open_vault: OpenVault) -> Token:
        """Give the token of the row each time, so that one renewed elsewhere, or taken away, is noticed at once."""

        async def token(refused: str) -> str:
            grant = await fresh_grant(open_vault, viewer, provider, integration.id, self.now(), refused)
            return grant.access_token

        return token


def make_providers(
    client: httpx.AsyncClient, settings: Mapping[str, ProviderSettings], base_url: str
) -> dict[str, Provider]:
    """Return the providers that are set up, by the name of their kind."""
    consents = ((each.kind.name, each.consent) for each in REGISTRY if each.consent)
    return {
        name: consent.make_provider(client, settings[name], base_url)
        for name, consent in consents
        if settings[name].client_id
    }
