"""Sources that lie: cursors that repeat, pages without end. Each ends the sync with a reason, and nothing is stuck."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import msgspec
import pytest

from domain.credentials import Grant
from domain.people import Viewer, system_viewer
from domain.syncs import Sync, SyncState, Trigger
from domain.vault import Tools
from infra.connectors import Connectors, make_oauth
from infra.secrets import StateSigner
from infra.settings import read_settings
from infra.store import Stores
from infra.worker import run_sync

Lie = Callable[[httpx.Request], dict[str, Any]]


def repeating_mails(request: httpx.Request) -> dict[str, Any]:
    if request.url.path.endswith("/profile"):
        return {"historyId": "5"}
    return {"messages": [{"id": "m1", "threadId": "t1"}], "nextPageToken": "again"}


def endless_history(request: httpx.Request) -> dict[str, Any]:
    return {"history": [], "historyId": "9", "nextPageToken": "again"}


def repeating_channels(request: httpx.Request) -> dict[str, Any]:
    return {"ok": True, "channels": [], "members": [], "response_metadata": {"next_cursor": "again"}}


def repeating_changes(request: httpx.Request) -> dict[str, Any]:
    return {"changes": [], "drives": [], "nextPageToken": "" if request.url.path.endswith("drives") else "3"}


MARK = '{"changes": "3", "swept_at": "2999-01-01T00:00:00Z", "chosen": ""}'


async def synced(stores: Stores, viewer: Viewer, tools: Tools, kind: str, cursor: str, lie: Lie) -> Sync:
    """The sync of an account whose provider answers with a lie."""

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=lie(request))

    settings = read_settings({})
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        apps = {name: msgspec.structs.replace(each, client_id="id") for name, each in settings.providers.items()}
        oauth = make_oauth(client, apps, "http://vault.test", StateSigner("a key"))
        connect = Connectors(client, oauth, apps, tools.now).connect
        async with stores.open_vault(viewer) as vault:
            integration = await vault.integrations.add(kind, kind, {}, viewer.user_id)
            await vault.integrations.advance(integration.id, cursor)
            await vault.credentials.save(integration.id, Grant("token"))
            sync = await vault.syncs.request(integration.id, Trigger.PERSON)
        done = await run_sync(
            stores.open_vault, replace(tools, connect=connect), system_viewer(viewer.tenant_id), sync.id
        )
    assert done is not None
    return done


@pytest.mark.parametrize(
    ("kind", "cursor", "lie"),
    [
        ("gmail", "", repeating_mails),
        ("gmail", "5 ", endless_history),
        ("slack", "", repeating_channels),
        ("drive", MARK, repeating_changes),
    ],
)
async def test_pages_that_come_again_and_again_end_the_sync_with_a_reason(
    stores: Stores, viewer: Viewer, tools: Tools, kind: str, cursor: str, lie: Lie
) -> None:
    done = await synced(stores, viewer, tools, kind, cursor, lie)
    assert (done.state, "again and again" in done.reason) == (SyncState.FAILED, True)


async def test_an_answer_in_another_shape_ends_the_sync_with_a_reason(
    stores: Stores, viewer: Viewer, tools: Tools
) -> None:
    done = await synced(stores, viewer, tools, "gmail", "", lambda _: {"historyId": 5, "messages": "many"})
    assert (done.state, "do not understand" in done.reason) == (SyncState.FAILED, True)
