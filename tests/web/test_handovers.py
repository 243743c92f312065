"""Somebody leaves: their interview, its coverage, and the document it becomes."""

import asyncio

import httpx
import pytest
from litestar import Litestar

from domain.facts import Fact, HandoverChanged
from domain.people import Viewer
from domain.vault import Tools
from infra.store import Stores
from tests import factories
from tests.web.browser import Browser
from tests.web.knowing import Knowing
from tests.web.streams import listening

WIKI = """# Kafka at Harbour

Owner: Lena Okafor

Kafka depends on ZooKeeper. Lena Okafor maintains Kafka.

## PostgreSQL

Lena Okafor maintains PostgreSQL.

## Pumps

The order of the pumps is in Lena Okafor's head.
"""


@pytest.fixture
def knowing(stores: Stores, tools: Tools, admin_viewer: Viewer) -> Knowing:
    return Knowing(stores, tools, admin_viewer)


async def person_id(browser: Browser, name: str) -> str:
    await browser.visit("/handovers")
    option = next(node for node in browser.page.css("#person option") if node.text(strip=True) == name)
    return option.attributes["value"] or ""


async def test_an_interview_asks_what_one_person_alone_knows_and_becomes_a_document(
    admin: Browser, member: Browser, knowing: Knowing, source: factories.Source, published: list[tuple[int, Fact]]
) -> None:
    await admin.visit("/handovers")
    assert "Nobody is known yet" in admin.words
    source.files = {"systems.md": WIKI}
    await knowing.synced()
    who = await person_id(admin, "Lena Okafor")
    await admin.submit("/handovers")
    assert (admin.status, "Choose who leaves" in admin.words) == (422, True)
    await admin.submit("/handovers", person=who, readers="us")
    assert admin.heading == "Handover of Lena Okafor"
    assert "takes over Kafka" in admin.words
    assert admin.words.index("takes over Kafka") < admin.words.index("takes over PostgreSQL")
    assert "Lena Okafor's head" in admin.words, "what documents ask of them is asked too"
    assert "0 %" in admin.words
    path = admin.path
    await admin.submit(f"{path}/answers/1")
    assert (admin.status, "Write an answer first" in admin.words) == (422, True)
    await admin.visit(path)
    await admin.submit(f"{path}/answers/1", text="The licence key lies in the blue binder.")
    assert "Answered by Ada Byron" in admin.words
    meter = admin.page.css_first("progress")
    assert meter is not None
    assert 0 < int(meter.attributes["value"] or "0") < 100
    assert HandoverChanged(int(path.rpartition("/")[2].partition("#")[0])) in [fact for _, fact in published]
    await knowing.read_answers()
    await admin.visit("/search?q=blue+binder")
    assert "Handover of Lena Okafor" in admin.words
    await member.visit("/search?q=blue+binder")
    assert "Handover of Lena Okafor" not in member.words, "only who takes part reads it"
    assert (await member.visit(path)).status == httpx.codes.NOT_FOUND
    await admin.visit(path)
    form = next(node for node in admin.page.css("form") if "head" in node.text())
    await admin.submit(form.attributes["action"] or "", text="Left to right.")
    left = [gap for gap in await knowing.gaps() if "pumps" in gap.question]
    assert left == [], "the gap that it came from is answered as well"


async def test_the_coverage_rises_live(
    app: Litestar,
    admin: Browser,
    admin_viewer: Viewer,
    knowing: Knowing,
    source: factories.Source,
    facts: "asyncio.Queue[Fact]",
) -> None:
    source.files = {"systems.md": WIKI}
    await knowing.synced()
    who = await person_id(admin, "Lena Okafor")
    await admin.submit("/handovers", person=who)
    handover_id = int(admin.path.rpartition("/")[2])
    async with listening(app, admin, f"/handovers/{handover_id}/events") as stream:
        name, before = await stream.next_event() or ("", "")
        async with knowing.stores.open_vault(admin_viewer) as vault:
            await vault.handovers.answer(handover_id, 1, "In the binder.")
        facts.put_nowait(HandoverChanged(handover_id))
        _, after = await stream.next_event() or ("", "")
    assert name == f"coverage-{handover_id}"
    assert 'value="0"' in before.partition("<ul")[0]
    assert 'value="0"' not in after.partition("<ul")[0]
