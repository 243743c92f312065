"""Forms of other sites, headers, cookies."""

import pytest

from domain.people import Role, Viewer
from domain.vault import Tools
from tests.web.browser import PASSWORD, Browser
from web.app import create_app
from web.doors import Doors, WebSettings
from web.security import csrf_token, is_csrf_token
from web.visits import Visit

ADA = Viewer(
    tenant_id=1, user_id=1, role=Role.MEMBER, name="Ada", email="ada@tidewater.example", tenant_name="Tidewater"
)


async def test_a_form_without_its_token_changes_nothing_and_shows_what_was_typed(admin: Browser) -> None:
    await admin.post("/settings/vault", name="Taken over", password="never shown")
    assert admin.status == 403
    assert "reload the page, and try again" in admin.words
    assert "Taken over" in admin.words
    assert "never shown" not in admin.response.text
    assert (await admin.visit("/settings/vault")).page.css_first("#name").attributes["value"] == "Tidewater"


async def test_a_token_of_another_browser_is_refused(admin: Browser, new_browser: type[Browser]) -> None:
    stranger = await new_browser().visit("/sign-up")
    await admin.post("/settings/vault", name="Taken over", csrf_token=stranger.csrf_token())
    assert admin.status == 403


async def test_a_token_from_before_sign_in_is_refused_after_it(
    new_browser: type[Browser], admin: Browser, email: str
) -> None:
    browser = await new_browser().visit("/session/new")
    before = browser.csrf_token()
    await browser.submit("/session", email=email, password=PASSWORD)
    await browser.post("/session/ending", csrf_token=before)
    assert browser.status == 403


async def test_htmx_sends_the_token_in_a_header_and_its_page_stays_as_it_is(admin: Browser) -> None:
    headers = {"HX-Request": "true"}
    refused = await admin.client.post("/settings/vault", data={"name": "Harbour"}, headers=headers)
    assert (refused.status_code, refused.headers["HX-Retarget"]) == (403, "#notices")
    await admin.visit("/settings/vault")
    headers["X-CSRF-Token"] = admin.csrf_token()
    changed = await admin.client.post("/settings/vault", data={"name": "Harbour"}, headers=headers)
    assert (changed.status_code, changed.headers["HX-Redirect"]) == (200, "/settings/vault")


@pytest.mark.parametrize("token", ["", "x", "é", "A" * 88, "=" * 10])
def test_nonsense_is_no_token(token: str) -> None:
    assert not is_csrf_token(token, "secret", Visit(ADA, "", session_token="s"))


def test_two_tokens_of_one_session_differ_and_both_hold() -> None:
    visit = Visit(ADA, "", session_token="s")
    first, second = csrf_token("secret", visit), csrf_token("secret", visit)
    assert first != second
    assert is_csrf_token(first, "secret", visit)
    assert is_csrf_token(second, "secret", visit)
    assert not is_csrf_token(first, "another secret", visit)


@pytest.mark.parametrize("path", ["/session/new", "/", "/nope", "/health/live", "/static/nope.css"])
async def test_every_response_carries_the_headers_of_security(browser: Browser, path: str) -> None:
    response = await browser.client.get(path, follow_redirects=False)
    policy = response.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["X-Request-Id"]


async def test_pages_hold_nothing_that_the_policy_forbids(admin: Browser) -> None:
    for path in ("/", "/members", "/settings", "/styleguide"):
        await admin.visit(path)
        assert not admin.page.css("[style], style, script:not([src])")
        assert not [
            name
            for node in admin.page.css("*")
            for name in node.attributes
            if name.startswith("on") or name.startswith("hx-on")
        ]


async def test_the_session_cookie_is_out_of_reach_of_scripts_and_of_plain_http_in_production(
    doors: Doors, tools: Tools, email: str
) -> None:
    settings = WebSettings(base_url="https://vault.test", secret_key="s", version="0.0", is_production=True)
    browser = Browser(create_app(doors, tools, settings))
    await browser.visit("/sign-up")
    form = {"company": "T", "name": "Ada", "email": email, "password": PASSWORD, "csrf_token": browser.csrf_token()}
    visitor = browser.response.headers["set-cookie"].partition(";")[0]
    made = await browser.client.post("/sign-up", data=form, headers={"Cookie": visitor}, follow_redirects=False)
    cookie = next(line for line in made.headers.get_list("set-cookie") if line.startswith("kv_session="))
    assert made.status_code == 303
    assert {"HttpOnly", "Secure", "SameSite=lax"} <= {part.strip() for part in cookie.split(";")}
    assert made.headers["Strict-Transport-Security"]
    assert (await browser.visit("/styleguide")).path.startswith(("/styleguide", "/session/new"))
    assert "Every component" not in browser.words
    await browser.client.aclose()
