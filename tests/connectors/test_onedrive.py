"""OneDrive, on a mock that others wrote; what that one cannot do, on answers in the shapes of Graph's reference."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.credentials import Grant
from domain.errors import Unavailable
from domain.integrations import Gone, Integration, Item, Unreadable
from domain.people import Viewer
from domain.vault import Tools
from infra.connectors.http import Source
from infra.connectors.onedrive import OneDriveConnector
from infra.connectors.onedrive_items import Identity, Permission, Person, shared_with
from infra.store import Stores
from tests import factories
from tests.connectors.contract import keeps_its_contract, succeeded
from tests.connectors.peers import microsoft_environment
from tests.connectors.vaulted import Vaulted, connected
from tests.peers.emulate import Emulators
from tests.peers.onedrive import OneDriveFiles
from tests.peers.published import complaints, published

Answers = dict[str, object]


@pytest_asyncio.fixture
async def drive(onedrive_url: str) -> AsyncIterator[OneDriveFiles]:
    async with httpx.AsyncClient(base_url=onedrive_url, headers={"Authorization": "Bearer valid-token"}) as api:
        drive = OneDriveFiles(api)
        await drive.empty()
        yield drive


@pytest_asyncio.fixture
async def vaulted(
    drive: OneDriveFiles, onedrive_url: str, stores: Stores, viewer: Viewer, tools: Tools, emulators: Emulators
) -> AsyncIterator[Vaulted]:
    environment = microsoft_environment(emulators, onedrive_url)
    async with connected(stores, viewer, tools, "onedrive", environment, Grant("valid-token")) as vaulted:
        yield vaulted


async def test_onedrive_keeps_the_contract(vaulted: Vaulted, drive: OneDriveFiles) -> None:
    await keeps_its_contract(vaulted, drive, n_items=8, n_edits=10)


async def test_only_chosen_folders_are_read_and_what_is_moved_out_of_them_goes(
    vaulted: Vaulted, drive: OneDriveFiles
) -> None:
    team = await drive.folder("Team")
    deep = await drive.folder("2026", team)
    inside, plain = await drive.write("The plan for May.", deep), await drive.write("A note.", team)
    await drive.write("A private letter.")
    await drive.write("not words", team, "logo.png")
    await vaulted.configure(chosen=team)
    succeeded(await vaulted.sync())
    assert set(await vaulted.texts()) == {inside, plain}
    await drive.change(deep, parentReference={"id": "root"})
    async with vaulted.stores.open_vault(vaulted.viewer) as vault:
        await vault.deletions.allow(vaulted.integration.id, None)
    succeeded(await vaulted.sync())
    assert set(await vaulted.texts()) == {plain}


async def test_a_token_that_is_refused_ends_the_sync_with_the_way_out(
    stores: Stores, viewer: Viewer, tools: Tools, emulators: Emulators, drive: OneDriveFiles, onedrive_url: str
) -> None:
    environment = microsoft_environment(emulators, onedrive_url)
    async with connected(stores, viewer, tools, "onedrive", environment, Grant("an old one")) as vaulted:
        assert "Reconnect" in (await vaulted.sync()).reason


SHARED: tuple[Answers, ...] = (
    {"roles": ["read"], "grantedToV2": {"user": {"displayName": "Tom", "email": "Tom@b.test"}}},
    {"roles": ["write"], "grantedToIdentitiesV2": [{"siteUser": {"loginName": "i:0#.f|membership|eva@b.test"}}]},
)
"""How Graph says with whom something is shared."""


def connector_on(
    answer: Callable[[httpx.Request], httpx.Response], vaulted: Vaulted, cursor: str = "", *, libraries: str = ""
) -> OneDriveConnector:
    """A connector over answers in the shapes of Graph's reference, for what no peer can do."""

    async def token(refused: str) -> str:
        return "token"

    source = Source(httpx.AsyncClient(transport=httpx.MockTransport(answer)), "OneDrive", "https://graph.test", token)
    held = vaulted.integration
    settings = {"chosen": libraries} if libraries else {}
    integration = Integration(held.id, held.kind, held.name, settings, cursor, held.owner_id, held.created_at, None)
    return OneDriveConnector(
        integration,
        source,
        vaulted.viewer,
        vaulted.stores.open_vault,
        datetime.now(UTC),
        are_drives_chosen=bool(libraries),
    )


def file(name: str, parent: str, **more: object) -> Answers:
    says: Answers = {"id": name, "name": f"{name}.md", "size": 5, "cTag": "1", "file": {}}
    return says | {"parentReference": {"id": parent}} | more


def folder(name: str, parent: str, **more: object) -> Answers:
    return {"id": name, "name": name, "folder": {}, "parentReference": {"id": parent}} | more


async def test_a_folder_is_shared_with_all_that_lies_in_it_until_it_is_no_longer(vaulted: Vaulted) -> None:
    tom, eva = SHARED
    top: Answers = {"id": "root", "name": "root", "root": {}, "folder": {}}
    items = [top, folder("F", "root", shared={}), folder("G", "F"), file("a", "G"), file("b", "root", shared={})]
    answers: Answers = {
        "/v1.0/me/drive/root/delta": {"value": items, "@odata.deltaLink": "https://graph.test/next"},
        "/v1.0/me/drive/items/F/permissions": {"value": [tom]},
        "/v1.0/me/drive/items/b/permissions": {"value": [eva]},
    }

    def answer(request: httpx.Request) -> httpx.Response:
        known = answers.get(request.url.path)
        return httpx.Response(200, json=known) if known is not None else httpx.Response(404)

    pages = [page async for page in connector_on(answer, vaulted).pages("")]
    entries = {each.external_id: each for page in pages for each in page.entries if isinstance(each, Item)}
    group, alone = pages[-1].groups
    assert (group.members, alone.members) == (("email:tom@b.test",), ("email:eva@b.test",))
    assert group.principal in entries["a"].principals
    assert alone.principal in entries["b"].principals
    assert group.principal not in entries["b"].principals
    cursor = pages[-1].cursor
    answers["/next"] = {"value": [folder("F", "root")], "@odata.deltaLink": "https://graph.test/later"}
    items[1] = folder("F", "root")
    again = [page async for page in connector_on(answer, vaulted, cursor).pages(cursor)]
    reached = {each.external_id: each for page in again for each in page.entries if isinstance(each, Item)}
    assert reached["a"].principals == (f"user:{vaulted.viewer.user_id}",)
    assert again[-1].groups == (alone,)


async def test_a_file_that_is_no_longer_shared_is_closed_by_the_next_sync_though_delta_keeps_still(
    vaulted: Vaulted, engine: AsyncEngine
) -> None:
    colleague = await factories.member(engine, vaulted.viewer.tenant_id)
    async with vaulted.stores.open_vault(colleague) as vault:
        await vault.access.prove(colleague.user_id, "tom@b.test")
    delta: Answers = {"value": [file("a", "root", shared={})], "@odata.deltaLink": "https://graph.test/v1.0/next"}
    answers: Answers = {
        "/v1.0/me/drive/root/delta": delta,
        "/v1.0/next": {"value": [], "@odata.deltaLink": "https://graph.test/v1.0/next"},
        "/v1.0/me/drive/items/a/permissions": {"value": [SHARED[0]]},
    }

    def answer(request: httpx.Request) -> httpx.Response:
        known = answers.get(request.url.path)
        return httpx.Response(200, content=b"words") if known is None else httpx.Response(200, json=known)

    def connect(integration: Integration, *_: object) -> OneDriveConnector:
        return connector_on(answer, vaulted, integration.cursor)

    vaulted.tools = replace(vaulted.tools, connect=connect)
    succeeded(await vaulted.sync())
    assert set(await vaulted.texts(colleague)) == {"a"}
    answers["/v1.0/me/drive/items/a/permissions"] = {"value": []}
    done = succeeded(await vaulted.sync())
    assert (await vaulted.texts(colleague), set(await vaulted.texts())) == ({}, {"a"})
    assert done.progress.found == 0


async def test_of_many_shared_files_each_sync_asks_about_some_until_all_had_their_turn(vaulted: Vaulted) -> None:
    asked: list[str] = []
    names = [f"file-{number:03}" for number in range(120)]

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/permissions"):
            asked.append(request.url.path.split("/")[-2])
            return httpx.Response(200, json={"value": []})
        items = [] if request.url.path == "/v1.0/next" else [file(name, "root", shared={}) for name in names]
        return httpx.Response(200, json={"value": items, "@odata.deltaLink": "https://graph.test/v1.0/next"})

    cursor, met = "", list[set[str]]()
    for _ in range(4):
        asked.clear()
        cursor = [page async for page in connector_on(answer, vaulted, cursor).pages(cursor)][-1].cursor
        met.append(set(asked))
    assert [len(each) for each in met] == [120, 50, 50, 50]
    assert met[1] | met[2] | met[3] == set(names)


async def test_a_delta_that_is_too_old_lists_everything_again(vaulted: Vaulted) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if request.url.path == "/old":
            return httpx.Response(410, json={"error": {"code": "resyncRequired"}})
        items = {"value": [file("a", "root")], "@odata.deltaLink": "https://graph.test/old"}
        return httpx.Response(200, json=items)

    first = [page async for page in connector_on(answer, vaulted).pages("")]
    again = [page async for page in connector_on(answer, vaulted).pages(first[-1].cursor)]
    assert [each.external_id for page in again for each in page.entries] == ["a"]
    assert asked[1:] == ["/old", "/v1.0/me/drive/root/delta"]


async def test_libraries_of_sharepoint_are_read_each_with_ids_of_its_own(vaulted: Vaulted) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "files.test":
            assert "Authorization" not in request.headers
            return httpx.Response(200, content=b"words")
        if request.url.path.endswith("/content"):
            return httpx.Response(302, headers={"Location": "https://files.test/a?temporary=1"})
        items = [file("a", "root"), file("film", "root", size=2 << 30), file("gone", "root", deleted={})]
        return httpx.Response(200, json={"value": items, "@odata.deltaLink": "https://graph.test/next"})

    connector = connector_on(answer, vaulted, libraries="L1 L2")
    entries = [each for page in [each async for each in connector.pages("")] for each in page.entries]
    assert [each.external_id for each in entries] == ["L1/a", "L1/film", "L2/a", "L2/film"]
    assert [type(each) for each in entries] == [Item, Unreadable, Item, Unreadable]
    assert isinstance(entries[0], Item)
    assert await connector.fetch(entries[0]) == b"words"
    assert not any(isinstance(each, Gone) for each in entries)


async def test_a_delta_that_goes_in_a_circle_is_stopped(vaulted: Vaulted) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"value": [], "@odata.nextLink": "https://graph.test/again"})

    with pytest.raises(Unavailable, match="again and again"):
        _ = [page async for page in connector_on(answer, vaulted).pages("")]


async def test_what_stands_for_graph_has_the_shape_microsoft_publishes(drive: OneDriveFiles) -> None:
    document = published("graph")
    await drive.write("A note.", await drive.folder("Team"))
    listed = (await drive.api.get("/v1.0/me/drive/root/delta")).json()["value"]
    assert len(listed) >= 2
    ours = [file("a", "G", shared={}), folder("G", "F"), file("gone", "root", deleted={})]
    for each in (*ours, *listed):
        shown = {name: value for name, value in each.items() if name != "content"}  # the mock's own; nobody reads it
        assert complaints(document, "microsoft.graph.driveItem", shown) == []
    for each in SHARED:
        assert complaints(document, "microsoft.graph.permission", each) == []
    assert complaints(document, "microsoft.graph.driveItem", {"id": 7, "cTag": "1"}) != []


def test_a_group_or_a_link_alone_lets_nobody_in() -> None:
    permissions = (
        Permission(granted_to_v2=Identity(group=Person(email="all@b.test")), roles=("read",)),
        Permission(granted_to_v2=Identity(user=Person(email="ana@b.test")), roles=()),
        Permission(granted_to_v2=Identity(user=Person(email="Tom@b.test")), roles=("owner",)),
        Permission(roles=("read",)),
    )
    assert shared_with(permissions) == ("email:tom@b.test",)
