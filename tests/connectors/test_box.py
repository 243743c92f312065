"""Box, on a stand-in that is held to Box's published schema: the vault equals the account, sharing included."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.credentials import Grant
from domain.errors import Unavailable
from domain.integrations import Integration
from domain.people import Viewer
from domain.syncs import SyncState
from domain.vault import Tools
from infra.connectors.box import BoxConnector
from infra.connectors.http import Source
from infra.store import Stores
from tests import factories
from tests.connectors.contract import keeps_its_contract
from tests.connectors.vaulted import Vaulted, connected
from tests.peers.box import BoxServer, running_box
from tests.peers.published import complaints

SCHEMA = Path(__file__).parents[3] / "shared" / "peers" / "box-openapi.json"


@pytest.fixture
def box() -> Iterator[BoxServer]:
    with running_box() as running:
        yield running


@pytest_asyncio.fixture
async def vaulted(box: BoxServer, stores: Stores, viewer: Viewer, tools: Tools) -> AsyncIterator[Vaulted]:
    environment = {"BOX_CLIENT_ID": "id", "BOX_CLIENT_SECRET": "secret", "BOX_API_URL": box.url, "BOX_URL": box.url}
    async with connected(stores, viewer, tools, "box", environment, Grant("a0", "r0")) as found:
        yield found


async def colleague(vaulted: Vaulted, engine: AsyncEngine, email: str) -> Viewer:
    member = await factories.member(engine, vaulted.viewer.tenant_id)
    async with vaulted.stores.open_vault(member) as vault:
        await vault.access.prove(member.user_id, email)
    return member


async def test_box_keeps_the_contract(vaulted: Vaulted, box: BoxServer) -> None:
    await keeps_its_contract(vaulted, box, n_items=12, n_edits=10)


async def test_what_is_shared_is_found_by_those_it_is_shared_with_until_it_is_no_longer(
    vaulted: Vaulted, box: BoxServer, engine: AsyncEngine
) -> None:
    tom, eva = await colleague(vaulted, engine, "tom@b.test"), await colleague(vaulted, engine, "eva@b.test")
    team = box.folder("Team")
    deep = box.folder("Deeper", team)
    plan = box.file("plan.md", b"We move in May.", deep)
    own = box.file("own.md", b"Mine alone.")
    box.groups["77"] = ["eva@b.test"]
    box.share(team, "tom@b.test")
    box.share(plan, "77")
    box.share(own, "tom@b.test", role="uploader")
    box.share(own, "eva@b.test", status="pending")
    assert (await vaulted.sync()).state is SyncState.SUCCEEDED
    assert set(await vaulted.texts()) == {plan, own}
    assert (set(await vaulted.texts(tom)), set(await vaulted.texts(eva))) == ({plan}, {plan})
    box.groups["77"].clear()
    box.shared[team].clear()
    await vaulted.sync()
    assert (await vaulted.texts(tom), await vaulted.texts(eva)) == ({}, {})
    assert set(await vaulted.texts()) == {plan, own}


async def test_a_token_that_ends_in_mid_sync_is_renewed_and_its_successor_kept(
    vaulted: Vaulted, box: BoxServer
) -> None:
    await box.add("The first note.")
    box.access_token = "ended"
    assert (await vaulted.sync()).state is SyncState.SUCCEEDED
    box.access_token = "ended again"
    assert (await vaulted.sync()).state is SyncState.SUCCEEDED
    assert box.n_renewed == 2
    async with vaulted.stores.open_vault(vaulted.viewer) as vault:
        held = await vault.credentials.get(vaulted.integration.id)
    assert (held.access_token, held.refresh_token) == ("a2", "r2")


async def test_a_grant_that_was_revoked_fails_the_sync_and_keeps_the_documents(
    vaulted: Vaulted, box: BoxServer
) -> None:
    await box.add("The first note.")
    await vaulted.sync()
    box.access_token = box.refresh_token = "revoked"
    ended = await vaulted.sync()
    assert (ended.state, "Reconnect" in ended.reason) == (SyncState.FAILED, True)
    assert len(await vaulted.texts()) == 1


async def test_large_files_are_refused_pictures_passed_over_and_odd_names_kept(
    vaulted: Vaulted, box: BoxServer
) -> None:
    box.file("archive.txt", b"x", size=2 << 30)
    box.file("photo.png", b"not words")
    odd = box.file("🎉" * 300 + ".md", b"A feast.")
    done = await vaulted.sync()
    assert (done.state, done.progress.failed, set(await vaulted.texts())) == (SyncState.SUCCEEDED, 1, {odd})
    assert sum(each.endswith("/content") for each in vaulted.asked) == 1


async def test_only_chosen_folders_are_read(vaulted: Vaulted, box: BoxServer) -> None:
    wanted, other = box.folder("Wanted"), box.folder("Other")
    note = box.file("note.md", b"Wanted.", wanted)
    box.file("note.md", b"Not wanted.", other)
    await vaulted.configure(chosen=wanted)
    await vaulted.sync()
    assert set(await vaulted.texts()) == {note}


async def test_a_list_that_goes_in_a_circle_is_stopped(viewer: Viewer, stores: Stores) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"entries": [], "next_marker": "again"})

    async def token(_: str) -> str:
        return "a"

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        integration = Integration(1, "box", "Box", {}, "", viewer.user_id, datetime.now(UTC), None)
        connector = BoxConnector(
            integration, Source(client, "Box", "http://box.test", token), viewer, stores.open_vault
        )
        with pytest.raises(Unavailable, match="again and again"):
            [page async for page in connector.pages("")]


def test_the_stand_in_answers_in_the_shape_box_publishes(box: BoxServer) -> None:
    if not SCHEMA.is_file():
        pytest.skip("Box's schema is not here")
    document = json.loads(SCHEMA.read_text())
    folder = box.folder("Team")
    box.groups["77"] = ["eva@b.test"]
    for number in (folder, box.file("plan.md", b"We move.")):
        box.share(number, "77")
        box.share(number, "tom@b.test")
    for path, name in (
        ("/2.0/users/me", "User--Full"),
        ("/2.0/folders/0/items", "Items"),
        (f"/2.0/folders/{folder}/collaborations", "Collaborations"),
        ("/2.0/groups/77/memberships", "GroupMemberships"),
        ("/2.0/folders/none/items", "ClientError"),
    ):
        _, said = box.answer(path, {})
        assert complaints(document, name, said) == []
