"""The web application over the real stores, and browsers that use it."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from litestar import Litestar
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.facts import Fact
from domain.limits import Limiter, Limits, Unlimited
from domain.people import Viewer
from domain.vault import Tools
from infra.store import Stores
from infra.store.operations import read_operations
from tests import factories
from tests.web.applications import Applications
from tests.web.browser import PASSWORD, Browser, sign_in, sign_up
from web.doors import Doors, WebSettings


@pytest.fixture
def web_settings() -> WebSettings:
    return WebSettings(base_url="http://vault.test", secret_key="a secret of the tests alone", version="0.0")


@pytest.fixture
def facts() -> "asyncio.Queue[Fact]":
    """What a stream under test is told."""
    return asyncio.Queue()


@pytest.fixture
def health() -> dict[str, str]:
    return {"postgres": "up", "redis": "up"}


@pytest.fixture
def limiter() -> Limiter:
    """Lets everything pass; tests of limits replace it."""
    return Unlimited()


@pytest.fixture
def limits() -> Limits:
    return Limits()


@pytest.fixture
def doors(
    stores: Stores, facts: "asyncio.Queue[Fact]", health: dict[str, str], limiter: Limiter, limits: Limits
) -> Doors:
    @asynccontextmanager
    async def watch(tenant_id: int) -> AsyncIterator[AsyncIterator[Fact]]:
        async def follow() -> AsyncIterator[Fact]:
            while True:
                yield await facts.get()

        yield follow()

    async def check_health() -> dict[str, str]:
        return health

    return Doors(
        stores.open_vault,
        stores.open_lobby,
        watch,
        check_health,
        lambda: read_operations(stores.engine),
        limiter=limiter,
        limits=limits,
    )


@pytest.fixture(scope="session")
def applications() -> Applications:
    return Applications()


@pytest.fixture
def app(applications: Applications, doors: Doors, tools: Tools, web_settings: WebSettings) -> Litestar:
    return applications.over(doors, tools, web_settings)


@pytest_asyncio.fixture
async def new_browser(app: Litestar) -> AsyncIterator[Callable[[], Browser]]:
    """Opens browsers that share nothing."""
    browsers: list[Browser] = []

    def open_browser() -> Browser:
        browsers.append(Browser(app))
        return browsers[-1]

    yield open_browser
    for browser in browsers:
        await browser.client.aclose()


@pytest.fixture
def browser(new_browser: Callable[[], Browser]) -> Browser:
    """The browser of a stranger."""
    return new_browser()


@pytest.fixture
def email() -> str:
    """An address nobody has used yet."""
    return f"ada.{uuid.uuid4().hex[:12]}@tidewater.example"


@pytest_asyncio.fixture
async def admin(browser: Browser, email: str) -> Browser:
    """The browser of somebody who has just signed up; it shows the home page."""
    return await sign_up(browser, email)


@pytest_asyncio.fixture
async def admin_viewer(admin: Browser, email: str, stores: Stores) -> Viewer:
    """The person behind `admin`, for what a test arranges in their vault."""
    async with stores.open_lobby() as lobby:
        user = await lobby.user_by_email(email)
        assert user is not None
        [membership] = await lobby.memberships(user.id)
        return await lobby.viewer(membership.tenant_id, user.id)


@pytest_asyncio.fixture
async def stranger(new_browser: Callable[[], Browser]) -> Browser:
    """The browser of an admin of another vault."""
    return await sign_up(new_browser(), f"eve.{uuid.uuid4().hex[:12]}@elsewhere.example", company="Elsewhere")


@pytest_asyncio.fixture
async def member_viewer(engine: AsyncEngine, admin_viewer: Viewer, stores: Stores, tools: Tools) -> Viewer:
    """Mia, who is a member of the admin's vault and no admin."""
    viewer = await factories.member(engine, admin_viewer.tenant_id, name="Mia Lund")
    async with stores.open_lobby() as lobby:
        await lobby.set_password(viewer.user_id, await tools.passwords.hash(PASSWORD))
    return viewer


@pytest_asyncio.fixture
async def member(new_browser: Callable[[], Browser], member_viewer: Viewer) -> Browser:
    """Mia's browser."""
    return await sign_in(new_browser(), member_viewer.email)


@pytest.fixture
def statements(engine: AsyncEngine) -> Iterator[list[str]]:
    """What Postgres is asked, one text for each statement; those that open a transaction are left out."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "set_config" not in statement:
            asked.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    yield asked
    event.remove(engine.sync_engine, "before_cursor_execute", note)
