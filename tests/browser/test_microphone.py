"""An answer spoken into the browser's microphone: recorded, written down, mended, kept."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.test_main_job import sign_up
from tests.browser.transcription import Transcription

OpenPage = Callable[..., Awaitable[Page]]
pytestmark = pytest.mark.browser
LOST = "# Coffee press\n\nSomebody should clean the filter of the press.\n"
RECORDED_MS = 600


async def test_an_answer_is_spoken_written_down_mended_and_kept(
    open_page: OpenPage, tmp_path: Path, transcription: Transcription
) -> None:
    page = await open_page()
    await sign_up(page)
    (tmp_path / "press.md").write_text(LOST)
    await page.goto("/uploads/new")
    await page.locator("input[type=file]").first.set_input_files(str(tmp_path / "press.md"))
    await page.get_by_role("button", name="Upload").first.click()
    await page.wait_for_url("**/syncs/*")
    await expect(page.get_by_role("main")).to_contain_text("See the documents", timeout=30_000)
    await page.goto("/studies")
    await expect(page.get_by_role("main")).to_contain_text("been read", timeout=30_000)
    await page.goto("/gaps")
    await page.get_by_role("link", name="Who does this, and by when").first.click()
    await page.wait_for_url("**/gaps/*")

    await page.get_by_role("button", name="Say it instead").click()
    told = page.get_by_role("status").filter(has_text="microphone")
    await expect(told).to_have_text("The browser gives no microphone. Allow it for this page, or type.")
    assert transcription.recordings == []

    await page.context.grant_permissions(["microphone"])
    await page.get_by_role("button", name="Say it instead").click()
    await expect(page.locator("#spoken")).to_have_text("Recording. Speak now.")
    stop = page.get_by_role("button", name="Stop recording")
    await expect(stop).to_have_attribute("aria-pressed", "true")
    await page.wait_for_timeout(RECORDED_MS)
    await stop.click()
    answer = page.get_by_label("What you know about it")
    await expect(answer).to_have_value(transcription.text)
    await expect(answer).to_be_focused()
    assert len(transcription.recordings[0]) > 500, "what the microphone heard, and not a file's head alone"

    await answer.press("End")
    await answer.press_sequentially(" Otto does in August.")
    await page.get_by_role("button", name="Answer", exact=True).click()
    await expect(page.get_by_role("heading", name="1 answer")).to_be_visible()
    await expect(page.get_by_role("main")).to_contain_text(f"{transcription.text} Otto does in August.")
