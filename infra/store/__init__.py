"""The stores: SQL lives in this folder only, one module a noun. `Stores` opens vaults and lobbies over one engine."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.facts import Fact
from domain.lobby import Lobby
from domain.people import Viewer
from domain.vault import Vault
from infra.analysis import WordAnalyzer
from infra.database import lobby_transaction, tenant_transaction
from infra.queue import JobQueue
from infra.secrets import Sealer
from infra.store.apps import AppStore
from infra.store.audit import AuditStore
from infra.store.conversations import ConversationStore
from infra.store.credentials import CredentialStore
from infra.store.deletions import DeletionStore
from infra.store.documents import DocumentStore
from infra.store.entities import EntityStore
from infra.store.feedback import FeedbackStore
from infra.store.gap_answers import GapAnswerStore
from infra.store.gap_ranking import GapRankingStore
from infra.store.gap_stats import GapStatisticStore
from infra.store.gaps import GapStore
from infra.store.golden import GoldenStore
from infra.store.handovers import HandoverStore
from infra.store.history import HistoryStore
from infra.store.integrations import IntegrationStore
from infra.store.knowing import KnowingStore
from infra.store.lobby import LobbyStore
from infra.store.members import MemberStore
from infra.store.model_changes import ModelChangeStore
from infra.store.notes import NoteStore
from infra.store.oauth import NonceStore
from infra.store.parsing import ParsingStore
from infra.store.passages import PassageStore
from infra.store.radar import RadarStore
from infra.store.readers import AccessStore
from infra.store.received import ReceivedStore
from infra.store.removals import RemovalStore
from infra.store.reviews import ReviewStore
from infra.store.schedules import ScheduleStore
from infra.store.studies import StudyStore
from infra.store.surveys import SurveyStore
from infra.store.sync_parts import PartStore
from infra.store.syncs import SyncStore
from infra.store.tidings import TidingStore
from infra.store.trails import TrailStore
from infra.store.unanswered import UnansweredStore
from infra.store.uploads import UploadStore
from infra.store.verifications import VerificationStore
from infra.store.whereabouts import WhereaboutStore
from infra.store.whole_vault import WholeVaultStore

Publish = Callable[[int, Sequence[Fact]], Awaitable[None]]
"""Carries a tenant's facts to whoever watches; it must not raise."""


@dataclass(frozen=True, slots=True)
class Stores:
    """Opens transactions for viewers; facts are published after the commit, and only then."""

    engine: AsyncEngine
    queue: JobQueue
    analyzer: WordAnalyzer
    model: str
    """Name and revision of the embedding model: vectors of another are not compared."""
    publish: Publish
    sealer: Sealer
    next_model: str = ""
    """The same of the model that tenants may change to, or ""."""

    @asynccontextmanager
    async def open_vault(self, viewer: Viewer) -> AsyncIterator[Vault]:
        """See `domain.vault.OpenVault`."""
        facts: dict[int, list[Fact]] = {}
        async with tenant_transaction(self.engine, viewer.tenant_id) as connection:
            yield self._vault(connection, viewer, _collector(facts))
        await self._publish_all(facts)

    @asynccontextmanager
    async def open_lobby(self) -> AsyncIterator[Lobby]:
        """See `domain.vault.OpenLobby`."""
        facts: dict[int, list[Fact]] = {}
        async with lobby_transaction(self.engine) as connection:
            yield LobbyStore(connection, _collector(facts))
        await self._publish_all(facts)

    def _vault(self, connection: AsyncConnection, viewer: Viewer, announce: Callable[[int, Fact], None]) -> Vault:
        labels = (self.model, self.next_model) if self.next_model else (self.model,)
        syncs = SyncStore(connection, viewer, announce, self.queue)
        return Vault(
            viewer=viewer,
            members=MemberStore(connection, viewer, announce),
            integrations=IntegrationStore(connection, viewer),
            credentials=CredentialStore(connection, viewer, self.sealer, announce),
            nonces=NonceStore(connection, viewer),
            uploads=UploadStore(connection, viewer),
            received=ReceivedStore(connection, viewer),
            syncs=syncs,
            parts=PartStore(connection, viewer, self.queue),
            documents=DocumentStore(connection, viewer, self.analyzer, labels),
            passages=PassageStore(connection, viewer, self.analyzer, labels),
            parsing=ParsingStore(connection, viewer),
            conversations=ConversationStore(connection, viewer),
            audit=AuditStore(connection, viewer),
            trails=TrailStore(connection, viewer),
            deletions=DeletionStore(connection, viewer),
            schedules=ScheduleStore(connection, viewer, syncs),
            whereabouts=WhereaboutStore(connection, viewer),
            surveys=SurveyStore(connection, viewer),
            removals=RemovalStore(connection, viewer, self.queue),
            reviews=ReviewStore(connection, viewer, labels),
            feedback=FeedbackStore(connection, viewer),
            unanswered=UnansweredStore(connection, viewer),
            golden=GoldenStore(connection, viewer, self.queue),
            history=HistoryStore(connection, viewer),
            entities=EntityStore(connection, viewer, self.analyzer),
            graph=KnowingStore(connection, viewer),
            access=AccessStore(connection, viewer),
            apps=AppStore(connection, viewer, self.sealer),
            gaps=GapStore(connection, viewer),
            tidings=TidingStore(connection, viewer, self.analyzer),
            models=ModelChangeStore(connection, viewer, self.queue, labels),
            radar=RadarStore(connection, viewer, self.model),
            whole=WholeVaultStore(connection, viewer),
            studies=StudyStore(connection, viewer, self.queue),
            ranking=GapRankingStore(connection, viewer, self.model),
            gap_answers=GapAnswerStore(connection, viewer),
            gap_stats=GapStatisticStore(connection, viewer),
            verifications=VerificationStore(connection, viewer),
            notes=NoteStore(connection, viewer),
            handovers=HandoverStore(connection, viewer, announce),
        )

    async def _publish_all(self, facts: dict[int, list[Fact]]) -> None:
        for tenant_id, announced in facts.items():
            await self.publish(tenant_id, announced)


def _collector(facts: dict[int, list[Fact]]) -> Callable[[int, Fact], None]:
    def announce(tenant_id: int, fact: Fact) -> None:
        facts.setdefault(tenant_id, []).append(fact)

    return announce
