"""Opens single stores on real Postgres, with the facts they announced."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.facts import Fact
from domain.people import Viewer
from infra.database import lobby_transaction, tenant_transaction
from infra.store.conversations import ConversationStore
from infra.store.lobby import LobbyStore
from infra.store.members import MemberStore

NOW = datetime(2030, 5, 1, 12, 0, tzinfo=UTC)
Announced = list[tuple[int, Fact]]


@asynccontextmanager
async def lobby(engine: AsyncEngine, announced: Announced | None = None) -> AsyncIterator[LobbyStore]:
    facts: Announced = [] if announced is None else announced
    async with lobby_transaction(engine) as connection:
        yield LobbyStore(connection, lambda tenant_id, fact: facts.append((tenant_id, fact)))


@asynccontextmanager
async def members(
    engine: AsyncEngine, viewer: Viewer, announced: Announced | None = None
) -> AsyncIterator[MemberStore]:
    facts: Announced = [] if announced is None else announced
    async with tenant_transaction(engine, viewer.tenant_id) as connection:
        yield MemberStore(connection, viewer, lambda tenant_id, fact: facts.append((tenant_id, fact)))


@asynccontextmanager
async def conversations(engine: AsyncEngine, viewer: Viewer) -> AsyncIterator[ConversationStore]:
    async with tenant_transaction(engine, viewer.tenant_id) as connection:
        yield ConversationStore(connection, viewer)
