"""A worker that is killed in the middle of a sync: `python -m tests.connectors.dying`, told by JSON what to die of."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from argon2.profiles import CHEAPEST

from domain.facts import Fact
from domain.integrations import Connector, Integration, Item, Page
from domain.kinds import Kinds
from domain.people import Viewer, system_viewer
from domain.vault import OpenVault, Tools, Vault
from infra.analysis import WordAnalyzer
from infra.connectors import REGISTRY, Connectors, make_oauth
from infra.connectors.addresses import open_outside
from infra.connectors.providers import open_client
from infra.database import make_engine
from infra.parsers.process import parser_process
from infra.passwords import Argon2Passwords
from infra.queue import make_queue
from infra.secrets import Sealer, StateSigner
from infra.settings import read_settings
from infra.store import Stores
from infra.triggers import make_matcher
from infra.worker import run_sync
from tests.domain.fakes import WordEmbedder


class Orders(msgspec.Struct, frozen=True):
    """Which sync to begin, and after how many files fetched, or transactions committed, to be killed."""

    database_url: str
    sealed_with: str
    environment: dict[str, str]
    tenant_id: int
    sync_id: int
    n_fetched: int = 0
    n_committed: int = 0


@dataclass
class Doom:
    """Kills this process, as nothing in it can prevent, when so much has happened; 0 is never."""

    n_left: int

    def comes_nearer(self) -> None:
        self.n_left -= 1
        if self.n_left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class Counted:
    """A connector whose fetches are counted."""

    connector: Connector
    doom: Doom

    @property
    def is_snapshot(self) -> bool:
        return self.connector.is_snapshot

    def pages(self, cursor: str) -> AsyncIterator[Page]:
        return self.connector.pages(cursor)

    def again(self, external_ids: Sequence[str]) -> AsyncIterator[Page]:
        return self.connector.again(external_ids)

    async def fetch(self, item: Item) -> bytes:
        self.doom.comes_nearer()
        return await self.connector.fetch(item)


async def begin(orders: Orders) -> None:
    """Carry the sync on until the end comes."""
    fetching, committing = Doom(orders.n_fetched), Doom(orders.n_committed)
    stores = _stores(orders.database_url, orders.sealed_with)

    @asynccontextmanager
    async def open_vault(viewer: Viewer) -> AsyncIterator[Vault]:
        async with stores.open_vault(viewer) as vault:
            yield vault
        committing.comes_nearer()

    async with _connectors(orders.environment) as connectors:

        def connect(integration: Integration, viewer: Viewer, within: OpenVault) -> Connector:
            return Counted(connectors.connect(integration, viewer, within), fetching)

        tools = Tools(
            embedder=WordEmbedder(384),
            analyzer=WordAnalyzer(),
            language_model=None,
            make_parser=parser_process,
            connect=connect,
            passwords=Argon2Passwords(CHEAPEST),
            now=lambda: datetime.now(UTC),
            kinds=Kinds(tuple(each.kind for each in REGISTRY)),
            matcher=make_matcher(),
        )
        await run_sync(open_vault, tools, system_viewer(orders.tenant_id), orders.sync_id)


def _stores(database_url: str, sealed_with: str) -> Stores:
    async def publish(tenant_id: int, facts: Sequence[Fact]) -> None:
        """Nobody listens here."""

    engine = make_engine(database_url, pool_size=4)
    return Stores(engine, make_queue(database_url), WordAnalyzer(), "words@1", publish, Sealer([sealed_with]))


@asynccontextmanager
async def _connectors(environment: Mapping[str, str]) -> AsyncIterator[Connectors]:
    async with open_client() as client, open_outside(["127.0.0.1"]) as outside:
        read = read_settings(environment)
        oauth = make_oauth(client, read.providers, read.base_url, StateSigner("a key"))
        yield Connectors(client, oauth, read.providers, lambda: datetime.now(UTC), outside=outside)


if __name__ == "__main__":
    asyncio.run(begin(msgspec.json.decode(sys.stdin.buffer.read(), type=Orders)))
