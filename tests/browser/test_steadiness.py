"""Pages stand still while they load: what has been read does not move away."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, ViewportSize, expect

from tests.browser.test_main_job import GUIDE, sign_up

OpenPage = Callable[..., Awaitable[Page]]
pytestmark = pytest.mark.browser

STEADY = 0.02
"""Of the layout shift score; up to 0.1 counts as good (web.dev/articles/cls)."""
WATCH = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const shift of list.getEntries()) window.shifts.push([shift.value, shift.sources.map((each) => each.node?.outerHTML?.slice(0, 80))]);
}).observe({ type: "layout-shift", buffered: true });
"""  # noqa: E501
SETTLED = """async () => {
  await document.fonts.ready;
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return window.shifts;
}"""
PAINTED = """() => new Promise((painted) =>
  new PerformanceObserver(painted).observe({ type: "paint", buffered: true }))"""
SIZES: tuple[ViewportSize, ...] = ({"width": 1280, "height": 800}, {"width": 390, "height": 844})
PAGES = (
    "/",
    "/documents",
    "/documents/1",
    "/search?q=descaled",
    "/conversations",
    "/gaps",
    "/entities",
    "/integrations",
)


async def test_nothing_moves_while_a_page_loads_wide_or_narrow(open_page: OpenPage, tmp_path: Path) -> None:
    page = await open_page()
    await sign_up(page)
    guide = tmp_path / "espresso.md"
    guide.write_text(GUIDE)
    await page.goto("/uploads/new")
    await page.locator("input[type=file]").first.set_input_files(str(guide))
    await page.locator("main form button").first.click()
    await page.wait_for_url("**/syncs/*")
    await expect(page.get_by_role("main")).to_contain_text("100 %", timeout=30_000)

    async def after_the_first_paint(route: Route) -> None:
        """As on a slow line: words are there before their fonts."""
        await page.evaluate(f"({PAINTED})().then(() => true)")
        await route.continue_()

    await page.route("**/*.woff2", after_the_first_paint)
    await page.add_init_script(WATCH)
    moved = {}
    for size in SIZES:
        await page.set_viewport_size(size)
        for path in PAGES:
            await page.goto(path)
            shifts = await page.evaluate(SETTLED)
            if sum(value for value, _ in shifts) > STEADY:
                moved[size["width"], path] = shifts
    assert moved == {}
