"""How soon an answer begins: `python -m bench.answering` asks the demo vault its planted questions, one at a time."""

import asyncio
import dataclasses
import json
import statistics
import time
from collections.abc import Sequence
from contextlib import aclosing

from bench.answer_sets import demo_folder
from bench.house import Measured, scratch_house
from domain.answers import Finished, SentenceAdded
from domain.asking import answer
from domain.people import Viewer, system_viewer
from domain.retrieval import search
from domain.search import SearchFilter
from domain.studying import study
from infra import seeds
from infra.commands import plant_demo
from infra.logs import configure_logs

GOAL_MS = 300
ROUNDS = 3


async def planted(house: Measured) -> Viewer:
    """Plant the demo vault; return its admin."""
    tools = dataclasses.replace(house.tools, connect=lambda integration, *_: demo_folder(integration))
    await plant_demo(house.stores.open_lobby, house.stores.open_vault, tools)
    async with house.stores.open_lobby() as lobby:
        tenant, user = await lobby.tenant_by_slug(seeds.TENANT_SLUG), await lobby.user_by_email(seeds.ADMIN.email)
        assert tenant is not None
        assert user is not None
        viewer = await lobby.viewer(tenant.id, user.id)
    await study(house.stores.open_vault, system_viewer(tenant.id), tools)
    return viewer


async def first_sentence(house: Measured, viewer: Viewer, question: str) -> tuple[float, float]:
    """Ask in a conversation; return the time to the first sentence, or to the refusal, and the processor time of it."""
    async with house.stores.open_vault(viewer) as vault:
        conversation = await vault.conversations.add("Bench")
        _, pending = await vault.conversations.ask(conversation.id, question)
    began, computed = time.perf_counter(), time.process_time()
    async with aclosing(answer(house.stores.open_vault, viewer, house.tools, pending.id)) as events:
        async for event in events:
            if isinstance(event, SentenceAdded | Finished):
                return (time.perf_counter() - began) * 1000, (time.process_time() - computed) * 1000
    raise AssertionError("an answer ends")


async def searched(house: Measured, viewer: Viewer, question: str) -> float:
    """Return the time of the search that an answer begins with, in milliseconds."""
    began = time.perf_counter()
    async with house.stores.open_vault(viewer) as vault:
        await search(vault, house.tools, question, SearchFilter())
    return (time.perf_counter() - began) * 1000


async def main() -> None:
    """Print one table."""
    configure_logs("error", is_production=True)
    questions = json.loads((seeds.FOLDER / "planted.json").read_text())
    texts = [each["question"] for each in questions["questions"]] + questions["unanswerable"]
    async with scratch_house() as house:
        viewer = await planted(house)
        await first_sentence(house, viewer, "warm")
        rounds = [[await first_sentence(house, viewer, text) for text in texts] for _ in range(ROUNDS)]
        searches = [[await searched(house, viewer, text) for text in texts] for _ in range(ROUNDS)]
    found = [_middle(each) for each in zip(*rounds, strict=True)]
    alone = sorted(statistics.median(each) for each in zip(*searches, strict=True))
    walls, computed = sorted(wall for wall, _ in found), sorted(work for _, work in found)
    print(f"| first sentence, {len(texts)} questions, medians of {ROUNDS} | p50 | p95 | goal |")
    print("|---|---|---|---|")
    print(f"| time | {_at(walls, 0.5):.0f} ms | {_at(walls, 0.95):.0f} ms | p95 {GOAL_MS} ms |")
    print(f"| processor time, without Postgres | {_at(computed, 0.5):.0f} ms | {_at(computed, 0.95):.0f} ms | |")
    print(f"| floor: the search alone | {_at(alone, 0.5):.0f} ms | {_at(alone, 0.95):.0f} ms | |")


def _middle(runs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    walls, works = zip(*runs, strict=True)
    return statistics.median(walls), statistics.median(works)


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


if __name__ == "__main__":
    asyncio.run(main())
