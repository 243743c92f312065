"""Bringing documents in."""

import tracemalloc

import httpx
import pytest

from domain.people import EVERYONE, Viewer, user_principal
from domain.uploads import Upload
from infra.store import Stores
from tests.web.browser import Browser
from tests.web.multipart_bodies import body_of
from tests.web.pressing import upload
from web.uploads import safe_name, text_name

MEBIBYTE = 1024 * 1024


async def kept(stores: Stores, viewer: Viewer) -> list[Upload]:
    async with stores.open_vault(viewer) as vault:
        return await vault.uploads.after(0, 5_000)


async def test_the_page_says_what_is_read_and_how_large_it_may_be(admin: Browser) -> None:
    await admin.visit("/uploads/new")
    assert "100 MB" in admin.words
    assert "Word (.docx)" in admin.words
    assert "Everyone in Tidewater" in admin.words


async def test_several_files_are_kept_and_their_sync_is_shown(
    admin: Browser, admin_viewer: Viewer, stores: Stores
) -> None:
    large = bytes(range(256)) * 4096 * 3
    await upload(admin, ("a.txt", b"Alpha"), ("b.bin", large), ("empty.txt", b""))
    assert admin.path.startswith("/syncs/")
    assert "Waiting for a free worker" in admin.words
    uploads = await kept(stores, admin_viewer)
    assert [(each.name, each.size_bytes) for each in uploads] == [("a.txt", 5), ("b.bin", len(large)), ("empty.txt", 0)]
    async with stores.open_vault(admin_viewer) as vault:
        assert b"".join([part async for part in vault.uploads.read(uploads[1].blob_id or 0)]) == large
        assert (await vault.audit.page(None, 1))[0].subject == "3 files, shared with everyone"


async def test_a_second_upload_joins_the_sync_that_waits(admin: Browser) -> None:
    await upload(admin, ("a.txt", b"Alpha"))
    first = admin.path
    await upload(admin, ("b.txt", b"Beta"))
    assert admin.path == first


async def test_what_is_only_for_me_is_only_for_me(admin: Browser, admin_viewer: Viewer, stores: Stores) -> None:
    await upload(admin, ("diary.txt", b"Dear diary"), readers="me")
    await upload(admin, ("plan.txt", b"The plan"))
    mine = user_principal(admin_viewer.user_id)
    assert [each.principals for each in await kept(stores, admin_viewer)] == [(mine,), (EVERYONE,)]


async def test_a_pasted_text_becomes_a_file(admin: Browser, admin_viewer: Viewer, stores: Stores) -> None:
    await upload(admin, title="Minutes 2/3", text="We keep backups for 35 days.\nAgreed. 🦊")
    [text] = await kept(stores, admin_viewer)
    assert (text.name, text.media_type) == ("Minutes 2-3.txt", "text/plain")
    async with stores.open_vault(admin_viewer) as vault:
        content = b"".join([part async for part in vault.uploads.read(text.blob_id or 0)]).decode()
    assert content.replace("\r\n", "\n") == "We keep backups for 35 days.\nAgreed. 🦊"


async def test_nothing_chosen_is_said_and_what_was_typed_is_kept(admin: Browser) -> None:
    await upload(admin, title="Minutes")
    assert (admin.status, "Nothing was chosen" in admin.words) == (422, True)
    title = admin.page.css_first("#title")
    assert title is not None
    assert title.attributes["value"] == "Minutes"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ada\\plan.docx", "plan.docx"),
        ("folder/sub/plan.docx", "plan.docx"),
        ("re\x00po\x1brt\n.txt", "report.txt"),
        ("  two   spaces.txt ", "two spaces.txt"),
        ("..", "Unnamed file"),
        ("", "Unnamed file"),
        ("x" * 400 + ".pdf", "x" * 296 + ".pdf"),
        ("🦊" * 300, "🦊" * 300),
        ("日本語.md", "日本語.md"),
    ],
)
def test_names_of_files_are_made_safe(sent: str, expected: str) -> None:
    assert safe_name(sent) == expected
    assert text_name("") == "Pasted text.txt"


async def test_a_name_of_three_hundred_emoji_is_kept(admin: Browser, admin_viewer: Viewer, stores: Stores) -> None:
    await upload(admin, ("🦊" * 296 + ".txt", b"Fox"))
    assert [each.name for each in await kept(stores, admin_viewer)] == ["🦊" * 296 + ".txt"]


async def test_a_file_over_the_limit_is_listed_without_its_content_and_without_filling_memory(
    admin: Browser, admin_viewer: Viewer, stores: Stores
) -> None:
    await admin.visit("/uploads/new")
    token = admin.csrf_token()
    tracemalloc.start()
    admin.response = await admin.client.post(
        "/uploads",
        content=body_of({"csrf_token": token}, "large.bin", 200),
        headers={"Content-Type": "multipart/form-data; boundary=line"},
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert admin.path.startswith("/syncs/")
    [large] = await kept(stores, admin_viewer)
    assert (large.size_bytes, large.blob_id) == (200 * MEBIBYTE, None)
    assert peak < 24 * MEBIBYTE


async def test_a_thousand_files_arrive_through_one_open_file(
    admin: Browser, admin_viewer: Viewer, stores: Stores
) -> None:
    await upload(admin, *[(f"{number}.txt", b"note " * 20) for number in range(1_200)])
    assert admin.path.startswith("/syncs/")
    assert len(await kept(stores, admin_viewer)) == 1_200


async def test_more_files_than_can_be_taken_are_refused_with_a_way_out(
    admin: Browser, admin_viewer: Viewer, stores: Stores
) -> None:
    await upload(admin, *[(f"{number}.txt", b"x") for number in range(5_001)])
    assert (admin.status, "Put them into a zip" in admin.words) == (422, True)
    assert await kept(stores, admin_viewer) == []


async def test_a_stranger_may_not_even_send_a_file(browser: Browser) -> None:
    response = await browser.client.post(
        "/uploads",
        content=body_of({}, "large.bin", 4),
        headers={"Content-Type": "multipart/form-data; boundary=line"},
        follow_redirects=False,
    )
    assert (response.status_code, response.headers["Location"]) == (303, "/session/new")


async def test_files_without_the_forms_token_are_refused(admin: Browser, admin_viewer: Viewer, stores: Stores) -> None:
    response: httpx.Response = await admin.client.post("/uploads", files=[("files", ("a.txt", b"Alpha"))])
    assert response.status_code == 403
    assert await kept(stores, admin_viewer) == []


async def test_an_upload_that_breaks_off_is_refused_whole(admin: Browser, admin_viewer: Viewer, stores: Stores) -> None:
    await admin.visit("/uploads/new")
    content = b'--line\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\nhalf of'
    response = await admin.client.post(
        "/uploads",
        content=content,
        headers={"Content-Type": "multipart/form-data; boundary=line", "X-CSRF-Token": admin.csrf_token()},
    )
    assert response.status_code == 400
    assert await kept(stores, admin_viewer) == []
