"""Who knows what: topics by how many people they hang on, experts for a question, topics that belong together."""

from collections.abc import Sequence

import msgspec
from litestar import get
from litestar.params import FromQuery

from domain.entities import EntityKind, GraphFilter
from domain.expertise import Standing, communities, experts, isolated, standings
from domain.vault import Tools, Vault
from web.narrowing import one_line
from web.rendering import Page, page
from web.words import KIND_WORDS, RELATION_WORDS

N_START = 60
N_ENTITIES = 250
N_DEEDS = 4_000
N_SHOWN = 30
N_EXPERTS = 8
TOPIC_KINDS = (EntityKind.SYSTEM, EntityKind.PROJECT, EntityKind.PROCESS, EntityKind.TERM, EntityKind.ORGANISATION)


class Load(msgspec.Struct, frozen=True):
    """A person with the topics that hang on them."""

    id: int
    name: str
    n_topics: int
    alone: tuple[tuple[int, str], ...]


@get("/knowledge", include_in_schema=False)
async def index(vault: Vault, tools: Tools, q: FromQuery[str] = "") -> Page:
    """Show who knows what; with a question, who could answer it."""
    question = one_line(q)
    topics = await vault.graph.named(question, 10) if question else []
    about = await vault.graph.deeds([topic.id for topic in topics], N_DEEDS) if topics else []
    part = await vault.graph.neighbourhood(await vault.graph.overview(N_START), GraphFilter(), N_ENTITIES)
    wanted = [entity.id for entity in part.entities if entity.kind in TOPIC_KINDS]
    found = standings(await vault.graph.deeds(wanted, N_DEEDS), tools.now()) if wanted else []
    return page(
        "knowledge/index.html",
        question=question,
        topics=topics,
        experts=experts(about, tools.now(), N_EXPERTS),
        people=loads(found)[:N_SHOWN],
        standings=found[:N_SHOWN],
        communities=communities(part)[:12],
        isolated=isolated(part)[:N_SHOWN],
        kinds=KIND_WORDS,
        relation_words=RELATION_WORDS,
        is_cut=part.is_cut,
    )


def loads(found: Sequence[Standing]) -> list[Load]:
    """Return people by how many topics hang on them alone."""
    people: dict[int, tuple[str, int, list[tuple[int, str]]]] = {}
    for each in found:
        for knower in each.knowers:
            name, n_topics, alone = people.get(knower.person_id, (knower.person, 0, []))
            alone = [*alone, (each.topic_id, each.topic)] if each.is_alone and knower is each.knowers[0] else alone
            people[knower.person_id] = (name, n_topics + 1, alone)
    made = [Load(person_id, name, n_topics, tuple(alone)) for person_id, (name, n_topics, alone) in people.items()]
    return sorted(made, key=lambda load: (-len(load.alone), -load.n_topics, load.name))


routes = [index]
