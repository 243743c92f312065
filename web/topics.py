"""Topics: an entity with what hangs together with it, who knows of it, what would be lost, and its documents."""

from collections.abc import Sequence
from datetime import datetime
from types import MappingProxyType

import msgspec
from litestar import get
from litestar.params import FromPath

from domain.entities import Deed, Entity, EntityKind, GraphFilter, RelationKind
from domain.expertise import Standing, communities, standing, standings
from domain.vault import Tools, Vault
from web.knowledge import N_ENTITIES, N_START
from web.rendering import Page, page
from web.words import KIND_WORDS

N_MEMBERS = 40
N_DEEDS = 3_000
N_PEOPLE = 20
N_DOCUMENTS = 25
COLUMNS = MappingProxyType(
    {
        "Keeps": (RelationKind.OWNS, RelationKind.MAINTAINS),
        "Wrote": (RelationKind.CREATED,),
        "Decided": (RelationKind.DECIDED, RelationKind.APPROVED),
        "Reviewed": (RelationKind.REVIEWED,),
        "Answered": (RelationKind.ANSWERED,),
    }
)
"""What people do about a topic, in the words of its table."""


class Part(msgspec.Struct, frozen=True):
    """A person's part in a topic, counted."""

    person_id: int
    person: str
    share: float
    counts: tuple[int, ...]
    """Documents for each of the columns."""
    latest_at: datetime | None


@get("/topics/{entity_id:int}", include_in_schema=False)
async def show(vault: Vault, tools: Tools, entity_id: FromPath[int]) -> Page:
    """Show the topic that an entity stands in the middle of. Raises: NotFound."""
    entity = await vault.entities.get(entity_id)
    members = await _members(vault, entity)
    topics = [each for each in members if each.kind not in (EntityKind.PERSON, EntityKind.DOCUMENT)] or [entity]
    deeds = await vault.graph.deeds([each.id for each in topics], N_DEEDS)
    whole = [msgspec.structs.replace(deed, topic_id=entity.id, topic=entity.name) for deed in deeds]
    known = standing(_once(whole), tools.now()) if whole else None
    return page(
        "topics/show.html",
        entity=entity,
        members=members,
        known=known,
        parts=parts(known, whole)[:N_PEOPLE] if known else [],
        columns=list(COLUMNS),
        alone=[each for each in standings(deeds, tools.now()) if each.is_alone],
        documents=await vault.graph.documents_about([each.id for each in topics], N_DOCUMENTS),
        n_topics=len(topics),
        kinds=KIND_WORDS,
    )


async def _members(vault: Vault, entity: Entity) -> tuple[Entity, ...]:
    """Return what hangs together with an entity, itself first, without documents, which have a list of their own."""
    start = dict.fromkeys([entity.id, *await vault.graph.overview(N_START)])
    part = await vault.graph.neighbourhood(list(start), GraphFilter(), N_ENTITIES)
    groups = [group.entities for group in communities(part)]
    mine = next((group for group in groups if entity.id in {each.id for each in group}), (entity,))
    others = tuple(each for each in mine if each.id != entity.id and each.kind is not EntityKind.DOCUMENT)
    return (entity, *others)[:N_MEMBERS]


def _once(deeds: Sequence[Deed]) -> list[Deed]:
    """What somebody did in one document counts once, however many of the topic's entities the document names."""
    return list({(deed.person_id, deed.kind, deed.document_id): deed for deed in deeds}.values())


def parts(known: Standing, deeds: Sequence[Deed]) -> list[Part]:
    """Return each person's part, those who know most first."""
    counted: dict[tuple[int, RelationKind], set[int]] = {}
    for deed in deeds:
        counted.setdefault((deed.person_id, deed.kind), set()).add(deed.document_id)
    return [
        Part(
            knower.person_id,
            knower.person,
            knower.share,
            tuple(
                len(set().union(*(counted.get((knower.person_id, kind), set()) for kind in kinds)))
                for kinds in COLUMNS.values()
            ),
            knower.latest_at,
        )
        for knower in known.knowers
    ]


routes = [show]
