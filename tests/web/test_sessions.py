"""Who is asking, and what a request may take."""

from litestar import Litestar
from litestar.routes import HTTPRoute

from tests.web.browser import Browser
from web.sessions import safe_path

TRANSACTIONS = {"vault", "lobby"}


async def test_a_page_asks_a_stranger_to_sign_in_and_htmx_is_told_where(browser: Browser) -> None:
    response = await browser.client.get("/members", follow_redirects=False)
    assert (response.status_code, response.headers["Location"]) == (303, "/session/new?next=/members")
    response = await browser.client.get("/members", headers={"HX-Request": "true"}, follow_redirects=False)
    assert (response.status_code, response.headers["HX-Redirect"]) == (200, "/session/new?next=/members")


async def test_a_made_up_session_is_nobodys(browser: Browser) -> None:
    browser.client.cookies.set("kv_session", "made up", domain="vault.test")
    assert (await browser.visit("/members")).path.startswith("/session/new")


def test_only_paths_of_this_site_are_safe_to_go_to() -> None:
    assert safe_path("/documents?type=pdf#top") == "/documents?type=pdf#top"
    for path in ("", "documents", "//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nSet-Cookie: x"):
        assert safe_path(path) == "/"


def test_a_handler_takes_one_transaction_and_no_dependency_builds_on_it(app: Litestar) -> None:
    handlers = [handler for route in app.routes if isinstance(route, HTTPRoute) for handler in route.route_handlers]
    assert len(handlers) > 20
    for handler in handlers:
        taken = TRANSACTIONS & set(handler.parsed_fn_signature.parameters)
        assert len(taken) <= 1, f"{handler} takes {taken}: two transactions would commit apart"
        for name, provider in handler.resolve_dependencies().items():
            wanted = TRANSACTIONS & set(provider.parsed_fn_signature.parameters)
            assert not wanted, f"the dependency {name} builds on {wanted}: if it fails, the transaction stays open"
