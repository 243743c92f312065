"""How soon an answer begins: `python -m bench.answering` asks the demo vault its planted questions, one at a time."""

import asyncio
import dataclasses
import json
import time
from contextlib import aclosing

from bench.answer_sets import demo_folder
from bench.house import Measured, scratch_house
from domain.answers import Finished, SentenceAdded
from domain.asking import answer
from domain.people import Viewer, system_viewer
from domain.studying import study
from infra import seeds
from infra.commands import plant_demo
from infra.logs import configure_logs

FLOOR_MS = 300


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


async def main() -> None:
    """Print one table."""
    configure_logs("error", is_production=True)
    questions = json.loads((seeds.FOLDER / "planted.json").read_text())
    texts = [each["question"] for each in questions["questions"]] + questions["unanswerable"]
    async with scratch_house() as house:
        viewer = await planted(house)
        await first_sentence(house, viewer, "warm")
        found = [await first_sentence(house, viewer, text) for text in texts]
    walls, computed = sorted(wall for wall, _ in found), sorted(work for _, work in found)
    print(f"| first sentence, {len(texts)} questions | p50 | p95 | floor |")
    print("|---|---|---|---|")
    print(f"| time | {_at(walls, 0.5):.0f} ms | {_at(walls, 0.95):.0f} ms | p95 {FLOOR_MS} ms |")
    print(f"| processor time, without Postgres | {_at(computed, 0.5):.0f} ms | {_at(computed, 0.95):.0f} ms | |")


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


if __name__ == "__main__":
    asyncio.run(main())
