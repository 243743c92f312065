"""Errors as people and scripts see them."""

from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from litestar import get, post
from litestar.params import FromPath, SkipValidation

import domain.errors as words
from domain.lobby import Lobby
from tests.web.applications import Applications
from tests.web.browser import Browser
from web.doors import Doors

ERRORS: dict[str, Exception] = {
    "not-found": words.NotFound("This document is not in your vault."),
    "forbidden": words.Forbidden("Only its owner may do this."),
    "conflict": words.Conflict("Somebody was faster."),
    "invalid": words.Invalid("Please look at the marked fields.", {"name": "Enter a name."}),
    "unavailable": words.Unavailable("The model does not answer. Try again in a minute."),
    "defect": RuntimeError("a secret detail"),
}
STATUS = {"not-found": 404, "forbidden": 403, "conflict": 409, "invalid": 422, "unavailable": 503, "defect": 500}


@get("/broken/{kind:str}", include_in_schema=False, sync_to_thread=False)
def broken_page(kind: FromPath[str]) -> None:
    raise ERRORS[kind]


@get("/api/v1/broken/{kind:str}", include_in_schema=False, sync_to_thread=False)
def broken_api(kind: FromPath[str]) -> None:
    raise ERRORS[kind]


@post("/broken/tenant", include_in_schema=False)
async def broken_change(lobby: SkipValidation[Lobby]) -> None:
    await lobby.add_tenant("Half made", "half-made")
    raise words.Conflict("Somebody was faster.")


@pytest.fixture(scope="module")
def applications() -> Applications:
    return Applications(broken_page, broken_api, broken_change)


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as lines:
        yield lines


@pytest.mark.parametrize("kind", list(ERRORS))
async def test_each_error_has_its_status_and_says_what_happened_in_the_face_of_the_product(
    browser: Browser, kind: str, logged: list[Any]
) -> None:
    await browser.visit(f"/broken/{kind}")
    assert browser.status == STATUS[kind]
    assert browser.heading
    assert browser.page.css_first("title") is not None
    if isinstance(error := ERRORS[kind], words.VaultError):
        assert error.message in browser.words


async def test_a_defect_shows_its_number_and_keeps_its_details_to_the_log(browser: Browser, logged: list[Any]) -> None:
    await browser.visit("/broken/defect")
    number = browser.response.headers["X-Request-Id"]
    assert number in browser.words
    assert "secret detail" not in browser.response.text
    assert any(line["event"] == "unhandled_error" for line in logged)


@pytest.mark.parametrize("kind", list(ERRORS))
async def test_scripts_get_a_problem_document(browser: Browser, kind: str, logged: list[Any]) -> None:
    response = await browser.client.get(f"/api/v1/broken/{kind}")
    problem = response.json()
    assert response.headers["Content-Type"].startswith("application/problem+json")
    assert (response.status_code, problem["status"]) == (STATUS[kind], STATUS[kind])
    assert problem["request_id"] == response.headers["X-Request-Id"]
    assert problem.get("errors") == ({"name": "Enter a name."} if kind == "invalid" else None)


async def test_htmx_gets_a_notice_above_the_page_it_is_on(browser: Browser) -> None:
    await browser.visit("/broken/conflict", HX_Request="true")
    assert browser.status == 409
    assert browser.response.headers["HX-Retarget"] == "#notices"
    assert browser.words == "Somebody was faster."
    assert not browser.heading


async def test_an_unknown_path_leads_on_from_within_the_product(admin: Browser) -> None:
    await admin.visit("/no/such/page")
    assert (admin.status, admin.heading) == (404, "Nothing here")
    assert admin.page.css_first("nav a[href='/documents']") is not None


async def test_a_number_that_is_none_and_a_wrong_method_are_answered_not_broken(admin: Browser) -> None:
    assert (await admin.visit("/audit?before=yesterday")).status == 400
    assert (await admin.client.put("/settings")).status_code in (403, 405)


async def test_an_error_rolls_back_what_its_handler_had_changed(admin: Browser, doors: Doors) -> None:
    await admin.post("/broken/tenant", csrf_token=admin.csrf_token())
    assert admin.status == 409
    async with doors.open_lobby() as lobby:
        assert await lobby.tenant_by_slug("half-made") is None


async def test_a_request_id_of_a_proxy_is_kept_and_nonsense_is_not(browser: Browser) -> None:
    await browser.visit("/session/new", X_Request_Id="proxy-1234567")
    assert browser.response.headers["X-Request-Id"] == "proxy-1234567"
    await browser.visit("/session/new", X_Request_Id="<script>")
    assert "<" not in browser.response.headers["X-Request-Id"]


async def test_the_log_names_the_route_and_never_the_token_in_a_link(browser: Browser, logged: list[Any]) -> None:
    await browser.visit("/invitations/a-secret-token")
    lines = [line for line in logged if line["event"] == "request"]
    assert lines[0]["route"] == "/invitations/{token}"
    assert "a-secret-token" not in str(logged)
