"""The metrics, as Prometheus reads them."""

import asyncio

import msgspec
import pytest
from litestar import Litestar

from domain.facts import Fact
from domain.people import Viewer
from domain.syncs import Trigger
from domain.vault import Tools
from infra.store import Stores
from tests import factories
from tests.web.applications import Applications
from tests.web.browser import Browser
from tests.web.streams import listening
from web.app import create_app
from web.doors import Doors, WebSettings


@pytest.fixture
def applications() -> Applications:
    """One that has counted nothing yet."""
    return Applications()


def value(text: str, start: str) -> float:
    [line] = [line for line in text.splitlines() if line.startswith(start)]
    return float(line.rsplit(" ", 1)[1])


async def read(browser: Browser, **headers: str) -> str:
    return (await browser.visit("/metrics", **headers)).response.text


async def test_requests_are_counted_by_route_and_never_by_address(admin: Browser) -> None:
    for number in (71, 72):
        await admin.visit(f"/documents/{number}")
    await admin.visit("/nobody/knows/this")
    text = await read(admin)
    route = 'method="GET",route="/documents/{document_id}",status="404"'
    assert value(text, f"kv_request_seconds_count{{{route}}}") == 2
    assert "/documents/71" not in text
    assert "nobody" not in text


async def test_open_streams_are_counted_while_they_are_open(
    app: Litestar, admin: Browser, facts: "asyncio.Queue[Fact]"
) -> None:
    async with listening(app, admin, "/integrations/events"):
        assert value(await read(admin), "kv_open_streams ") == 1
    assert value(await read(admin), "kv_open_streams ") == 0


async def test_the_queue_is_read_when_it_is_asked_for(admin: Browser, stores: Stores, viewer: Viewer) -> None:
    before = value(await read(admin), "kv_queue_waiting ")
    folder = await factories.integration(stores, viewer)
    async with stores.open_vault(viewer) as vault:
        await vault.syncs.request(folder.id, Trigger.PERSON)
    text = await read(admin)
    assert value(text, "kv_queue_waiting ") == before + 1
    assert value(text, "kv_queue_oldest_seconds ") >= 0


@pytest.mark.parametrize(
    ("token", "sent", "status"),
    [("", "", 404), ("t0ken", "", 404), ("t0ken", "Bearer other", 404), ("t0ken", "Bearer t0ken", 200)],
)
async def test_in_production_the_metrics_open_with_their_token_only(
    doors: Doors, tools: Tools, web_settings: WebSettings, token: str, sent: str, status: int
) -> None:
    settings = msgspec.structs.replace(web_settings, is_production=True, metrics_token=token)
    browser = Browser(create_app(doors, tools, settings))
    await browser.visit("/metrics", Authorization=sent)
    await browser.client.aclose()
    assert browser.status == status
