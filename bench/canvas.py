"""Whether the graph on the canvas stays smooth: frame times of a real browser while 2,000 nodes are panned and zoomed.

    python -m bench.canvas [how many nodes]

The page is the product's own script, style and library; only the drawing's data are made here, as large as asked.
"""

import asyncio
import json
import random
import shutil
import sys
from pathlib import Path

from playwright.async_api import Page, Route, async_playwright

N_NODES = 2_000
LINES_PER_NODE = 2
STATIC = Path(__file__).parent.parent / "web" / "static"
KINDS = ("person", "system", "document", "term", "project")
PAGE = """<!doctype html><html lang="en"><title>Graph</title><style>.graph {{ block-size: 640px }}</style>
<link rel="stylesheet" href="/static/css/components/graph.css">
<p><span data-graph-word></span></p><div class="graph" data-graph="/drawing" data-expands="/drawing" tabindex="0"></div>
<script src="/static/vendor/{library}"></script><script type="module" src="/static/js/graph.js"></script></html>"""
MEASURE = """async ([act, n]) => {
  const frame = document.querySelector("[data-graph]"), box = frame.getBoundingClientRect();
  const at = (type, x, y, more) => new MouseEvent(type, { bubbles: true, clientX: x, clientY: y, button: 0, ...more });
  const canvas = frame.querySelector("canvas"), times = [];
  let x = box.left + 300, y = box.top + 300;
  if (act === "pan") canvas.dispatchEvent(at("mousedown", x, y, { buttons: 1 }));
  const place = () => JSON.stringify([frame._cyreg.cy.pan(), frame._cyreg.cy.zoom()]), places = new Set();
  let last = await new Promise(requestAnimationFrame);
  for (let turn = 0; turn < n; turn++) {
    x += act === "pan" ? 3 * Math.sign(Math.sin(turn / 20)) : 0;
    y += act === "pan" ? 2 : 0;
    const where = { bubbles: true, cancelable: true, clientX: x, clientY: y, deltaY: turn % 40 < 20 ? -12 : 12 };
    if (act === "pan") window.dispatchEvent(at("mousemove", x, y, { buttons: 1 }));
    else canvas.dispatchEvent(new WheelEvent("wheel", where));
    const now = await new Promise(requestAnimationFrame);
    times.push(now - last);
    places.add(place());
    last = now;
  }
  if (act === "pan") window.dispatchEvent(at("mouseup", x, y));
  return [times, places.size];
}"""


def drawing(n_nodes: int) -> str:
    """Return a graph in which few are related to many, as in a vault."""
    chance = random.Random(7)
    nodes = [
        {"id": str(n), "name": f"Entity number {n}", "kind": KINDS[n % 5], "size": chance.randint(1, 40)}
        for n in range(n_nodes)
    ]
    pairs = {(n, int(chance.random() ** 3 * n)) for n in range(1, n_nodes) for _ in range(LINES_PER_NODE)}
    lines = [
        {"id": f"{a}-uses-{b}", "source": str(a), "target": str(b), "words": "uses", "proofs": 1 + a % 4}
        for a, b in sorted(pairs)
    ]
    return json.dumps({"nodes": nodes, "lines": lines})


async def answer(route: Route, n_nodes: int) -> None:
    """Serve the page, the data, and the product's own files."""
    path = route.request.url.partition("vault.test")[2]
    if path.startswith("/static/"):
        await route.fulfill(path=STATIC / path.removeprefix("/static/").partition("?")[0])
    elif path.startswith("/drawing"):
        await route.fulfill(body=drawing(n_nodes), content_type="application/json")
    else:
        [library] = [each.name for each in (STATIC / "vendor").glob("cytoscape-*.js")]
        await route.fulfill(body=PAGE.format(library=library), content_type="text/html")


async def measured(page: Page, act: str, n_frames: int = 120) -> list[float]:
    """Return the milliseconds between frames while panning or zooming, sorted."""
    times, n_places = await page.evaluate(MEASURE, [act, n_frames])
    assert n_places > n_frames / 4, f"the graph did not follow: {n_places} places in {n_frames} frames"
    return sorted(times)


async def opened(page: Page, n_nodes: int) -> float:
    """Open the graph and return the milliseconds until it is drawn."""
    await page.route("**/*", lambda route: answer(route, n_nodes))
    began = asyncio.get_running_loop().time()
    await page.goto("http://vault.test/")
    await page.wait_for_selector("[data-graph][data-drawn]", timeout=60_000)
    return (asyncio.get_running_loop().time() - began) * 1000


async def main() -> None:
    """Print the table."""
    n_nodes = int(sys.argv[1]) if len(sys.argv) > 1 else N_NODES
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("google-chrome"), args=["--no-sandbox"]
        )
        page = await browser.new_page(viewport={"width": 1280, "height": 800})
        print(f"\n{n_nodes} nodes drawn after {await opened(page, n_nodes):.0f} ms")
        for act in ("pan", "zoom"):
            took = await measured(page, act)
            print(f"  {act:<6} frame p50 {took[len(took) // 2]:6.1f} ms   p95 {took[int(len(took) * 0.95)]:6.1f} ms")
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
