"""What somebody does too often is refused, and the page says when to try again."""

import uuid
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
import pytest_asyncio
from litestar import Litestar

from domain.limits import Limit, Limiter, Limits
from domain.people import Viewer
from infra.limits import RedisLimiter, limiter_client
from infra.store import Stores
from tests.web.browser import Browser, sign_in, sign_up
from tests.web.pressing import upload
from web.sessions import token_hash

NewBrowser = Callable[[], Browser]


@pytest_asyncio.fixture
async def limiter(redis_url: str) -> AsyncIterator[Limiter]:
    client = limiter_client(redis_url)
    yield RedisLimiter(client)
    await client.aclose()


@pytest.fixture
def limits() -> Limits:
    """Two of everything, in counters of this test alone."""

    def two(limit: Limit) -> Limit:
        return Limit(f"{limit.name}-{uuid.uuid4().hex}", 2, 3600, limit.action)

    return Limits(*(two(getattr(Limits(), name)) for name in Limits.__struct_fields__))


def coming_from(app: Litestar, address: str) -> Browser:
    """The browser of somebody on the network."""
    browser = Browser(app)
    transport = httpx.ASGITransport(app=app, client=(address, 4711))  # type: ignore[arg-type]
    browser.client = httpx.AsyncClient(transport=transport, base_url="http://vault.test", follow_redirects=True)
    return browser


async def test_guessing_a_password_is_slowed_down_and_the_page_says_until_when(
    admin: Browser, email: str, new_browser: NewBrowser
) -> None:
    thief = new_browser()
    for _ in range(2):
        assert (await sign_in(thief, email, "a wild guess indeed")).status == 422
    await sign_in(thief, email.upper())
    assert (thief.status, thief.heading) == (429, "Too much at once")
    assert "There were too many failed attempts to sign in. Try again in 30 minutes." in thief.words
    assert 1700 < int(thief.response.headers["Retry-After"]) <= 1800


async def test_who_knows_the_password_may_sign_in_as_often_as_they_like(
    admin: Browser, email: str, new_browser: NewBrowser
) -> None:
    for _ in range(4):
        assert (await sign_in(new_browser(), email)).path == "/"


async def test_guessing_many_accounts_from_one_address_is_slowed_down(app: Litestar, admin: Browser) -> None:
    thief = coming_from(app, "203.0.113.9")
    statuses = [(await sign_in(thief, f"{number}@tidewater.example", "guess")).status for number in range(3)]
    assert statuses == [422, 422, 429]
    colleague = coming_from(app, "203.0.113.10")
    assert (await sign_in(colleague, "somebody@tidewater.example", "guess")).status == 422
    for browser in (thief, colleague):
        await browser.client.aclose()


async def test_an_address_makes_a_few_vaults_and_no_more_a_while(app: Litestar) -> None:
    """Addresses of one IPv6 network are one."""
    statuses = []
    for number in range(3):
        browser = coming_from(app, f"2001:db8::{number + 1}")
        statuses.append((await sign_up(browser, f"{uuid.uuid4().hex}@tidewater.example")).status)
        await browser.client.aclose()
    assert statuses == [200, 200, 429]


async def test_who_asks_faster_than_anybody_reads_is_asked_to_wait(admin: Browser) -> None:
    await admin.visit("/settings")
    token = admin.csrf_token()
    for _ in range(2):
        assert (await admin.post("/conversations", csrf_token=token, question="Why the blue door?")).status == 200
    fields = {"csrf_token": token, "question": "Why the blue door?"}
    admin.response = await admin.client.post("/conversations", data=fields, headers={"HX-Request": "true"})
    assert admin.status == 429
    assert admin.response.headers["HX-Retarget"] == "#notices"
    assert "There were too many questions. Try again in" in admin.words


async def test_uploads_are_limited_too(admin: Browser) -> None:
    assert [(await upload(admin, ("note.txt", b"One."))).status for _ in range(3)] == [200, 200, 429]


async def test_a_token_makes_so_many_requests_and_another_token_as_many(
    app: Litestar, admin_viewer: Viewer, stores: Stores
) -> None:
    tokens = [uuid.uuid4().hex for _ in range(2)]
    async with stores.open_vault(admin_viewer) as vault:
        for token in tokens:
            await vault.members.add_api_token("tests", token_hash(token))
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://vault.test/api/v1") as client:
        answers = [
            await client.get("/me", headers={"Authorization": f"Bearer {token}"})
            for token in (tokens[0], tokens[0], tokens[0], tokens[1])
        ]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 200]
    assert answers[2].headers["Content-Type"] == "application/problem+json"
    assert int(answers[2].headers["Retry-After"]) > 0
