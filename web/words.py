"""Kinds of entities and of relations in the words of a page."""

from types import MappingProxyType

from domain.entities import EntityKind, RelationKind

KIND_WORDS = MappingProxyType(
    {
        EntityKind.PERSON: ("Person", "People"),
        EntityKind.SYSTEM: ("System", "Systems"),
        EntityKind.ORGANISATION: ("Organisation", "Organisations"),
        EntityKind.PROJECT: ("Project", "Projects"),
        EntityKind.PROCESS: ("Process", "Processes"),
        EntityKind.DOCUMENT: ("Document", "Documents"),
        EntityKind.TERM: ("Term", "Terms"),
    }
)
"""One, and many."""
RELATION_WORDS = MappingProxyType(
    {
        RelationKind.OWNS: ("owns", "is owned by"),
        RelationKind.MAINTAINS: ("maintains", "is maintained by"),
        RelationKind.CREATED: ("created", "was created by"),
        RelationKind.DECIDED: ("decided", "was decided by"),
        RelationKind.APPROVED: ("approved", "was approved by"),
        RelationKind.REVIEWED: ("reviewed", "was reviewed by"),
        RelationKind.ANSWERED: ("answered", "was answered by"),
        RelationKind.USES: ("uses", "is used by"),
        RelationKind.DEPENDS_ON: ("depends on", "is needed by"),
        RelationKind.REPLACES: ("replaces", "is replaced by"),
        RelationKind.PART_OF: ("is part of", "consists of"),
        RelationKind.REPORTS_TO: ("reports to", "is reported to by"),
        RelationKind.WORKS_WITH: ("works with", "works with"),
        RelationKind.MENTIONS: ("mentions", "is mentioned by"),
    }
)
"""Read from the subject, and from the object."""
