"""Signing up, in and out; several vaults; invitations; members; tokens: in a browser, over the real database."""

import asyncio
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from litestar import Litestar

from domain.vault import Tools
from tests.web.browser import PASSWORD, Browser, sign_in, sign_up
from web.app import create_app
from web.doors import Doors, WebSettings

NewBrowser = Callable[[], Browser]


def unused_email() -> str:
    return f"grace.{uuid.uuid4().hex[:12]}@tidewater.example"


async def invite(admin: Browser, email: str, role: str = "member") -> str:
    """Make an invitation; return the path of its link."""
    await admin.visit("/members")
    await admin.submit("/invitations", email=email, role=role)
    field = admin.page.css_first("#invitation-link")
    assert field is not None
    return (field.attributes["value"] or "").removeprefix("http://vault.test")


async def join(browser: Browser, link: str, **entered: str) -> Browser:
    await browser.visit(link)
    return await browser.submit(f"{link}/acceptance", **{"name": "Grace Hopper", "password": PASSWORD, **entered})


async def test_a_stranger_signs_up_and_finds_the_first_steps(admin: Browser) -> None:
    assert (admin.status, admin.path, admin.heading) == (200, "/", "Welcome to Tidewater")
    assert "Bring documents in" in admin.words
    assert "Tidewater has its vault" in admin.words


async def test_companies_of_one_name_may_sign_up_at_the_same_moment(new_browser: NewBrowser) -> None:
    company = f"Tidewater {uuid.uuid4().hex[:8]}"
    browsers = await asyncio.gather(*(sign_up(new_browser(), unused_email(), company) for _ in range(6)))
    assert [browser.path for browser in browsers] == ["/"] * 6


async def test_a_form_with_errors_comes_back_with_what_was_entered_and_a_word_at_each_field(browser: Browser) -> None:
    await browser.visit("/sign-up")
    await browser.submit("/sign-up", company="Tidewater", name="", email="ada@", password="short")
    assert browser.status == 422
    assert browser.error_at("email").startswith("This is not an e-mail address")
    assert browser.error_at("password").startswith("Use at least 10 characters")
    assert browser.page.css_first("#company").attributes["value"] == "Tidewater"
    assert "short" not in browser.response.text


async def test_a_wrong_password_and_an_unknown_address_read_the_same(
    admin: Browser, new_browser: NewBrowser, email: str
) -> None:
    answers = []
    for address in (email, unused_email()):
        stranger = await sign_in(new_browser(), address, "not the password")
        assert stranger.status == 422
        answers.append(stranger.words)
    assert answers[0] == answers[1]
    assert "do not belong together" in answers[0]


async def test_signing_in_leads_to_the_page_that_was_wanted(
    admin: Browser, new_browser: NewBrowser, email: str
) -> None:
    other = await new_browser().visit("/settings/sessions?from=mail")
    assert other.path == "/session/new?next=/settings/sessions%3Ffrom%3Dmail"
    await other.submit("/session", email=email, password=PASSWORD)
    assert other.path == "/settings/sessions?from=mail"


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
async def test_signing_in_never_leads_to_another_site(
    admin: Browser, new_browser: NewBrowser, email: str, elsewhere: str
) -> None:
    other = await new_browser().visit("/session/new")
    await other.submit("/session", email=email, password=PASSWORD, next=elsewhere)
    assert other.path == "/"


async def test_signing_out_ends_the_session_at_once(admin: Browser) -> None:
    token = admin.client.cookies["kv_session"]
    await admin.submit("/session/ending")
    assert admin.path == "/session/new"
    admin.client.cookies.set("kv_session", token, domain="vault.test")
    assert (await admin.visit("/")).path == "/session/new"


async def test_signing_out_everywhere_ends_other_browsers_too(
    admin: Browser, new_browser: NewBrowser, email: str
) -> None:
    phone = await sign_in(new_browser(), email)
    await admin.visit("/settings/sessions")
    await admin.submit("/settings/sessions/ending")
    assert (await phone.visit("/settings")).path.startswith("/session/new")


async def test_one_session_of_many_can_be_ended(admin: Browser, new_browser: NewBrowser, email: str) -> None:
    phone = await sign_in(new_browser(), email)
    await admin.visit("/settings/sessions")
    actions = [form.attributes["action"] or "" for form in admin.page.css("form[action$='/ending']")]
    other = next(action for action in actions if re.fullmatch(r"/settings/sessions/\d+/ending", action))
    await admin.submit(other)
    assert "That browser is signed out." in admin.words
    assert (await phone.visit("/settings")).path.startswith("/session/new")


async def test_a_new_password_signs_out_the_others_and_keeps_this_browser(
    admin: Browser, new_browser: NewBrowser, email: str
) -> None:
    phone = await sign_in(new_browser(), email)
    await admin.visit("/settings")
    await admin.submit("/settings/password", current_password=PASSWORD, password="four other plain words")
    assert (admin.status, admin.path) == (200, "/settings")
    assert (await phone.visit("/settings")).path.startswith("/session/new")
    assert (await sign_in(new_browser(), email)).status == 422
    assert (await sign_in(new_browser(), email, "four other plain words")).path == "/"


async def test_a_session_ends_after_its_life(
    doors: Doors, tools: Tools, web_settings: WebSettings, admin: Browser
) -> None:
    later = Tools(
        embedder=tools.embedder,
        analyzer=tools.analyzer,
        language_model=None,
        make_parser=tools.make_parser,
        connect=tools.connect,
        passwords=tools.passwords,
        now=lambda: datetime.now(UTC) + timedelta(days=31),
        matcher=tools.matcher,
    )
    old = Browser(create_app(doors, later, web_settings))
    old.client.cookies.set("kv_session", admin.client.cookies["kv_session"], domain="vault.test")
    assert (await old.visit("/settings")).path.startswith("/session/new")
    await old.client.aclose()


async def test_an_invited_person_joins_by_the_link_which_is_shown_once(admin: Browser, new_browser: NewBrowser) -> None:
    address = unused_email()
    link = await invite(admin, address)
    assert link not in (await admin.visit("/members")).response.text
    assert address in admin.words
    guest = await join(new_browser(), link)
    assert (guest.path, guest.heading) == ("/", "Welcome to Tidewater")
    assert "Grace Hopper" in (await admin.visit("/members")).words


async def test_a_used_link_and_a_taken_back_link_say_so(admin: Browser, new_browser: NewBrowser) -> None:
    link = await invite(admin, unused_email())
    await join(new_browser(), link)
    again = await new_browser().visit(link)
    assert (again.status, again.heading) == (410, "This invitation is over")
    taken_back = await invite(admin, unused_email())
    await admin.submit("/invitations/revocations")
    assert (await new_browser().visit(taken_back)).status == 410


async def test_a_person_with_an_account_elsewhere_joins_and_may_switch(admin: Browser, new_browser: NewBrowser) -> None:
    address = unused_email()
    other = await sign_up(new_browser(), address, company="Lighthouse")
    link = await invite(admin, address)
    await other.visit(link)
    await other.submit(f"{link}/acceptance")
    assert other.heading == "Welcome to Tidewater"
    await other.visit("/tenants")
    assert "Lighthouse" in other.words
    await other.submit("/session/tenant")
    assert other.heading == "Welcome to Lighthouse"


async def test_nobody_switches_into_a_vault_they_do_not_belong_to(admin: Browser, new_browser: NewBrowser) -> None:
    stranger = await sign_up(new_browser(), unused_email(), company="Elsewhere")
    await stranger.visit("/tenants")
    await stranger.post("/session/tenant", tenant_id="1", csrf_token=stranger.csrf_token())
    assert stranger.status == 404


async def test_a_member_sees_no_admin_controls_and_is_refused_behind_them(
    admin: Browser, new_browser: NewBrowser
) -> None:
    guest = await join(new_browser(), await invite(admin, unused_email()))
    await guest.visit("/members")
    assert "Invite somebody" not in guest.words
    await guest.post("/invitations", email="x@y.example", role="admin", csrf_token=guest.csrf_token())
    assert guest.status == 403
    assert "Only an admin" in guest.words
    assert (await guest.visit("/audit")).status == 403


async def test_a_removed_member_is_out_at_once(admin: Browser, new_browser: NewBrowser) -> None:
    guest = await join(new_browser(), await invite(admin, unused_email()))
    await admin.visit("/members")
    removal = next(form.attributes["action"] or "" for form in admin.page.css("form[hx-post$='/removal']"))
    await admin.submit(removal, is_htmx=True)
    assert "Grace Hopper was removed" in admin.words
    assert not admin.page.css_first("h1"), "HTMX gets the region, not the page"
    assert (await guest.visit("/")).path == "/session/new"


async def test_the_last_admin_can_neither_leave_nor_become_a_member(admin: Browser) -> None:
    await admin.visit("/members")
    actions = [form.attributes["action"] or "" for form in admin.page.css("#members form")]
    for action in actions:
        await admin.visit("/members")
        assert (await admin.submit(action)).status == 409
    assert (await admin.visit("/members")).status == 200


async def test_an_api_token_is_shown_once_and_can_be_revoked(admin: Browser) -> None:
    await admin.visit("/settings/tokens")
    await admin.submit("/settings/tokens", name="Backup script")
    field = admin.page.css_first("#api-token")
    assert field is not None
    secret = field.attributes["value"] or ""
    assert secret not in (await admin.visit("/settings/tokens")).response.text
    revocation = admin.page.css_first("form[action$='/revocation']")
    assert revocation is not None
    await admin.submit(revocation.attributes["action"] or "")
    assert "Backup script" not in admin.words.partition("No tokens")[0].partition("revoked")[2]


async def test_the_trail_names_who_did_what(admin: Browser) -> None:
    await invite(admin, "somebody@tidewater.example")
    await admin.visit("/audit")
    assert "invitation.made" in admin.words
    assert "somebody@tidewater.example" in admin.words


async def test_an_admin_renames_the_vault(admin: Browser) -> None:
    await admin.visit("/settings/vault")
    await admin.submit("/settings/vault", name="Tidewater & Daughters")
    assert "The vault is called Tidewater & Daughters now." in admin.words


async def test_a_person_of_several_vaults_chooses_once_and_is_remembered(
    admin: Browser, new_browser: NewBrowser, app: Litestar
) -> None:
    address = unused_email()
    await sign_up(new_browser(), address, company="Lighthouse")
    await join(new_browser(), await invite(admin, address))
    device = await sign_in(new_browser(), address)
    assert device.path == "/tenants"
    await device.submit("/session/tenant")
    chosen = device.heading
    await device.submit("/session/ending")
    await device.submit("/session", email=address, password=PASSWORD)
    assert (device.path, device.heading) == ("/", chosen)


async def test_lists_cost_the_same_number_of_queries_however_long_they_are(
    admin: Browser, new_browser: NewBrowser, email: str, statements: list[str]
) -> None:
    async def costs() -> dict[str, int]:
        counts = {}
        for path in ("/members", "/settings/sessions", "/settings/tokens", "/audit", "/tenants", "/"):
            statements.clear()
            assert (await admin.visit(path)).status == 200
            counts[path] = len(statements)
        return counts

    short = await costs()
    await invite(admin, unused_email())
    await join(new_browser(), await invite(admin, unused_email()))
    await sign_in(new_browser(), email)
    for name in ("One", "Another"):
        await admin.visit("/settings/tokens")
        await admin.submit("/settings/tokens", name=name)
    assert await costs() == short
    assert short.pop("/") <= 8, "the first page shows something of everything"
    assert max(short.values()) <= 4
