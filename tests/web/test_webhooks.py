"""What providers tell us: believed only when it is signed, once, and never for more than a sync."""

import hashlib
import hmac
import json
import time
import uuid
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
import sqlalchemy as sa
from litestar import Litestar
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.integrations import Integration, IntegrationKind
from domain.people import Role, Viewer
from domain.syncs import Sync, Trigger
from infra.store import Stores
from infra.store.schedules import WakeStore
from tests import factories
from web.doors import Doors, WebSettings
from web.webhooks import github_secret

SECRET = "the signing secret of the tests"


@pytest.fixture
def web_settings() -> WebSettings:
    return WebSettings("http://vault.test", "a secret of the tests alone", "0.0", slack_signing_secret=SECRET)


@pytest.fixture
def doors(doors: Doors, stores: Stores) -> Doors:
    return Doors(
        doors.open_vault,
        doors.open_lobby,
        doors.watch,
        doors.check_health,
        doors.read_operations,
        wakes=WakeStore(stores.engine),
    )


@pytest_asyncio.fixture
async def provider(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # Litestar names its messages more closely
    async with httpx.AsyncClient(transport=transport, base_url="http://vault.test") as client:
        yield client


async def connected(stores: Stores, viewer: Viewer) -> Integration:
    async with stores.open_vault(viewer) as vault:
        settings = {"account_id": f"T-{uuid.uuid4().hex}"}
        return await vault.integrations.add(IntegrationKind.GITHUB, "GitHub", settings, None)


async def syncs(stores: Stores, viewer: Viewer, integration: Integration) -> list[Sync]:
    async with stores.open_vault(viewer) as vault:
        return await vault.syncs.page(integration.id, None, 10)


async def tell(
    provider: httpx.AsyncClient, viewer: Viewer, integration: Integration, delivery: str, secret: str = ""
) -> int:
    body = b'{"ref": "refs/heads/main"}'
    key = secret or github_secret("a secret of the tests alone", viewer.tenant_id, integration.id)
    headers = {
        "X-Hub-Signature-256": "sha256=" + hmac.digest(key.encode(), body, hashlib.sha256).hex(),
        "X-GitHub-Delivery": delivery,
        "X-GitHub-Event": "push",
    }
    path = f"/webhooks/github/{viewer.tenant_id}/{integration.id}"
    return (await provider.post(path, content=body, headers=headers)).status_code


async def test_an_event_of_github_requests_one_sync_and_the_same_event_again_none(
    provider: httpx.AsyncClient, stores: Stores, viewer: Viewer
) -> None:
    github, delivery = await connected(stores, viewer), uuid.uuid4().hex
    assert await tell(provider, viewer, github, delivery) == 202
    [sync] = await syncs(stores, viewer, github)
    assert sync.trigger is Trigger.WEBHOOK
    async with stores.open_vault(viewer) as vault:
        await vault.syncs.cancel(sync.id)
    assert await tell(provider, viewer, github, delivery) == 200
    assert len(await syncs(stores, viewer, github)) == 1
    assert await tell(provider, viewer, github, uuid.uuid4().hex) == 202
    assert len(await syncs(stores, viewer, github)) == 2


async def test_an_event_that_is_signed_wrongly_or_for_another_integration_is_refused(
    provider: httpx.AsyncClient, stores: Stores, viewer: Viewer
) -> None:
    github = await connected(stores, viewer)
    other = await factories.integration(stores, viewer)
    foreign = github_secret("a secret of the tests alone", viewer.tenant_id, other.id)
    for secret in ("guessed", foreign):
        assert await tell(provider, viewer, github, uuid.uuid4().hex, secret) == 403
    assert await tell(provider, viewer, github, "") == 200, "what cannot be told from a replay does nothing"
    assert await tell(provider, viewer, other, uuid.uuid4().hex) == 404, "a folder hears nothing of GitHub"
    assert await syncs(stores, viewer, github) == []


async def reading(stores: Stores, viewer: Viewer, team: str) -> Integration:
    """An integration with a workspace, as consent leaves it: the account is a person of the workspace."""
    async with stores.open_vault(viewer) as vault:
        return await vault.integrations.add("slack", f"Slack {team}", {"account_id": f"{team}/U1"}, None)


async def slack(provider: httpx.AsyncClient, event: dict[str, str], secret: str = SECRET, age_s: int = 0) -> int:
    body, sent_at = json.dumps(event).encode(), str(int(time.time()) - age_s)
    signature = hmac.digest(secret.encode(), b"v0:" + sent_at.encode() + b":" + body, hashlib.sha256).hex()
    headers = {"X-Slack-Request-Timestamp": sent_at, "X-Slack-Signature": f"v0={signature}"}
    return (await provider.post("/webhooks/slack", content=body, headers=headers)).status_code


async def test_an_event_of_slack_requests_a_sync_in_each_vault_that_reads_the_workspace(
    provider: httpx.AsyncClient, stores: Stores, viewer: Viewer
) -> None:
    team = f"T{uuid.uuid4().hex}"
    workspace = await reading(stores, viewer, team)
    event = {"type": "event_callback", "team_id": team, "event_id": uuid.uuid4().hex}
    assert await slack(provider, event, secret="guessed") == 403
    assert await slack(provider, event, age_s=3600) == 403, "a replay of an hour ago"
    assert await syncs(stores, viewer, workspace) == []
    assert await slack(provider, event) in (200, 201)
    assert await slack(provider, event) in (200, 201)
    [sync] = await syncs(stores, viewer, workspace)
    assert sync.trigger is Trigger.WEBHOOK
    assert await slack(provider, {"type": "url_verification", "challenge": "abc"}) == 200


async def test_an_event_of_another_workspace_under_the_same_app_requests_nothing_here(
    provider: httpx.AsyncClient, stores: Stores, viewer: Viewer, engine: AsyncEngine
) -> None:
    mine, theirs = f"T{uuid.uuid4().hex}", f"T{uuid.uuid4().hex}"
    neighbour = await factories.member(engine, role=Role.ADMIN)
    here, there = await reading(stores, viewer, mine), await reading(stores, neighbour, theirs)
    for team in (f"{mine}x", mine[:-1], "", f"{mine}/U1"):
        await slack(provider, {"type": "event_callback", "team_id": team, "event_id": uuid.uuid4().hex})
    assert await syncs(stores, viewer, here) == []
    await slack(provider, {"type": "event_callback", "team_id": theirs, "event_id": uuid.uuid4().hex})
    assert (len(await syncs(stores, viewer, here)), len(await syncs(stores, neighbour, there))) == (0, 1)
    async with engine.begin() as connection:  # a row that was left behind decides nothing
        await connection.execute(
            sa.text("update due_syncs set account = :team where integration_id = :id"), {"team": theirs, "id": here.id}
        )
    await slack(provider, {"type": "event_callback", "team_id": theirs, "event_id": uuid.uuid4().hex})
    assert await syncs(stores, viewer, here) == []
