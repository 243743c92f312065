"""The main job, as a person does it: sign up, bring documents in, watch, search, ask, see the proof."""

import re
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

OpenPage = Callable[..., Awaitable[Page]]
pytestmark = pytest.mark.browser

GUIDE = """# Espresso machine

Owner: Ines Ferro

## Descaling

The machine is descaled every six weeks with citric acid, because the water here is hard.

## Repairs

Call Bruno Tassi at the workshop in Delft. A repair costs 85 euros.
"""


async def sign_up(page: Page) -> str:
    email = f"{uuid.uuid4().hex[:10]}@harbour.example"
    await page.goto("/sign-up")
    for label, value in (
        ("Company", "Harbour Coffee"),
        ("Your name", "Ines Ferro"),
        ("E-mail", email),
        ("Password", "long enough password"),
    ):
        await page.get_by_label(re.compile(label, re.IGNORECASE)).first.fill(value)
    await page.get_by_role("main").get_by_role("button").first.click()
    await page.wait_for_url("**/")
    return email


async def test_from_sign_up_to_a_cited_passage(open_page: OpenPage, tmp_path: Path) -> None:
    page = await open_page()
    await sign_up(page)
    files = [tmp_path / "espresso.md", tmp_path / "rota.csv", tmp_path / "empty.txt"]
    for path, text in zip(files, (GUIDE, "day,barista\nMonday,Olga Brandt\nTuesday,Ines Ferro\n", ""), strict=True):
        path.write_text(text)

    await page.goto("/uploads/new")
    await page.locator("input[type=file]").first.set_input_files([str(path) for path in files])
    await page.get_by_role("button", name=re.compile("upload|bring", re.IGNORECASE)).first.click()
    await page.wait_for_url("**/syncs/*")
    await page.evaluate("window.stayed = true")
    await expect(page.get_by_role("main")).to_contain_text("100 %", timeout=30_000)
    await expect(page.get_by_role("main")).to_contain_text("empty.txt")
    assert await page.evaluate("window.stayed"), "progress came without a reload"

    await page.goto("/search?q=descaled")
    await expect(page.locator("mark").first).to_have_text(re.compile("descal", re.IGNORECASE))

    await page.goto("/conversations")
    await page.get_by_role("main").get_by_role("textbox").first.fill("How often is the espresso machine descaled?")
    await page.keyboard.press("Control+Enter")
    await page.wait_for_url("**/conversations/*")
    await expect(page.get_by_role("main")).to_contain_text("every six weeks", timeout=20_000)
    await page.locator("a[href*='start=']").first.click()
    await page.wait_for_url("**/documents/*")
    await expect(page.locator("mark#passage, #passage").first).to_contain_text("six weeks")
    await expect(page.locator("#passage").first).to_be_in_viewport()


async def test_the_main_job_works_without_javascript(open_page: OpenPage, tmp_path: Path) -> None:
    page = await open_page(java_script_enabled=False)
    await sign_up(page)
    (tmp_path / "espresso.md").write_text(GUIDE)
    await page.goto("/uploads/new")
    await page.locator("input[type=file]").first.set_input_files(str(tmp_path / "espresso.md"))
    await page.get_by_role("button", name=re.compile("upload|bring", re.IGNORECASE)).first.click()
    await page.wait_for_url("**/syncs/*")
    for _ in range(40):
        if "100 %" in (await page.get_by_role("main").inner_text()):
            break
        await page.wait_for_timeout(500)
        await page.reload()
    await page.goto("/conversations")
    await page.get_by_role("main").get_by_role("textbox").first.fill("What does a repair cost?")
    await (
        page.get_by_role("main")
        .locator("form")
        .filter(has=page.locator("textarea"))
        .get_by_role("button")
        .first.click()
    )
    await page.wait_for_url("**/conversations/*")
    await expect(page.get_by_role("main")).to_contain_text("85 euros")


async def test_a_second_tab_shows_the_same_progress_and_a_stranger_sees_nothing(
    open_page: OpenPage, tmp_path: Path
) -> None:
    page = await open_page()
    await sign_up(page)
    (tmp_path / "espresso.md").write_text(GUIDE)
    await page.goto("/uploads/new")
    await page.locator("input[type=file]").first.set_input_files(str(tmp_path / "espresso.md"))
    await page.get_by_role("button", name=re.compile("upload|bring", re.IGNORECASE)).first.click()
    await page.wait_for_url("**/syncs/*")
    second = await page.context.new_page()
    await second.goto(page.url)
    for tab in (page, second):
        await expect(tab.get_by_role("main")).to_contain_text("100 %", timeout=30_000)
    stranger = await open_page()
    await sign_up(stranger)
    response = await stranger.goto(page.url)
    assert response is not None
    assert response.status == 404
