"""An integration with a peer, and the means to sync it and to see what came of it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import httpx

from domain.credentials import Grant
from domain.documents import LibraryFilter, LibrarySort
from domain.integrations import Integration
from domain.people import Viewer, system_viewer
from domain.syncs import Sync, Trigger
from domain.vault import Tools
from infra.connectors import REGISTRY, Connectors, make_oauth
from infra.connectors.providers import open_client
from infra.secrets import StateSigner
from infra.settings import read_settings
from infra.store import Stores
from infra.worker import run_sync


@dataclass
class Vaulted:
    """An integration with the repository, and the means to sync it."""

    stores: Stores
    viewer: Viewer
    integration: Integration
    tools: Tools
    asked: list[str] = field(default_factory=list)
    """The requests to the provider, by method and path."""

    async def sync(self) -> Sync:
        self.asked.clear()
        async with self.stores.open_vault(self.viewer) as vault:
            sync = await vault.syncs.request(self.integration.id, Trigger.PERSON)
        done = await run_sync(self.stores.open_vault, self.tools, system_viewer(self.viewer.tenant_id), sync.id)
        assert done is not None
        return done

    async def configure(self, **settings: str) -> None:
        async with self.stores.open_vault(self.viewer) as vault:
            held = await vault.integrations.get(self.integration.id)
            await vault.integrations.configure(held.id, {**held.settings, **settings})

    async def texts(self, viewer: Viewer | None = None) -> dict[str, str]:
        """What a member finds, text by external id."""
        async with self.stores.open_vault(viewer or self.viewer) as vault:
            page = await vault.documents.page(LibraryFilter(), LibrarySort.TITLE, "", 500)
            return {each.external_id: (await vault.documents.version(each.id)).text for each in page.documents}


@asynccontextmanager
async def connected(
    stores: Stores,
    viewer: Viewer,
    tools: Tools,
    kind: str,
    environment: Mapping[str, str],
    grant: Grant,
    settings: Mapping[str, str] | None = None,
) -> AsyncIterator[Vaulted]:
    """Connect the viewer's account of a provider that answers where the environment says, and note what it is asked."""
    is_personal = next(each.kind.is_personal for each in REGISTRY if each.kind.name == kind)
    given = {"connected_by": str(viewer.user_id), **(settings or {})}
    async with stores.open_vault(viewer) as vault:
        owner_id = viewer.user_id if is_personal else None
        integration = await vault.integrations.add(kind, f"{kind}: ana", given, owner_id)
        await vault.credentials.save(integration.id, grant)
        await vault.access.prove(viewer.user_id, "ana@tidewater.example")
    async with open_client() as client:
        read = read_settings(environment)
        oauth = make_oauth(client, read.providers, read.base_url, StateSigner("a key"))
        connectors = Connectors(client, oauth, read.providers, lambda: datetime.now(UTC))
        vaulted = Vaulted(stores, viewer, integration, replace(tools, connect=connectors.connect))

        async def note(request: httpx.Request) -> None:
            vaulted.asked.append(f"{request.method} {request.url.path}")

        client.event_hooks["request"].append(note)
        yield vaulted
