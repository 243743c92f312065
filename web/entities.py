"""Entities: the list, and the page of one with its names, relations, proofs, timeline and what joined it."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import msgspec
from litestar import Request, get
from litestar.params import FromPath, FromQuery

from domain.entities import Entity, EntityKind, Relation, RelationKind
from domain.errors import NotFound
from domain.expertise import Standing, known_alone, standing, standings
from domain.vault import Tools, Vault
from web.forms import EMPTY, Form
from web.narrowing import one_line, passage_path, path_with
from web.rendering import Page, page
from web.words import KIND_WORDS, RELATION_WORDS

N_ENTITIES = 50
N_RELATIONS = 80
N_PROOFS = 50
N_TIMELINE = 20
N_DEEDS = 1_000
N_TOPICS = 12


class RelationGroup(msgspec.Struct, frozen=True):
    """Relations of one kind in one direction, under their heading."""

    heading: str
    relations: tuple[Relation, ...]


@get("/entities", include_in_schema=False)
async def index(request: Request[Any, Any, Any], vault: Vault) -> Page:
    """List the entities the viewer may see, narrowed as the address says."""
    asked = {name: one_line(request.query_params.get(name, "")) for name in ("kind", "text", "key")}
    asked["kind"] = asked["kind"] if asked["kind"] in set(EntityKind) else ""
    return await index_page(vault, EMPTY, asked)


async def index_page(vault: Vault, form: Form, asked: dict[str, str], status: int = 200) -> Page:
    """Return the list with the form to add one."""
    found = await vault.entities.page(asked["kind"], asked["text"], asked["key"], N_ENTITIES)
    narrowed = {"kind": asked["kind"], "text": asked["text"]}
    shown = page(
        "entities/index.html",
        "entities/_list.html",
        status=status,
        entities=found.entities,
        next_path=path_with("/entities", {**narrowed, "key": found.next_key}) if found.next_key else "",
        first_path=path_with("/entities", narrowed) if asked["key"] else "",
        asked=asked,
        form=form,
        kinds=KIND_WORDS,
        is_narrowed=bool(asked["kind"] or asked["text"]),
    )
    shown.headers["HX-Push-Url"] = path_with("/entities", narrowed)
    return shown


@get("/entities/{entity_id:int}", include_in_schema=False)
async def show(vault: Vault, tools: Tools, entity_id: FromPath[int]) -> Page:
    """Show one entity."""
    return await entity_page(vault, tools, entity_id, EMPTY)


async def entity_page(vault: Vault, tools: Tools, entity_id: int, form: Form, status: int = 200) -> Page:
    """Return the page of an entity. Raises: NotFound."""
    entity = await vault.entities.get(entity_id)
    known, topics = await _known(vault, tools, entity)
    return page(
        "entities/show.html",
        status=status,
        entity=entity,
        aliases=await vault.entities.aliases(entity_id),
        groups=grouped(await vault.entities.relations(entity_id, N_RELATIONS)),
        timeline=await vault.entities.timeline(entity_id, N_TIMELINE),
        merges=await vault.entities.merges(entity_id),
        namesakes=await vault.entities.namesakes(entity_id) if entity.kind is EntityKind.PERSON else [],
        known=known,
        topics=topics,
        form=form,
        kinds=KIND_WORDS,
        relation_words=RELATION_WORDS,
        passage_path=passage_path,
        max_relations=N_RELATIONS,
    )


async def _known(
    vault: Vault, tools: Tools, entity: Entity
) -> tuple[Standing | None, list[tuple[Standing, float, bool]]]:
    """Return how a topic is known; or of a person, their topics with their share of each."""
    now = tools.now()
    if entity.kind is not EntityKind.PERSON:
        deeds = await vault.graph.deeds([entity.id], N_DEEDS)
        return (standing(deeds, now) if deeds else None), []
    deeds = await vault.graph.deeds_of(entity.id, N_DEEDS)
    alone = {each.topic_id for each in known_alone(deeds, entity.id, now)}
    shares = [
        (each, knower.share, each.topic_id in alone)
        for each in standings(deeds, now)
        for knower in each.knowers
        if knower.person_id == entity.id
    ]
    return None, sorted(shares, key=lambda share: (-share[1], share[0].topic))[:N_TOPICS]


def grouped(relations: Sequence[Relation]) -> list[RelationGroup]:
    """Return relations under the words for their kind and direction, in the order they come in."""
    return [
        RelationGroup(RELATION_WORDS[kind][0 if is_outgoing else 1], tuple(members))
        for (kind, is_outgoing), members in groupby(relations, lambda each: (each.kind, each.is_outgoing))
    ]


@get("/entities/{entity_id:int}/proofs", include_in_schema=False)
async def show_proofs(
    vault: Vault, entity_id: FromPath[int], kind: FromQuery[str] = "", other: FromQuery[int] = 0
) -> Page:
    """Show what states a relation, each with its passage."""
    if kind not in set(RelationKind):
        raise NotFound("There is no such relation.")
    relation = RelationKind(kind)
    subject, thing = await vault.entities.get(entity_id), await vault.entities.get(other)
    proofs = await vault.entities.proofs(entity_id, relation, other, N_PROOFS)
    return page(
        "entities/proofs.html",
        subject=subject,
        thing=thing,
        words=RELATION_WORDS[relation][0],
        proofs=proofs,
        passage_path=passage_path,
    )


routes = [index, show, show_proofs]
