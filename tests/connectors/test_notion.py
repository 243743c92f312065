"""Notion: recorded answers of the real one where they are at hand, and a stand-in that is held to their shape."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import yaml

from domain.errors import Unavailable, VaultError
from domain.people import Viewer
from domain.syncs import SyncState
from domain.vault import Tools
from infra.connectors.addresses import AddressGuard, Outside
from infra.connectors.kinds import Reach
from infra.connectors.notion import by_secret
from infra.connectors.notion_text import Block, blocks_text, data_source_text, page_text, property_text
from infra.store import Stores
from tests.connectors.entered import AMOUNTS, Entered, check_mirror, entered
from tests.peers.notion import SECRET, Workspace, block, paragraph, rich, running_notion

RECORDED = Path(__file__).parents[3] / "shared" / "peers" / "notion-cassettes"


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with running_notion() as running:
        running.put("Start", [paragraph("Nothing yet.")])
        yield running


@pytest_asyncio.fixture
async def connected(workspace: Workspace, stores: Stores, tools: Tools, viewer: Viewer) -> AsyncIterator[Entered]:
    values = {"token": SECRET, "api_url": workspace.url}
    async with entered(stores, tools, viewer, "notion", values) as connected:
        yield connected


@AMOUNTS
async def test_the_vault_mirrors_a_workspace(
    connected: Entered, workspace: Workspace, n_items: int, n_changes: int
) -> None:
    assert connected.integration.name == "Tidewater"
    await check_mirror(connected, workspace, allowance=8, n_items=n_items, n_changes=n_changes)


async def test_a_page_comes_in_with_its_properties_and_all_its_blocks(connected: Entered, workspace: Workspace) -> None:
    row = block("table_row", {"cells": [rich("pump"), rich("12")]})
    number = workspace.put(
        "Plan 🎉" * 60,
        [
            block("heading_1", {"rich_text": rich("Aims")}),
            block(
                "toggle", {"rich_text": rich("Details")}, block("to_do", {"rich_text": rich("Ship"), "checked": True})
            ),
            block("table", {"table_width": 2}, row),
            block("code", {"rich_text": rich("run()"), "language": "python"}),
            block("child_page", {"title": "Below"}, paragraph("never read as part of this page")),
            block("mystery_of_next_year", {}),
        ],
        {
            "Owner": {"id": "a", "type": "people", "people": [{"object": "user", "id": "x", "name": "Tom"}]},
            "State": {"id": "b", "type": "status", "status": {"name": "In progress"}},
        },
    )
    await connected.sync()
    text = (await connected.texts())[f"page/{number}"]
    for words in ("Owner: Tom", "State: In progress", "Aims", "Details", "Ship", "pump", "run()", "Below"):
        assert words in text
    assert "never read" not in text


async def test_what_the_search_forgets_stays_until_it_is_truly_gone(connected: Entered, workspace: Workspace) -> None:
    number = workspace.put("Quiet", [paragraph("Still here.")])
    await connected.sync()
    workspace.hidden.add(number)
    assert (await connected.sync()).progress.deleted == 0
    await workspace.delete("Quiet")
    assert (await connected.sync()).progress.deleted == 1


async def test_a_storm_of_refusals_is_waited_out(connected: Entered, workspace: Workspace) -> None:
    await workspace.write("Plan", "We move in May.")
    workspace.n_limited = 4
    done = await connected.sync()
    assert (done.state, done.progress.failed) == (SyncState.SUCCEEDED, 0)
    assert len(await connected.texts()) == 2


async def test_a_secret_that_was_withdrawn_fails_the_sync_with_the_way_out_and_keeps_the_documents(
    connected: Entered, workspace: Workspace
) -> None:
    await connected.sync()
    workspace.secret = "another"
    done = await connected.sync()
    assert (done.state, "does not accept this secret" in done.reason) == (SyncState.FAILED, True)
    assert len(await connected.texts()) == 1


async def test_a_wrong_secret_and_an_integration_nothing_is_shared_with_are_told_apart(
    workspace: Workspace, stores: Stores, tools: Tools, viewer: Viewer
) -> None:
    with pytest.raises(VaultError, match="does not accept this secret"):
        async with entered(stores, tools, viewer, "notion", {"token": "wrong", "api_url": workspace.url}):
            pass
    workspace.things.clear()
    with pytest.raises(VaultError, match="nothing is shared"):
        async with entered(stores, tools, viewer, "notion", {"token": SECRET, "api_url": workspace.url}):
            pass


def test_values_of_all_kinds_are_put_in_words() -> None:
    people = {"u1": "Ana Ruiz"}
    assert property_text({"type": "date", "date": {"start": "2026-01-01", "end": "2026-01-05"}}, people) == (
        "2026-01-01 to 2026-01-05"
    )
    assert property_text({"type": "people", "people": [{"object": "user", "id": "u1"}]}, people) == "Ana Ruiz"
    assert property_text({"type": "multi_select", "multi_select": [{"name": "a"}, {"name": "b"}]}, people) == "a, b"
    assert property_text({"type": "formula", "formula": {"type": "number", "number": 3}}, people) == "3"
    assert property_text({"type": "number", "number": None}, people) == ""
    assert property_text({"type": "unique_id", "unique_id": {"prefix": "KV", "number": 7}}, people) == "KV-7"
    assert property_text({"type": "of next year", "of next year": 1}, people) == ""


def recorded(name: str) -> list[dict[str, Any]]:
    if not RECORDED.is_dir():
        pytest.skip("the recorded answers are not here")
    exchanges: list[dict[str, Any]] = yaml.safe_load((RECORDED / f"{name}.yaml").read_text())["interactions"]
    return exchanges


def said(exchange: dict[str, Any]) -> Any:
    return json.loads(exchange["response"]["body"]["string"])


async def test_a_recorded_list_of_blocks_is_read_to_its_end() -> None:
    exchanges = [each for each in recorded("test_iterate_paginated_api") if each["request"]["method"] == "GET"]
    answers = {parts[1]: said(each) for each in exchanges[:3] if (parts := _where(each["request"]["uri"]))}

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["Notion-Version"] == "2025-09-03"
        return httpx.Response(200, json=answers[request.url.params.get("start_cursor", "")])

    async def secrets() -> dict[str, str]:
        return {"token": "ntn"}

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        reach = Reach({}, secrets, client, lambda: datetime.now(UTC), Outside(AddressGuard(), client))
        found = [each async for page in by_secret(reach).lists("GET", "blocks/x/children") for each in page]
        with pytest.raises(Unavailable, match="again and again"):
            answers[""] = answers[""] | {"next_cursor": "round"}
            answers["round"] = answers[""]
            [page async for page in by_secret(reach).lists("GET", "blocks/x/children")]
    blocks = [Block(each["type"], each[each["type"]]) for each in found]
    assert blocks_text(blocks) == "\n\n".join(f"paragraph {number}" for number in range(5))


def test_recorded_pages_and_tables_are_understood() -> None:
    page = said(recorded("test_pages_create")[0])
    assert page_text(page, [], {}).startswith("# ")
    source = next(
        said(each) for each in recorded("test_data_sources_retrieve") if "data_source" in each["request"]["uri"]
    )
    assert data_source_text(source) == f"# {source['title'][0]['plain_text']}\n\n- Name (title)"


def test_the_stand_in_answers_in_the_shape_of_what_was_recorded(workspace: Workspace) -> None:
    [real] = said(next(each for each in recorded("test_collect_paginated_api") if "search" in each["request"]["uri"]))[
        "results"
    ]
    _, listed = workspace.answer("POST", "/v1/search", {})
    [ours] = listed["results"]
    assert {name: type(value) for name, value in ours.items()} == {name: type(value) for name, value in real.items()}
    real_list = said(recorded("test_users_list")[0])
    assert set(listed) <= set(real_list)
    created = next(each for each in recorded("test_blocks_children_create") if "children" in each["request"]["uri"])
    real_block = said(created)["results"][0]
    _, blocks = workspace.answer("GET", f"/v1/blocks/{ours['id']}/children", {})
    assert set(blocks["results"][0]) <= set(real_block)
    assert set(blocks["results"][0]["paragraph"]) <= set(real_block["paragraph"])
    refused = said(next(each for each in recorded("test_api_response_error") if "users" in each["request"]["uri"]))
    assert set(refused) == set(workspace.answer("GET", "/v1/pages/none", {})[1])


def _where(uri: str) -> tuple[str, str]:
    url = httpx.URL(uri)
    return url.path, url.params.get("start_cursor", "")
