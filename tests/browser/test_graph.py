"""The graph explorer as a person walks it: search, expand by key and by hand, narrow, and read the same as a table."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.test_main_job import sign_up

OpenPage = Callable[..., Awaitable[Page]]
pytestmark = pytest.mark.browser
FILES = {
    "kafka.md": "# Kafka at Harbour\n\nOwner: Lena Okafor\n\nKafka depends on ZooKeeper. Tom Reed maintains Kafka.\n",
    "ledger.md": "# Ledger\n\nKafka uses PostgreSQL. PostgreSQL depends on Redis.\n",
}
NAMES = "() => document.querySelector('[data-graph]')._cyreg.cy.nodes().map((node) => node.data('name'))"
PLACE = """(name) => {
  const frame = document.querySelector("[data-graph]"), box = frame.getBoundingClientRect();
  const node = frame._cyreg.cy.nodes().filter((each) => each.data("name") === name).first();
  const at = node.renderedPosition();
  return [box.left + at.x, box.top + at.y];
}"""


async def drawn(page: Page, path: str) -> set[str]:
    await page.goto(path)
    await page.wait_for_selector("[data-graph][data-drawn]")
    return set(await page.evaluate(NAMES))


async def named_in_table(page: Page) -> set[str]:
    return set(
        await page.locator("[data-relations] td:first-child, [data-relations] td:nth-child(3)").all_inner_texts()
    )


async def test_the_graph_is_searched_expanded_narrowed_and_told_as_a_table(open_page: OpenPage, tmp_path: Path) -> None:
    page = await open_page(viewport={"width": 1280, "height": 1000})
    await sign_up(page)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    await page.goto("/uploads/new")
    await page.locator("input[type=file]").first.set_input_files([str(tmp_path / name) for name in FILES])
    await page.get_by_role("button", name="Upload").first.click()
    await page.wait_for_url("**/syncs/*")
    await expect(page.get_by_role("main")).to_contain_text("See the documents", timeout=30_000)

    await page.goto("/studies")
    await expect(page.get_by_role("main")).to_contain_text("been read", timeout=30_000)
    await page.goto("/graph")
    await page.get_by_label("Around").fill("Tom Reed")
    await page.get_by_role("button", name="Show", exact=True).click()
    await page.wait_for_url("**/graph?*q=Tom*")
    await page.wait_for_selector("[data-graph][data-drawn]")
    near = set(await page.evaluate(NAMES))
    assert {"Tom Reed", "Kafka"} <= near
    assert not {"PostgreSQL", "Redis"} & near
    assert {"Tom Reed", "Kafka"} <= await named_in_table(page)

    graph = page.get_by_role("application")
    await graph.focus()
    for _ in near:
        await page.keyboard.press("ArrowRight")
        if (await page.locator("[data-graph-word]").inner_text()).startswith("Kafka:"):
            break
    await page.keyboard.press("e")
    await expect(page.locator("[data-relations]")).to_contain_text("PostgreSQL")
    assert "PostgreSQL" in await page.evaluate(NAMES)
    assert "Redis" not in await page.evaluate(NAMES)

    await page.mouse.dblclick(*await page.evaluate(PLACE, "PostgreSQL"))
    await expect(page.locator("[data-relations]")).to_contain_text("Redis")
    assert "Redis" in await page.evaluate(NAMES)
    assert set(await page.evaluate(NAMES)) >= await named_in_table(page)

    systems = await drawn(page, "/graph?q=Kafka&kind=system")
    assert {"Kafka", "PostgreSQL", "ZooKeeper"} <= systems
    assert not {"Tom Reed", "Lena Okafor"} & systems
    assert await named_in_table(page) <= systems
    people = await drawn(page, "/graph?q=Kafka&kind=person")
    assert {"Kafka", "Tom Reed"} <= people
    assert "PostgreSQL" not in people
    await page.get_by_label("Stated since").fill("2099-01-01")
    await page.get_by_role("button", name="Show", exact=True).click()
    await page.wait_for_url("**since=2099-01-01*")
    assert "Tom Reed" not in await page.get_by_role("main").inner_text()
