"""WebDAV, on two servers that others wrote: after every sync the vault equals the folder."""

import os
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.errors import Unavailable, VaultError
from domain.people import Role, Viewer
from domain.syncs import SyncState
from domain.vault import Tools
from infra.connectors.addresses import AddressGuard, Outside
from infra.connectors.kinds import Reach
from infra.connectors.webdav import WebdavConnector
from infra.store import Stores
from tests import factories
from tests.connectors.entered import AMOUNTS, Entered, check_mirror, entered
from tests.peers.rclone import PASSWORD, USER, Store, running_rclone
from tests.peers.wsgidav import running_wsgidav

FORM = {"user": USER, "password": PASSWORD}


class Folder:
    """A folder as its owner changes it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._written_at = time.time()

    async def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        self._written_at += 1  # WsgiDAV tells versions of equal size apart by whole seconds
        os.utime(path, (self._written_at, self._written_at))

    async def delete(self, name: str) -> None:
        (self.folder / name).unlink()


@pytest.fixture(scope="module")
def wsgidav() -> Iterator[Store]:
    with tempfile.TemporaryDirectory(prefix="dav-") as folder, running_wsgidav(Path(folder)) as running:
        yield running


@pytest.fixture(scope="module")
def rclone() -> Iterator[Store]:
    with tempfile.TemporaryDirectory(prefix="dav-") as folder, running_rclone("webdav", Path(folder)) as running:
        yield running


@pytest.fixture(params=["wsgidav", "rclone"])
def store(request: pytest.FixtureRequest) -> Store:
    """One folder in the server, of the test's own."""
    running: Store = request.getfixturevalue(request.param)
    name = f"team docs {uuid.uuid4().hex}"
    (running.folder / name).mkdir()
    return Store(f"{running.url}/{name.replace(' ', '%20')}", running.folder / name)


@pytest_asyncio.fixture
async def connected(store: Store, stores: Stores, tools: Tools, viewer: Viewer) -> AsyncIterator[Entered]:
    async with entered(stores, tools, viewer, "webdav", FORM | {"url": store.url}) as connected:
        yield connected


@AMOUNTS
async def test_the_vault_mirrors_a_folder(connected: Entered, store: Store, n_items: int, n_changes: int) -> None:
    await check_mirror(connected, Folder(store.folder), allowance=2, n_items=n_items, n_changes=n_changes)


async def test_names_of_all_kinds_come_in_with_the_folders_they_lie_in(connected: Entered, store: Store) -> None:
    names = ["a b+c&d=e/ä#%25.md", "deep/er/and (deeper)/it's.txt", "🎉" * 60 + ".md"]
    for number, name in enumerate(names):
        await Folder(store.folder).write(name, f"Text {number}.")
    await Folder(store.folder).write(".hidden/notes.md", "not ours")
    await Folder(store.folder).write("photo.png", "not words")
    done = await connected.sync()
    assert (done.state, done.progress.failed) == (SyncState.SUCCEEDED, 0)
    assert await connected.texts() == {name: f"Text {number}." for number, name in enumerate(names)}
    assert len(connected.asked) == len(names) + 5  # a request for each folder


async def test_a_file_that_is_too_large_is_refused_before_it_is_fetched_and_retried_when_it_is_smaller(
    connected: Entered, store: Store
) -> None:
    path = store.folder / "archive.txt"
    with path.open("wb") as file:
        file.truncate(2 << 30)
    done = await connected.sync()
    [failure] = await connected.failures()
    assert (done.state, "2,048 MB" in failure.reason) == (SyncState.SUCCEEDED, True)
    assert not any("GET" in each for each in connected.asked)
    path.write_text("Now it is short.")
    await connected.sync()
    assert await connected.failures() == []


async def test_a_folder_is_for_the_one_who_connects_it_unless_they_say_otherwise(
    connected: Entered, store: Store, engine: AsyncEngine
) -> None:
    colleague = await factories.member(engine, connected.viewer.tenant_id, Role.ADMIN)
    await Folder(store.folder).write("plan.md", "We move in May.")
    await connected.sync()
    assert (len(await connected.texts()), await connected.texts(colleague)) == (1, {})
    await connected.change(readers="everyone", password="")
    await connected.sync()
    assert len(await connected.texts(colleague)) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"password": "wrong"}, "does not accept this user name"),
        ({"url": "http://127.0.0.1:1/"}, "does not answer"),
        ({"url": "http://169.254.169.254/dav"}, "begins with https"),
        ({"url": "https://169.254.169.254/dav"}, "private network"),
        ({"url": "https://localhost/dav"}, "private network"),
    ],
)
async def test_what_is_wrong_is_said_before_anything_is_kept(
    wsgidav: Store, stores: Stores, tools: Tools, viewer: Viewer, change: dict[str, str], words: str
) -> None:
    with pytest.raises(VaultError, match=words):
        async with entered(stores, tools, viewer, "webdav", FORM | {"url": wsgidav.url} | change):
            pass


async def test_folders_without_end_are_stopped() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path.rstrip("/")
        entries = "".join(
            f"<response><href>{href}</href><propstat><prop><resourcetype><collection/></resourcetype></prop>"
            "<status>HTTP/1.1 200 OK</status></propstat></response>"
            for href in (f"{path}/", f"{path}/again/", "/elsewhere/", "http://other.test/dav/")
        )
        return httpx.Response(207, text=f'<multistatus xmlns="DAV:">{entries}</multistatus>')

    async def secrets() -> dict[str, str]:
        return {}

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        settings = {"url": "http://dav.test/dav"}
        reach = Reach(settings, secrets, client, lambda: datetime.now(UTC), Outside(AddressGuard(), client))
        with pytest.raises(Unavailable, match="without end"):
            [page async for page in WebdavConnector(reach, ()).pages("")]
