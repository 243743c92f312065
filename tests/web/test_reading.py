"""The limits under which files are read: an admin changes them, the next job keeps to them."""

import pytest

from domain.parsing import MEGABYTE, ParseSettings
from domain.people import Viewer
from domain.vault import Tools
from infra.store import Stores
from tests import factories
from tests.web.browser import Browser

LIMITS = {"timeout_s": "30", "max_memory_mb": "512", "max_unpacked_mb": "64", "max_characters": "1000"}


async def test_changed_limits_are_kept_under_a_new_version_and_shown_again(
    admin: Browser, admin_viewer: Viewer, stores: Stores
) -> None:
    await admin.visit("/settings/reading")
    await admin.submit("/settings/reading", **LIMITS)
    assert (admin.path, admin.page.css_first("#max_memory_mb").attributes["value"]) == ("/settings/reading", "512")
    async with stores.open_vault(admin_viewer) as vault:
        settings = await vault.parsing.get()
    assert settings == ParseSettings(2, 30.0, 512 * MEGABYTE, 64 * MEGABYTE, 1000)


@pytest.mark.parametrize("entered", ["", "-1", "0", "1e3", "９００", "99999999999999"])
async def test_a_limit_that_cannot_be_kept_says_what_to_enter(admin: Browser, entered: str) -> None:
    await admin.visit("/settings/reading")
    await admin.submit("/settings/reading", **{**LIMITS, "timeout_s": entered})
    assert admin.status == 422
    assert "Enter a whole number from 1 to 600." in admin.words


async def test_the_next_sync_reads_under_the_new_limits(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, source: factories.Source
) -> None:
    source.files = {"long.md": "word " * 400}
    async with stores.open_vault(admin_viewer) as vault:
        await vault.parsing.change(ParseSettings(max_characters=1000))
    sync = await factories.synced(stores, tools, admin_viewer)
    assert (sync.progress.indexed, sync.progress.failed) == (0, 1)
