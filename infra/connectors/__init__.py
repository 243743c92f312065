"""Connectors: one module for each kind of source, and the one list that says which reads what."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx

from domain.credentials import Provider
from domain.errors import Invalid
from domain.integrations import Connector, Integration, IntegrationKind
from domain.oauth import fresh_grant
from domain.people import Viewer
from domain.uploads import ObjectStore
from domain.vault import OpenVault
from infra.connectors.folder import FolderConnector
from infra.connectors.folder_access import folder_access
from infra.connectors.github import GitHubConnector
from infra.connectors.http import Source, Token
from infra.connectors.providers import provider_named
from infra.connectors.upload import UploadConnector


@dataclass(frozen=True, slots=True)
class Connectors:
    """Makes connectors; what they share in a process is made in the composition root."""

    client: httpx.AsyncClient
    providers: Mapping[str, Provider]
    github_api_url: str
    now: Callable[[], datetime]
    objects: ObjectStore | None = None

    def connect(self, integration: Integration, viewer: Viewer, open_vault: OpenVault) -> Connector:
        """Return the connector that reads an integration.

        Raises: Invalid when its settings do not suffice, Unavailable when its provider is no longer set up here.
        """
        match integration.kind:
            case IntegrationKind.UPLOAD:
                return UploadConnector(viewer, open_vault, self.objects)
            case IntegrationKind.FOLDER:
                root = Path(integration.settings.get("path", ""))
                if not integration.settings.get("path") or not root.exists():
                    raise Invalid(f"The folder {root} is not on this machine. Check its path, then sync again.")
                return FolderConnector(root, folder_access(root, integration.settings.get("admin", "")))
            case IntegrationKind.GITHUB:
                provider = provider_named(self.providers, "github", "GitHub")
                token = self._token(provider, integration, viewer, open_vault)
                source = Source(self.client, provider.title, self.github_api_url, token)
                return GitHubConnector(integration, source, viewer, open_vault)

    def _token(self, provider: Provider, integration: Integration, viewer: Viewer, open_vault: OpenVault) -> Token:
        """Give the token of the row each time, so that one renewed elsewhere, or taken away, is noticed at once."""

        async def token(refused: str) -> str:
            grant = await fresh_grant(open_vault, viewer, provider, integration.id, self.now(), refused)
            return grant.access_token

        return token
