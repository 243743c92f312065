"""The graph's nouns: entities and what they are called, mentions, relations with their proofs, merges; and the port.

A name or address found in a document is an *alias*; an entity is the aliases that are one thing. So a merge moves
aliases and an undone merge moves them back, and a relation found between two names belongs to whatever they name.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec


class EntityKind(StrEnum):
    """What an entity is."""

    PERSON = "person"
    SYSTEM = "system"
    ORGANISATION = "organisation"
    PROJECT = "project"
    PROCESS = "process"
    DOCUMENT = "document"
    TERM = "term"


class RelationKind(StrEnum):
    """How one entity stands to another; the order in which pages list them."""

    OWNS = "owns"
    MAINTAINS = "maintains"
    CREATED = "created"
    DECIDED = "decided"
    APPROVED = "approved"
    REVIEWED = "reviewed"
    ANSWERED = "answered"
    USES = "uses"
    DEPENDS_ON = "depends_on"
    REPLACES = "replaces"
    PART_OF = "part_of"
    REPORTS_TO = "reports_to"
    WORKS_WITH = "works_with"
    MENTIONS = "mentions"


class Found(msgspec.Struct, frozen=True):
    """A name, address or handle found in a document, with the spans that name it."""

    kind: EntityKind
    name: str
    spans: tuple[tuple[int, int], ...] = ((0, 0),)
    email: str = ""
    handle: str = ""
    role: str = ""
    """What it is to the document: `author`, `recipient`, `owner`, `self`; "" where it is only named."""
    is_certain: bool = True
    """False: it counts only where the tenant knows the name already."""


class FoundRelation(msgspec.Struct, frozen=True):
    """A relation read in a document, between two of its findings by their places, with the span that proves it."""

    subject: int
    kind: RelationKind
    object: int
    start: int = 0
    end: int = 0


class Extraction(msgspec.Struct, frozen=True):
    """All that one version of a document brings to the graph; the first finding is the document itself."""

    found: tuple[Found, ...] = ()
    relations: tuple[FoundRelation, ...] = ()
    words: tuple[tuple[str, tuple[tuple[int, int], ...]], ...] = ()
    """Words in small letters with their spans: some systems are called so, and the tenant knows which."""


class KnownAlias(msgspec.Struct, frozen=True):
    """An alias the tenant has already, as settling needs it."""

    id: int
    entity_id: int
    kind: EntityKind
    key: str
    name: str
    email: str
    team: str
    is_settled: bool
    """A person has decided where it belongs."""


class Entity(msgspec.Struct, frozen=True):
    """An entity as a viewer sees it: named by its best-known alias among those the viewer may see."""

    id: int
    kind: EntityKind
    name: str
    n_documents: int = 0
    n_relations: int = 0
    is_made: bool = False
    latest_at: datetime | None = None


class Alias(msgspec.Struct, frozen=True):
    """One of an entity's names or addresses."""

    id: int
    key: str
    name: str
    email: str
    n_documents: int
    is_made: bool


class Relation(msgspec.Struct, frozen=True):
    """A relation of an entity, all its proofs counted together."""

    kind: RelationKind
    is_outgoing: bool
    other: Entity
    n_proofs: int
    latest_at: datetime | None


class Proof(msgspec.Struct, frozen=True):
    """A stretch of a document that states a relation, or mentions an entity."""

    document_id: int
    version_id: int
    title: str
    start: int
    end: int
    quote: str
    at: datetime | None
    reason: str = ""
    """Why a name that several people bear is taken for this one; "" where nothing was to be decided."""


class Merge(msgspec.Struct, frozen=True):
    """An alias that joined an entity: why, by whom, and whether that was taken back."""

    id: int
    alias_id: int
    alias: str
    reason: str
    made_by: str
    """A person's name; "" when the product did it."""
    created_at: datetime
    undone_at: datetime | None
    undone_by: str


class EntityPage(msgspec.Struct, frozen=True):
    """One page of entities; `next_key` is empty on the last."""

    entities: tuple[Entity, ...]
    next_key: str


class Edge(msgspec.Struct, frozen=True):
    """A relation between two entities of a subgraph."""

    subject_id: int
    kind: RelationKind
    object_id: int
    n_proofs: int
    latest_at: datetime | None = None


class Subgraph(msgspec.Struct, frozen=True):
    """A bounded part of the graph, as one viewer may see it."""

    entities: tuple[Entity, ...]
    edges: tuple[Edge, ...]
    is_cut: bool = False
    """More belongs to it than was asked for."""


class GraphFilter(msgspec.Struct, frozen=True):
    """What a subgraph is narrowed to; empty fields do not narrow."""

    kinds: tuple[EntityKind, ...] = ()
    since: datetime | None = None
    """Relations stated in documents of this day or later."""


class Deed(msgspec.Struct, frozen=True):
    """Something a person did about a topic: one relation to it, or a document about it that they wrote."""

    person_id: int
    person: str
    topic_id: int
    topic: str
    kind: RelationKind
    document_id: int
    at: datetime | None


class Expansion(msgspec.Struct, frozen=True):
    """What the graph adds to a question."""

    aliases: tuple[str, ...]
    """Other names of the entities it names."""
    document_ids: tuple[int, ...]
    """Documents of entities related to them, the most closely related first."""


class LikelyPerson(msgspec.Struct, frozen=True):
    """Somebody who may know the answer, and why they are thought to."""

    person_id: int
    name: str
    score: float
    reason: str
    user_id: int | None = None
    """The member whose proven address is one of theirs; None for people who are no members."""


class Dependence(msgspec.Struct, frozen=True):
    """A system, project or process that one person nearly alone knows, with what shows it."""

    entity_id: int
    entity: str
    person_id: int
    person: str
    share: float
    document_ids: tuple[int, ...]


class Unkept(msgspec.Struct, frozen=True):
    """A system that several documents name, but of which none says who keeps it, or none how it is run."""

    id: int
    name: str
    has_no_owner: bool
    has_no_runbook: bool
    n_documents: int
    document_ids: tuple[int, ...]
    """The newest that name it."""


class TopicDocument(msgspec.Struct, frozen=True):
    """A document about a topic."""

    id: int
    title: str
    author: str
    at: datetime | None
    n_named: int
    """How many of the topic's entities it names."""


class Entities(Protocol):
    """The graph of one tenant, as one viewer may see it: nothing rests on a document the viewer may not read."""

    async def put(self, document_id: int, extraction: Extraction) -> None:
        """Replace what a document brings to the graph by what was read in its current version."""

    async def unread(self, after_id: int, limit: int) -> list[int]:
        """Return documents with a higher id whose current version was never read for names, in order of id."""

    async def page(self, kind: str, text: str, key: str, size: int) -> EntityPage:
        """Return entities by name, narrowed by kind and by what a name contains. Raises: Invalid for a foreign key."""

    async def get(self, entity_id: int) -> Entity:
        """Return one entity. Raises: NotFound."""

    async def aliases(self, entity_id: int) -> list[Alias]:
        """Return its names and addresses, the most used first."""

    async def relations(self, entity_id: int, limit: int) -> list[Relation]:
        """Return its relations, by kind, those with most proofs first."""

    async def proofs(self, entity_id: int, kind: RelationKind, other_id: int, limit: int) -> list[Proof]:
        """Return what states a relation between two entities, newest first."""

    async def timeline(self, entity_id: int, limit: int) -> list[Proof]:
        """Return the documents that mention it, newest first, each with its first mention."""

    async def namesakes(self, entity_id: int) -> list[Entity]:
        """Return other people who bear one of a person's full names, or none for other kinds."""

    async def merges(self, entity_id: int) -> list[Merge]:
        """Return what joined it, newest first."""

    async def add(self, kind: EntityKind, name: str) -> int:
        """Make an entity by hand and return its id; it stays whatever happens to documents. Raises: Invalid."""

    async def merge(self, entity_id: int, other_id: int, reason: str) -> None:
        """Make the other part of this one. Raises: NotFound, Conflict when their kinds differ."""

    async def split(self, entity_id: int, alias_id: int) -> int:
        """Take an alias out, for good; return the entity it is now. Raises: NotFound, Conflict for the only one."""

    async def undo(self, entity_id: int, merge_id: int) -> int:
        """Take back a merge with all it moved; return the entity that is apart again. Raises: NotFound, Conflict."""


class Graph(Protocol):
    """Bounded parts of the graph, as one viewer may see them; never the whole."""

    async def entities(self, entity_ids: Sequence[int]) -> list[Entity]:
        """Return those of these that the viewer may see, in order of id."""

    async def overview(self, limit: int) -> list[int]:
        """Return the entities that are named most often, to begin with."""

    async def neighbourhood(self, entity_ids: Sequence[int], narrowed: GraphFilter, limit: int) -> Subgraph:
        """Return these entities and those related to them, at most `limit`, with the relations among all."""

    async def deeds(self, topic_ids: Sequence[int], limit: int) -> list[Deed]:
        """Return what people did about topics, newest first."""

    async def deeds_of(self, person_id: int, limit: int) -> list[Deed]:
        """Return what a person, and everybody else, did about the topics that person has to do with, newest first."""

    async def named(self, text: str, limit: int) -> list[Entity]:
        """Return the entities whose names stand in a text, the longest names first."""

    async def in_document(self, document_id: int) -> list[tuple[Entity, int, int]]:
        """Return the entities of a document's current version with each span, in order."""

    async def expand(self, question: str, limit: int) -> Expansion:
        """Return other names of what a question names, and documents of what is related."""

    async def likely_to_know(self, text: str, document_ids: Sequence[int], limit: int) -> list[LikelyPerson]:
        """Return who may know what a text asks and its documents leave open; members of the tenant first."""

    async def dependences(self, limit: int) -> list[Dependence]:
        """Return what one person nearly alone knows, among the systems, projects and processes named most."""

    async def unkept(self, limit: int) -> list[Unkept]:
        """Return systems that lack an owner or a runbook, those named in most documents first."""

    async def documents_about(self, entity_ids: Sequence[int], limit: int) -> list[TopicDocument]:
        """Return the documents that name most of these entities, newest first among equals."""
