"""The graph on the canvas with as many nodes as a page may ask for."""

import pytest
from playwright.async_api import Browser

from bench.canvas import N_NODES, measured, opened
from web.graph import MAX_NODES


@pytest.mark.long
async def test_two_thousand_nodes_follow_the_hand(chromium: Browser) -> None:
    assert N_NODES == MAX_NODES
    page = await chromium.new_page(viewport={"width": 1280, "height": 800})
    assert await opened(page, N_NODES) < 15_000
    for act in ("pan", "zoom"):
        times = await measured(page, act)
        assert times[len(times) // 2] < 34, (act, times[-5:])
    await page.close()
