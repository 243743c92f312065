"""A whole house to measure in: embedded servers in a scratch folder, the exported model, a tenant of its own."""

import dataclasses
import tempfile
import uuid
import warnings
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path

import msgspec

from domain.integrations import IntegrationKind
from domain.people import Viewer, system_viewer
from domain.syncs import Sync, Trigger
from domain.vault import Tools
from infra.embedded import POSTGRES_SETTINGS, Embedded, embedded
from infra.house import open_house
from infra.migrations import migrate
from infra.settings import read_settings
from infra.store import Stores
from infra.worker import run_sync
from tests.factories import Source


@dataclasses.dataclass(frozen=True)
class Measured:
    """What a measurement works with."""

    stores: Stores
    tools: Tools
    viewer: Viewer
    source: Source
    integration_id: int
    redis_url: str
    """An empty Redis, for who measures the cache; `tools` does without it."""

    async def folder(self, name: str) -> "Measured":
        """Return the same with a folder of its own, which holds no document yet."""
        async with self.stores.open_vault(self.viewer) as vault:
            added = await vault.integrations.add(IntegrationKind.FOLDER, name, {}, None)
        return dataclasses.replace(self, integration_id=added.id)

    async def sync(self) -> Sync:
        """Run one sync of the source to its end."""
        async with self.stores.open_vault(self.viewer) as vault:
            requested = await vault.syncs.request(self.integration_id, Trigger.IMPORT)
        finished = await run_sync(self.stores.open_vault, self.tools, self.viewer, requested.id)
        assert finished is not None
        return finished


def _started(folder: Path, postgres: Mapping[str, str]) -> AbstractContextManager[Embedded]:
    """Start twice: some settings are taken at a start only."""
    with embedded(folder, settings=postgres):
        pass
    return embedded(folder)


@asynccontextmanager
async def scratch_house(postgres: Mapping[str, str] = POSTGRES_SETTINGS) -> AsyncIterator[Measured]:
    """Open a house without Redis' cache of vectors, so that what is measured is computed."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, _started(Path(folder), postgres) as servers:
        migrate(servers.database_url)
        settings = msgspec.structs.replace(
            read_settings({"LOG_LEVEL": "error"}), database_url=servers.database_url, redis_url=""
        )
        async with open_house(settings, 4) as house:
            source = Source(page_size=100)
            tools = dataclasses.replace(house.tools, connect=lambda *_: source)
            async with house.stores.open_lobby() as lobby:
                tenant = await lobby.add_tenant("Bench", f"bench-{uuid.uuid4().hex[:8]}")
            viewer = system_viewer(tenant.id)
            async with house.stores.open_vault(viewer) as vault:
                integration = await vault.integrations.add(IntegrationKind.FOLDER, "Bench", {}, None)
            await house.tools.embedder.embed(["warm"])
            yield Measured(house.stores, tools, viewer, source, integration.id, servers.redis_url)
