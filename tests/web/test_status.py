"""How the deployment stands, as its admins see it."""

import asyncio

import sqlalchemy as sa
from litestar import Litestar

from domain.facts import Fact
from domain.people import Viewer
from domain.syncs import Trigger
from domain.vault import Tools
from infra.store import Stores
from tests import factories
from tests.web.browser import Browser
from tests.web.streams import listening


async def worker(stores: Stores, silent_for_s: int) -> int:
    """A worker's heartbeat, as its process writes it."""
    async with stores.engine.begin() as connection:
        rows = await connection.execute(
            sa.text(
                "insert into procrastinate_workers (last_heartbeat)"
                " values (now() - make_interval(secs => :silent)) returning id"
            ),
            {"silent": silent_for_s},
        )
        return int(rows.scalar_one())


async def test_an_admin_sees_parts_workers_queue_and_version(admin: Browser, stores: Stores) -> None:
    alive, dead = await worker(stores, silent_for_s=0), await worker(stores, silent_for_s=3600)
    await admin.visit("/status")
    assert (admin.status, admin.heading) == (200, "Status")
    assert "Everything works" in admin.words
    assert f"Loop {alive} " in admin.words
    assert f"Loop {dead} " not in admin.words
    assert "Version 0.0" in admin.words
    assert "Nothing has failed" in admin.words


async def test_without_redis_it_says_degraded(admin: Browser, stores: Stores, health: dict[str, str]) -> None:
    await worker(stores, silent_for_s=0)
    health["redis"] = "Redis does not answer; live updates go through the database meanwhile."
    await admin.visit("/status")
    assert "Degraded: Redis" in admin.words
    assert health["redis"] in admin.words


async def test_what_failed_in_this_vault_is_listed_with_its_reason(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, source: factories.Source
) -> None:
    source.files, source.breaks_after = {"a.txt": "Alpha", "b.txt": "Beta"}, 0
    await factories.synced(stores, tools, admin_viewer, "Handbook")
    await admin.visit("/status")
    assert "Handbook" in admin.words
    assert "The source does not answer. Try again later." in admin.words


async def test_other_vaults_failures_are_not_shown(
    stranger: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, source: factories.Source
) -> None:
    source.files, source.breaks_after = {"a.txt": "Alpha"}, 0
    await factories.synced(stores, tools, admin_viewer, "Secret plans")
    assert "Secret plans" not in (await stranger.visit("/status")).words


async def test_members_do_not_see_the_status(
    app: Litestar, admin: Browser, admin_viewer: Viewer, stores: Stores
) -> None:
    async with stores.open_lobby() as lobby:
        await lobby.viewer(admin_viewer.tenant_id, admin_viewer.user_id)
    async with stores.engine.begin() as connection:
        await connection.execute(sa.text("select set_config('kv.lobby', 'on', true)"))
        await connection.execute(
            sa.text("update memberships set role = 'member' where user_id = :user"), {"user": admin_viewer.user_id}
        )
    assert (await admin.visit("/status")).status == 403
    assert (await admin.visit("/status/events")).status == 403


async def test_the_page_moves_live(
    app: Litestar, admin: Browser, admin_viewer: Viewer, stores: Stores, facts: "asyncio.Queue[Fact]"
) -> None:
    await admin.visit("/status")
    assert admin.page.css_first('[sse-connect="/status/events"]') is not None
    async with listening(app, admin, "/status/events") as stream:
        first, _ = await stream.next_event() or ("", "")
        new = await worker(stores, silent_for_s=0)
        name, markup = await stream.next_event() or ("", "")
    assert (first, name, f"Loop {new}" in markup) == ("status", "status", True)


async def test_a_sync_that_waits_says_how_many_are_ahead_of_it(
    admin: Browser, admin_viewer: Viewer, stores: Stores
) -> None:
    for name in ("One", "Two"):
        folder = await factories.integration(stores, admin_viewer, name)
        async with stores.open_vault(admin_viewer) as vault:
            sync = await vault.syncs.request(folder.id, Trigger.PERSON)
            n_ahead = (await vault.syncs.ahead([sync.id]))[sync.id]
    expected = f"Waiting for a free worker, {n_ahead:,} ahead of it"
    assert expected in (await admin.visit("/integrations")).words
    assert expected in (await admin.visit(f"/syncs/{sync.id}")).words
