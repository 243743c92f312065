"""Buckets, on rclone's S3 server, which checks every signature: after every sync the vault equals the bucket."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from domain.errors import Unavailable, VaultError
from domain.people import Viewer
from domain.syncs import SyncState
from domain.vault import Tools
from infra.connectors.addresses import AddressGuard, Outside
from infra.connectors.kinds import Reach
from infra.connectors.s3 import S3Connector
from infra.store import Stores
from tests.connectors.entered import AMOUNTS, Entered, check_mirror, entered
from tests.peers.rclone import KEY, SECRET, Store, running_rclone

FORM = {"bucket": "team docs", "region": "eu-central-1", "key": KEY, "secret": SECRET, "prefix": "shared/"}


class Bucket:
    """The bucket as its owner changes it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def write(self, name: str, text: str) -> None:
        path = self.folder / "shared" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    async def delete(self, name: str) -> None:
        (self.folder / "shared" / name).unlink()


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with tempfile.TemporaryDirectory(prefix="s3-") as folder, running_rclone("s3", Path(folder)) as running:
        yield running


@pytest.fixture
def bucket(store: Store) -> Iterator[Bucket]:
    with tempfile.TemporaryDirectory(prefix="docs ", dir=store.folder) as folder:
        (Path(folder) / "shared").mkdir()
        yield Bucket(Path(folder))


@pytest_asyncio.fixture
async def connected(
    store: Store, bucket: Bucket, stores: Stores, tools: Tools, viewer: Viewer
) -> AsyncIterator[Entered]:
    form = FORM | {"endpoint": store.url, "bucket": bucket.folder.name}
    async with entered(stores, tools, viewer, "s3", form) as connected:
        yield connected


@AMOUNTS
async def test_the_vault_mirrors_a_bucket(connected: Entered, bucket: Bucket, n_items: int, n_changes: int) -> None:
    await check_mirror(connected, bucket, allowance=2, n_items=n_items, n_changes=n_changes)


async def test_keys_of_all_kinds_come_in_and_what_holds_no_words_does_not(connected: Entered, bucket: Bucket) -> None:
    names = ["a b+c&d=e/ä?#%25.md", "deep/er/and (deeper)/it's.txt", "🎉" * 60 + ".md"]
    for number, name in enumerate(names):
        await bucket.write(name, f"Text {number}.")
    await bucket.write("photo.png", "not words")
    await bucket.write(".hidden/notes.md", "not ours")
    await bucket.write("empty.md", "")
    (bucket.folder / "private.md").write_text("outside of the prefix")
    done = await connected.sync()
    assert (done.state, done.progress.failed) == (SyncState.SUCCEEDED, 0)
    assert await connected.texts() == {f"shared/{name}": f"Text {number}." for number, name in enumerate(names)}


async def test_a_file_that_is_too_large_is_refused_before_it_is_fetched(connected: Entered, bucket: Bucket) -> None:
    with (bucket.folder / "shared" / "archive.txt").open("wb") as file:
        file.truncate(300 << 20)
    done = await connected.sync()
    [failure] = await connected.failures()
    assert (done.state, "300 MB" in failure.reason) == (SyncState.SUCCEEDED, True)
    assert not any("archive.txt" in each for each in connected.asked)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"secret": "wrong"}, "does not accept this key"),
        ({"key": "nobody"}, "does not accept this key"),
        ({"bucket": "no-such-bucket"}, "no bucket of this name"),
        ({"endpoint": "http://169.254.169.254"}, "private network"),
    ],
)
async def test_what_is_wrong_is_said_before_anything_is_kept(
    store: Store, bucket: Bucket, stores: Stores, tools: Tools, viewer: Viewer, change: dict[str, str], words: str
) -> None:
    form = FORM | {"endpoint": store.url, "bucket": bucket.folder.name} | change
    with pytest.raises(VaultError, match=words):
        async with entered(stores, tools, viewer, "s3", form):
            pass


async def test_a_listing_that_goes_in_a_circle_is_stopped() -> None:
    page = b"<R><IsTruncated>true</IsTruncated><NextContinuationToken>again</NextContinuationToken></R>"
    n_asked = 0

    def answer(_: httpx.Request) -> httpx.Response:
        nonlocal n_asked
        n_asked += 1
        return httpx.Response(200, content=page)

    async def secrets() -> dict[str, str]:
        return {"secret": "s"}

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        settings = {"bucket": "b", "key": "k", "endpoint": "http://s3.test"}
        reach = Reach(settings, secrets, client, lambda: datetime.now(UTC), Outside(AddressGuard(), client))
        with pytest.raises(Unavailable, match="again and again"):
            [page async for page in S3Connector(reach, ()).pages("")]
    assert n_asked == 2
