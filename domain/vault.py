"""The two bundles every reader must learn: Vault (what a viewer may touch inside) and Tools (what lies outside)."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from domain.access import Access
from domain.audit import Audit
from domain.conversations import Conversations
from domain.credentials import Apps, Credentials, Grant, Nonces, OAuth
from domain.deletions import Deletions
from domain.documents import Documents
from domain.embedding import Embedder
from domain.entities import Entities, Graph
from domain.facts import Fact
from domain.feedback import FeedbackBook
from domain.found_gaps import Gaps
from domain.gap_answers import GapAnswers
from domain.gap_ranking import GapRanking
from domain.gap_stats import GapStatistics
from domain.golden import GoldenBook
from domain.handovers import Handovers
from domain.history import History
from domain.integrations import Connector, Integration, Integrations
from domain.kinds import Entered, Kinds
from domain.language import LanguageModel
from domain.lobby import Lobby
from domain.members import Members
from domain.model_changes import ModelChanges
from domain.notes import Links, Notes
from domain.parsing import Parser, ParseSettings, ParseSettingsStore
from domain.people import Viewer
from domain.privacy import Reviews
from domain.radar import Radar
from domain.received import MailAddresses, ReceivedMails
from domain.removals import Removals
from domain.schedules import Schedules
from domain.search import Analyzer, Passages
from domain.studies import Studies
from domain.surveys import Surveys
from domain.sync_parts import Parts
from domain.syncs import Syncs
from domain.tidings import Tidings
from domain.trails import Trails
from domain.transcribing import Transcriber
from domain.triggers import Matcher
from domain.unanswered import UnansweredQuestions
from domain.uploads import ObjectStore, Uploads
from domain.verifications import Verifications
from domain.whereabouts import Whereabouts
from domain.whole_vault import WholeVault


@dataclass(frozen=True, slots=True)
class Vault:
    """The stores, bound to one transaction, one tenant and one viewer. It commits when it is closed without error."""

    viewer: Viewer
    members: Members
    integrations: Integrations
    credentials: Credentials
    nonces: Nonces
    uploads: Uploads
    received: ReceivedMails
    syncs: Syncs
    parts: Parts
    documents: Documents
    passages: Passages
    parsing: ParseSettingsStore
    conversations: Conversations
    audit: Audit
    trails: Trails
    deletions: Deletions
    schedules: Schedules
    whereabouts: Whereabouts
    surveys: Surveys
    removals: Removals
    reviews: Reviews
    feedback: FeedbackBook
    unanswered: UnansweredQuestions
    golden: GoldenBook
    history: History
    entities: Entities
    graph: Graph
    access: Access
    apps: Apps
    gaps: Gaps
    tidings: Tidings
    models: ModelChanges
    radar: Radar
    whole: WholeVault
    studies: Studies
    ranking: GapRanking
    gap_answers: GapAnswers
    gap_stats: GapStatistics
    verifications: Verifications
    notes: Notes
    handovers: Handovers


OpenVault = Callable[[Viewer], AbstractAsyncContextManager[Vault]]
"""Opens a transaction for a viewer; commits at the end, rolls back on an error, announces facts after the commit."""

Trial = Callable[[Integration, Grant | Entered, Viewer, OpenVault], Connector]
"""Makes the connector of an integration with an access that is not kept yet. Raises: Invalid, Unavailable."""

OpenLobby = Callable[[], AbstractAsyncContextManager[Lobby]]
"""The same for accounts and sessions."""


class Passwords(Protocol):
    """Hashes and checks passwords; both take tens of milliseconds on purpose and run off the event loop."""

    async def hash(self, password: str) -> str:
        """Return a salted hash."""

    async def verify(self, password_hash: str, password: str) -> bool:
        """Return whether the password is right; an empty hash takes as long and is never right."""


class Watch(Protocol):
    """Lets a stream follow a tenant's facts."""

    def __call__(self, tenant_id: int) -> AbstractAsyncContextManager[AsyncIterator[Fact]]:
        """Subscribe, then yield facts as they are announced; slow readers lose middle facts, never the last."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What lies outside: models, parsers, sources, the clock."""

    embedder: Embedder
    analyzer: Analyzer
    language_model: LanguageModel | None
    make_parser: Callable[[ParseSettings], AbstractAsyncContextManager[Parser]]
    connect: Callable[[Integration, Viewer, OpenVault], Connector]
    passwords: Passwords
    now: Callable[[], datetime]
    matcher: Matcher
    oauth: OAuth | None = None
    """None where this deployment was given no client id of any provider."""
    objects: ObjectStore | None = None
    """Keeps uploaded files where a bucket is set up; None: Postgres keeps them."""
    links: Links | None = None
    """Signs and reads the links of mails."""
    transcriber: Transcriber | None = None
    """None where no transcription server is set up."""
    kinds: Kinds = field(default_factory=Kinds)
    """What can be connected."""
    trial: Trial | None = None
    """Makes connectors with an access that has yet to be kept."""
    mail_addresses: MailAddresses | None = None
    """Where mail is taken in; None where this deployment takes none."""
    next_embedder: Embedder | None = None
    """The model that tenants may change to, while there is one."""

    @property
    def embedders(self) -> dict[str, Embedder]:
        """The models that are set up, by label, today's first."""
        held = [self.embedder] if self.next_embedder is None else [self.embedder, self.next_embedder]
        return {each.model.label: each for each in held}

    def speaking(self, model: str) -> "Tools":
        """Return these tools with the embedder of the model with this label; today's where it is not set up."""
        return replace(self, embedder=self.embedders.get(model, self.embedder))
