"""Overlooking: at the end of a sync the vault is seen as a whole; new gaps find whom to ask, and what they double."""

import re

import msgspec

from domain.embedding import Matrix
from domain.entities import Entity, EntityKind, RelationKind
from domain.expertise import experts, standings
from domain.gap_ranking import Sorted, Unsorted, addressee, are_one, quality, quote_of
from domain.people import Viewer, anybody
from domain.search import Passage, Passages, SearchFilter
from domain.unanswered import UnansweredQuestion
from domain.vault import OpenVault, Tools, Vault
from domain.whole_vault import Topic, VaultGap, alone, asked_often, dangling, unanswered, uncared, unexplained

N_TOPICS = 60
N_PLACES = 3
N_DEEDS = 3_000
N_TERMS, N_LINKS, N_QUESTIONS = 200, 300, 300
BATCH, MAX_SORTED = 200, 1_000
"""Gaps that are sorted after one sync; the rest follows with the next."""
MAX_REASKED = 50
"""Gaps of which nobody was known to know, looked at again whenever the vault has changed."""
TOPIC_KINDS = (EntityKind.SYSTEM, EntityKind.PROJECT, EntityKind.PROCESS)
OWNING = (RelationKind.OWNS, RelationKind.MAINTAINS)


class People(msgspec.Struct, frozen=True):
    """Names of those who have left, and of those who are here."""

    departed: frozenset[str]
    colleagues: frozenset[str]


async def overlook(open_vault: OpenVault, viewer: Viewer, tools: Tools) -> None:
    """Find what only the whole vault shows, unless it was seen as it is now already; then sort what is new."""
    async with open_vault(viewer) as vault:
        mark = await vault.whole.news()
    if mark:
        await _see(open_vault, viewer, tools, mark)
    for _ in range(0, MAX_SORTED, BATCH):
        if not await _sort(open_vault, viewer, tools):
            break


async def _see(open_vault: OpenVault, viewer: Viewer, tools: Tools, mark: str) -> None:
    """What rests on several documents is put together from those alone that every member may read."""
    async with open_vault(anybody(viewer.tenant_id)) as vault:
        found = await _of_topics(vault, tools)
    asked = await _of_questions(open_vault, viewer, tools)
    async with open_vault(viewer) as vault:
        found += unexplained(await vault.whole.unexplained(N_TERMS))
        found += dangling(await vault.whole.broken_links(N_LINKS))
        await vault.whole.replace([*found, *asked])
        departed = {one.name for one in (await vault.tidings.surroundings()).departed}
        await vault.ranking.unsort(departed, MAX_REASKED)
        await vault.whole.note(mark)


async def _of_topics(vault: Vault, tools: Tools) -> list[VaultGap]:
    named = await vault.graph.entities(await vault.graph.overview(N_TOPICS))
    topics = [
        Topic(each.id, each.kind, each.name, each.n_documents, tuple(await vault.entities.timeline(each.id, N_PLACES)))
        for each in named
        if each.kind in TOPIC_KINDS
    ]
    if not topics:
        return []
    ids = [topic.id for topic in topics]
    deeds = await vault.graph.deeds(ids, N_DEEDS)
    owned = frozenset(deed.topic_id for deed in deeds if deed.kind in OWNING)
    found = alone(standings(deeds, tools.now()), {topic.id: topic for topic in topics})
    return [*found, *uncared(topics, owned, await vault.whole.care(ids))]


async def _of_questions(open_vault: OpenVault, viewer: Viewer, tools: Tools) -> list[VaultGap]:
    async with open_vault(viewer) as vault:
        questions = await vault.unanswered.newest(0, N_QUESTIONS)
        n_askers = min(2, len(await vault.members.all()))
        model = await vault.passages.model()
    if not questions:
        return []
    embedder = tools.speaking(model).embedder
    vectors = await embedder.embed([each.question for each in questions])
    places = asked_often(questions, vectors, n_askers)
    async with open_vault(anybody(viewer.tenant_id)) as vault:
        through = vault.passages.through(embedder.model.label)  # whatever the vault has changed over to meanwhile
        near = [await _nearest(through, questions[place], vectors[place]) for place in places]
    return list(unanswered([pair for pair in near if pair]))


async def _nearest(passages: Passages, asked: UnansweredQuestion, vector: Matrix) -> tuple[str, Passage] | None:
    near = await passages.dense(vector, SearchFilter(), 1)
    loaded = await passages.load([each.chunk_id for each in near])
    return (asked.question, loaded[0]) if loaded else None


async def _sort(open_vault: OpenVault, viewer: Viewer, tools: Tools) -> bool:
    """Sort a batch; return whether there was one."""
    async with open_vault(viewer) as vault:
        waiting = await vault.ranking.unsorted(BATCH)
        people = People(
            frozenset(one.name for one in (await vault.tidings.surroundings()).departed),
            frozenset(member.name for member in await vault.members.all()),
        )
    if not waiting:
        return False
    vectors = await tools.embedder.embed([quote_of(each.question) for each in waiting])
    async with open_vault(anybody(viewer.tenant_id)) as vault:
        found = [await _sorted(vault, tools, each, people) for each in waiting]
    async with open_vault(viewer) as vault:
        twins = await vault.ranking.sort(found, vectors)
        await vault.ranking.join([each for each in twins if are_one(each)])
    return True


async def _sorted(vault: Vault, tools: Tools, evidence: Unsorted, people: People) -> Sorted:
    """Ask the graph about what the evidence, or else its heading, names; only what everybody may read counts."""
    topics = await _topics(vault, _plain(quote_of(evidence.question)))
    topics = topics or await _topics(vault, _plain(evidence.question.rpartition("”")[2]))
    deeds = await vault.graph.deeds([topic.id for topic in topics], BATCH) if topics else []
    known = experts(deeds, tools.now(), 3) if deeds else []
    topic = topics[0].name if topics else ""
    name, reason = addressee(evidence, known, topic, people.departed, people.colleagues)
    return Sorted(evidence, name, reason, quality(evidence.question))


async def _topics(vault: Vault, words: str) -> list[Entity]:
    named = await vault.graph.named(words, 3) if words.strip() else []
    return [entity for entity in named if entity.kind in TOPIC_KINDS]


def _plain(words: str) -> str:
    return re.sub(r"[“”()?]", " ", words)
