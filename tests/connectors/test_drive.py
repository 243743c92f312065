"""Google Drive: who a file is shared with, what is exported, folders that are chosen, and shared drives."""

import json
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.credentials import Grant
from domain.integrations import Item
from domain.people import EVERYONE, Viewer
from domain.vault import Tools
from infra.connectors.drive import DriveConnector
from infra.connectors.drive_files import Permission, shared_with
from infra.connectors.http import Source
from infra.store import Stores
from tests import factories
from tests.connectors.contract import equals, succeeded
from tests.connectors.peers import DriveFiles, google_environment
from tests.connectors.vaulted import Vaulted, connected
from tests.peers.emulate import Emulators

FOLDER = "application/vnd.google-apps.folder"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest_asyncio.fixture
async def drive(drive_url: str) -> AsyncIterator[DriveFiles]:
    async with httpx.AsyncClient(base_url=drive_url, headers={"Authorization": "Bearer valid-token"}) as api:
        assert (await api.post("/debug/clear")).is_success
        yield DriveFiles(api)


@pytest_asyncio.fixture
async def vaulted(
    drive: DriveFiles, drive_url: str, stores: Stores, viewer: Viewer, tools: Tools, emulators: Emulators
) -> AsyncIterator[Vaulted]:
    environment = google_environment(emulators, drive_url)
    async with connected(stores, viewer, tools, "drive", environment, Grant("valid-token")) as vaulted:
        yield vaulted


async def test_a_file_is_for_those_it_is_shared_with_and_a_revocation_holds_from_the_next_sync_on(
    vaulted: Vaulted, drive: DriveFiles, engine: AsyncEngine
) -> None:
    colleague = await factories.member(engine, vaulted.viewer.tenant_id, name="Tom Okafor")
    async with vaulted.stores.open_vault(vaulted.viewer) as vault:
        await vault.access.prove(colleague.user_id, "tom@tidewater.example")
    tom = {"type": "user", "role": "reader", "emailAddress": "Tom@tidewater.example"}
    shared = await drive.write("The offer to Brightwater.", permissions=[tom])
    await drive.write("My notes.", permissions=[])
    succeeded(await vaulted.sync())
    assert len(await vaulted.texts()) == 2
    assert set(await vaulted.texts(colleague)) == {shared}
    assert (await drive.api.patch(f"/drive/v3/files/{shared}", json={"permissions": []})).is_success
    revoked = succeeded(await vaulted.sync())
    assert await vaulted.texts(colleague) == {}
    assert revoked.progress.indexed == 0


async def test_only_chosen_folders_are_read_with_what_lies_in_them_at_any_depth(
    vaulted: Vaulted, drive: DriveFiles
) -> None:
    top = await drive.write("", name="Team", mimeType=FOLDER)
    below = await drive.write("", name="2026", mimeType=FOLDER, parents=[top])
    inside = await drive.write("The plan for May.", parents=[below])
    await drive.write("A private letter.")
    await vaulted.configure(chosen=top)
    succeeded(await vaulted.sync())
    assert set(await vaulted.texts()) == {inside}
    assert (await drive.api.patch(f"/drive/v3/files/{below}", json={"parents": []})).is_success
    succeeded(await vaulted.sync())
    assert await vaulted.texts() == {}


async def test_what_is_trashed_goes_and_pictures_are_never_read(vaulted: Vaulted, drive: DriveFiles) -> None:
    await drive.write("no words", name="logo.png", mimeType="image/png")
    await drive.add("The rules of the house.")
    [external_id] = drive.expected
    succeeded(await vaulted.sync())
    await equals(vaulted, drive)
    assert (await drive.api.patch(f"/drive/v3/files/{external_id}", json={"trashed": True})).is_success
    succeeded(await vaulted.sync())
    assert await vaulted.texts() == {}


def test_a_link_alone_lets_nobody_find_a_file() -> None:
    permissions = (
        Permission("user", "Ana@tidewater.example"),
        Permission("group", "eng@tidewater.example"),
        Permission("user", "gone@tidewater.example", deleted=True),
        Permission("anyone"),
        Permission("domain", domain="tidewater.example"),
    )
    assert shared_with(permissions) == ("email:ana@tidewater.example", "email:eng@tidewater.example")
    found = (Permission("anyone", allow_file_discovery=True), Permission("domain", "", "Tidewater.example", True))
    assert shared_with(found) == (EVERYONE, "domain:tidewater.example")


def connector_on(
    answer: Callable[[httpx.Request], httpx.Response], vaulted: Vaulted
) -> tuple[DriveConnector, httpx.AsyncClient]:
    """A connector over answers in the shapes of Google's reference, for what no peer can do."""

    async def token(refused: str) -> str:
        return "token"

    client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    source, now = Source(client, "Google Drive", "http://drive.test", token), vaulted.tools.now()
    return DriveConnector(vaulted.integration, source, vaulted.viewer, vaulted.stores.open_vault, now), client


async def test_googles_own_documents_are_exported_and_shared_drives_are_for_their_members(vaulted: Vaulted) -> None:
    answers = {
        "/drive/v3/drives": {"drives": [{"id": "D1", "name": "Sales"}]},
        "/drive/v3/files/D1/permissions": {"permissions": [{"type": "user", "emailAddress": "tom@tidewater.example"}]},
        "/drive/v3/changes/startPageToken": {"startPageToken": "7"},
        "/drive/v3/files": {
            "files": [
                {"id": "F1", "name": "Plan", "mimeType": "application/vnd.google-apps.document", "driveId": "D1"},
                {"id": "F2", "name": "Poll", "mimeType": "application/vnd.google-apps.form"},
                {"id": "F3", "name": "film.bin", "mimeType": "application/zip", "size": str(2 << 30)},
            ]
        },
    }
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if request.url.path.endswith("/export"):
            return httpx.Response(200, content=b"exported")
        return httpx.Response(200, json=answers[request.url.path])

    connector, client = connector_on(answer, vaulted)
    pages = [page async for page in connector.pages("")]
    [group] = pages[0].groups
    assert group.members == ("email:tom@tidewater.example",)
    plan, film = [entry for page in pages for entry in page.entries]
    assert isinstance(plan, Item)
    assert (plan.name, plan.media_type) == ("Plan.docx", DOCX)
    assert set(plan.principals) == {f"user:{vaulted.viewer.user_id}", group.principal}
    assert not isinstance(film, Item)
    assert "2048 MB" in json.dumps(getattr(film, "reason", ""))
    assert await connector.fetch(plan) == b"exported"
    assert asked[-1].url.params["mimeType"] == DOCX
    await client.aclose()


async def test_what_a_folder_is_no_longer_shared_with_is_closed_with_the_next_sync(vaulted: Vaulted) -> None:
    tom = {"type": "user", "emailAddress": "tom@tidewater.example"}
    plan = {"id": "F1", "name": "plan.md", "mimeType": "text/markdown", "size": "5", "permissions": [tom]}
    team = {"id": "T", "name": "Team", "mimeType": FOLDER, "permissions": []}
    answers: dict[str, object] = {
        "/drive/v3/drives": {"drives": []},
        "/drive/v3/changes/startPageToken": {"startPageToken": "7"},
        "/drive/v3/files": {"files": [plan]},
    }

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=answers[request.url.path])

    connector, client = connector_on(answer, vaulted)
    first = [page async for page in connector.pages("")]
    answers["/drive/v3/changes"] = {"changes": [{"fileId": "T", "file": team}], "newStartPageToken": "8"}
    answers["/drive/v3/files"] = {"files": [plan | {"permissions": []}]}
    again = [entry async for page in connector.pages(first[-1].cursor) for entry in page.entries]
    [closed] = [entry for entry in again if isinstance(entry, Item)]
    assert closed.principals == (f"user:{vaulted.viewer.user_id}",)
    await client.aclose()


async def test_pages_that_never_end_end_the_sync_with_a_reason(vaulted: Vaulted) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/drive/v3/files":
            return httpx.Response(200, json={"files": [], "nextPageToken": "again"})
        return httpx.Response(200, json={"startPageToken": "7"})

    connector, client = connector_on(answer, vaulted)
    with pytest.raises(Exception, match="again and again"):
        _ = [page async for page in connector.pages("")]
    await client.aclose()
