"""Connectors: one module for each kind of source, and the one list that says which there are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import httpx
import msgspec

from domain.connecting import is_by_consent
from domain.credentials import App, Grant, OAuth, Provider, Registered, States
from domain.errors import Invalid
from domain.integrations import Connector, Integration
from domain.kinds import Entered, Kinds
from domain.oauth import fresh_grant, providers_of
from domain.people import Viewer
from domain.uploads import ObjectStore
from domain.vault import OpenVault
from infra.connectors import (
    answers,
    box,
    confluence,
    drive,
    folder,
    forwarding,
    github,
    gmail,
    imap,
    jira,
    mediawiki,
    notion,
    onedrive,
    outlook,
    s3,
    slack,
    upload,
    web,
    webdav,
)
from infra.connectors.addresses import Outside
from infra.connectors.consent import ConsentProvider
from infra.connectors.http import Token, fixed_token
from infra.connectors.kinds import Access, ConnectorKind, Reach
from infra.connectors.providers import REDIRECT_PATH, provider_found
from infra.registrations import ProviderSettings

REGISTRY: tuple[ConnectorKind, ...] = (
    upload.KIND,
    answers.KIND,
    folder.KIND,
    gmail.KIND,
    drive.KIND,
    outlook.KIND,
    onedrive.KIND,
    onedrive.SHAREPOINT_KIND,
    slack.KIND,
    github.KIND,
    box.KIND,
    imap.KIND,
    imap.GOOGLE_KIND,
    imap.MICROSOFT_KIND,
    forwarding.KIND,
    web.KIND,
    webdav.KIND,
    s3.KIND,
    mediawiki.KIND,
    notion.KIND,
    confluence.KIND,
    jira.KIND,
)
"""Every kind of source, in the order people see them."""


@dataclass(frozen=True, slots=True)
class Connectors:
    """Makes connectors; what they share in a process is made in the composition root."""

    client: httpx.AsyncClient
    oauth: OAuth | None
    settings: Mapping[str, ProviderSettings]
    """Of every kind that is connected by consent, by its name."""
    now: Callable[[], datetime]
    objects: ObjectStore | None = None
    registry: tuple[ConnectorKind, ...] = REGISTRY
    outside: Outside | None = None

    @property
    def kinds(self) -> Kinds:
        """What can be connected, and how it is tried."""
        return Kinds(tuple(each.described for each in self.registry), self.check)

    def connect(self, integration: Integration, viewer: Viewer, open_vault: OpenVault) -> Connector:
        """Return the connector that reads an integration.

        Raises: Invalid when its settings do not suffice.
        """

        async def secrets() -> Mapping[str, str]:
            async with open_vault(viewer) as vault:
                return (await vault.credentials.secrets(integration.id)).values

        found = self._registered(integration.kind)
        reach = Reach(integration.settings, secrets, self.client, self.now, self.outside, objects=self.objects)
        if found.consent is None or not is_by_consent(found.kind, integration):
            return found.connect(Access(reach, integration, viewer, open_vault, found.kind.title))
        title, own = found.consent.registration.title, self.settings[found.kind.name]
        token = self._token(found, integration, viewer, open_vault)
        return found.connect(Access(reach, integration, viewer, open_vault, title, own.api_url, token, own.git_url))

    def trial(
        self, integration: Integration, given: Grant | Entered, viewer: Viewer, open_vault: OpenVault
    ) -> Connector:
        """See `domain.vault.Trial`."""

        async def secrets() -> Mapping[str, str]:
            return given.secrets if isinstance(given, Entered) else {}

        found = self._registered(integration.kind)
        settings = given.settings if isinstance(given, Entered) else integration.settings
        reach = Reach(settings, secrets, self.client, self.now, self.outside, n_tries=1, objects=self.objects)
        if found.consent is None or isinstance(given, Entered):
            tried = msgspec.structs.replace(integration, settings=settings)
            return found.connect(Access(reach, tried, viewer, open_vault, found.kind.title))
        title, own = found.consent.registration.title, self.settings[found.kind.name]
        access = Access(reach, integration, viewer, open_vault, title, own.api_url, fixed_token(given), own.git_url)
        return found.connect(access)

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

    def _token(self, found: ConnectorKind, integration: Integration, viewer: Viewer, open_vault: OpenVault) -> Token:
        """Give the token of the row each time, so that one renewed elsewhere, or taken away, is noticed at once."""
        provider: Provider | None = None

        async def token(refused: str) -> str:
            nonlocal provider
            if provider is None:
                async with open_vault(viewer) as vault:
                    provider = provider_found(await providers_of(self.oauth, vault), found.kind.name, found.kind.title)
            grant = await fresh_grant(open_vault, viewer, provider, integration.id, self.now(), refused)
            return grant.access_token

        return token


def make_oauth(
    client: httpx.AsyncClient, settings: Mapping[str, ProviderSettings], base_url: str, states: States
) -> OAuth:
    """Return what consents need, with the providers that the settings set up."""
    consents = {each.kind.name: each.consent for each in REGISTRY if each.consent}

    def make(kind: str, app: App) -> Provider:
        own = msgspec.structs.replace(settings[kind], client_id=app.client_id, client_secret=app.client_secret)
        return ConsentProvider(consents[kind], client, own, base_url)

    registered = tuple(
        Registered(
            kind,
            consent.registration.app,
            consent.registration.title,
            base_url + REDIRECT_PATH.format(provider=kind),
            bool(settings[kind].client_id),
        )
        for kind, consent in consents.items()
    )
    providers: dict[str, Provider] = {
        kind: ConsentProvider(consent, client, settings[kind], base_url)
        for kind, consent in consents.items()
        if settings[kind].client_id
    }
    return OAuth(providers, states, registered, make)
