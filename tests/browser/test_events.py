"""Live regions in a browser: what arrives in quick succession is all shown."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.test_main_job import sign_up

pytestmark = pytest.mark.browser

REGION = """<p id="sync-1" sse-swap="sync-1" hx-swap="outerHTML">{state}</p>"""
BEGIN = """region => {
    document.getElementById("main").innerHTML =
        `<div hx-ext="sse" sse-connect="/in-quick-succession" sse-close="close">${region}</div>`
    htmx.process(document.getElementById("main"))
}"""


async def in_quick_succession(route: Route) -> None:
    states = ("Reading", "Tidying up", "Done")
    events = [f"event: sync-1\ndata: {REGION.format(state=state)}\n\n" for state in states]
    body = "".join([*events, "event: close\ndata: done\n\n"])
    await route.fulfill(body=body, headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})


async def test_the_last_of_several_changes_that_arrive_together_is_shown(
    open_page: Callable[..., Awaitable[Page]],
) -> None:
    page = await open_page()
    await page.route("**/in-quick-succession", in_quick_succession)
    await sign_up(page)
    await page.evaluate(BEGIN, REGION.format(state="Waiting"))
    await expect(page.locator("#sync-1")).to_have_text("Done")
