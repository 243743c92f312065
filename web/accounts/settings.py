"""A person's settings: profile and password, sessions, API tokens; for admins the vault's name and its audit trail."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.params import FromPath, FromQuery, SkipValidation

from domain import accounts
from domain.errors import Invalid
from domain.lobby import Lobby
from domain.people import Viewer
from domain.vault import Tools, Vault
from web.doors import WebSettings
from web.forms import Form
from web.rendering import page, see_other
from web.sessions import new_token, open_session, require_admin, safe_path, session_cookie, token_hash

THEMES = ("auto", "light", "dark")
THEME_MEMORY_S = 365 * 86_400
AUDIT_PAGE_SIZE = 50


@get("/settings", include_in_schema=False, sync_to_thread=False)
def show(viewer: Viewer) -> Response[str]:  # noqa: ARG001 (asking for the viewer requires one)
    """Show the profile and the form for a new password."""
    return page("settings/index.html")


@post("/settings/password", include_in_schema=False)
async def change_password(
    request: Request[Any, Any, Any], viewer: Viewer, lobby: SkipValidation[Lobby], tools: Tools, form: Form
) -> Response[str]:
    """Replace the password, sign out everywhere else, and stay signed in here."""
    try:
        await accounts.change_password(
            lobby,
            tools.passwords,
            viewer.user_id,
            current=form.secret("current_password"),
            password=form.secret("password"),
        )
    except Invalid as error:
        return page("settings/index.html", status=422, form=form.refused(error))
    await lobby.record(viewer.tenant_id, viewer.user_id, "password.changed", viewer.email)
    response = see_other("/settings", "Your password was changed. All your other sessions are signed out.")
    response.set_cookie(await open_session(lobby, request, viewer.tenant_id, viewer.user_id))
    return response


@get("/settings/sessions", include_in_schema=False)
async def sessions(vault: Vault, tools: Tools) -> Response[str]:
    """List the browsers the viewer is signed in with."""
    return page("settings/sessions.html", sessions=await vault.members.sessions(tools.now()))


@post("/settings/sessions/{session_id:int}/ending", include_in_schema=False)
async def end_session(session_id: FromPath[int], vault: Vault) -> Response[str]:
    """Sign out one of the viewer's browsers."""
    await vault.members.end_session(session_id)
    return see_other("/settings/sessions", "That browser is signed out.")


@post("/settings/sessions/ending", include_in_schema=False)
async def end_sessions(viewer: Viewer, lobby: SkipValidation[Lobby], settings: WebSettings) -> Response[str]:
    """Sign out everywhere, here too."""
    await accounts.sign_out_everywhere(lobby, viewer.user_id)
    await lobby.record(viewer.tenant_id, viewer.user_id, "sessions.ended", viewer.email)
    response = see_other("/session/new", "You are signed out everywhere.")
    response.set_cookie(session_cookie("", 0, settings))
    return response


@get("/settings/tokens", include_in_schema=False)
async def tokens(vault: Vault) -> Response[str]:
    """List the viewer's API tokens."""
    return page("settings/tokens.html", tokens=await vault.members.api_tokens(), secret="")


@post("/settings/tokens", include_in_schema=False)
async def add_token(vault: Vault, form: Form) -> Response[str]:
    """Make an API token and show it, this once."""
    name = form.value("name")
    if wrong := accounts.wrong_name("name", name, "Name the script or service that will use it."):
        refused = form.refused(Invalid(accounts.LOOK_AT_FIELDS, wrong))
        held = await vault.members.api_tokens()
        return page("settings/tokens.html", status=422, tokens=held, secret="", form=refused)
    secret = new_token()
    await vault.members.add_api_token(name, token_hash(secret))
    await vault.audit.record("api_token.made", name)
    return page("settings/tokens.html", status=201, tokens=await vault.members.api_tokens(), secret=secret)


@post("/settings/tokens/{token_id:int}/revocation", include_in_schema=False)
async def revoke_token(token_id: FromPath[int], vault: Vault) -> Response[str]:
    """Make an API token worthless."""
    await vault.members.remove_api_token(token_id)
    await vault.audit.record("api_token.revoked", str(token_id))
    return see_other("/settings/tokens", "The token was revoked. Scripts that use it are refused from now on.")


@get("/settings/vault", include_in_schema=False, guards=[require_admin])
async def show_tenant(vault: Vault) -> Response[str]:
    """Show the vault's own settings."""
    return page("settings/vault.html", tenant=await vault.members.tenant())


@post("/settings/vault", include_in_schema=False, guards=[require_admin])
async def rename_tenant(vault: Vault, form: Form) -> Response[str]:
    """Give the vault another name."""
    name = form.value("name")
    if wrong := accounts.wrong_name("name", name, "Enter the name of your company or team."):
        refused = form.refused(Invalid(accounts.LOOK_AT_FIELDS, wrong))
        return page("settings/vault.html", status=422, tenant=await vault.members.tenant(), form=refused)
    await vault.members.rename_tenant(name)
    await vault.audit.record("tenant.renamed", name)
    return see_other("/settings/vault", f"The vault is called {name} now.")


@get("/audit", include_in_schema=False, guards=[require_admin])
async def audit(vault: Vault, before: FromQuery[int | None] = None) -> Response[str]:
    """List who did what, newest first."""
    events = await vault.audit.page(before, AUDIT_PAGE_SIZE + 1)
    shown = events[:AUDIT_PAGE_SIZE]
    next_path = f"/audit?before={shown[-1].id}" if len(events) > AUDIT_PAGE_SIZE else ""
    return page("settings/audit.html", events=shown, next_path=next_path, first_path="/audit" if before else "")


@post("/theme", include_in_schema=False, sync_to_thread=False)
def choose_theme(form: Form, settings: WebSettings) -> Response[str]:
    """Keep the colours the person chose; for those without JavaScript."""
    theme = form.value("theme")
    response = see_other(safe_path(form.value("next", "/")))
    value = theme if theme in THEMES else "auto"
    secure = settings.is_production
    response.set_cookie(Cookie("kv_theme", value=value, max_age=THEME_MEMORY_S, samesite="lax", secure=secure))
    return response


routes = [
    show,
    change_password,
    sessions,
    end_session,
    end_sessions,
    tokens,
    add_token,
    revoke_token,
    show_tenant,
    rename_tenant,
    audit,
    choose_theme,
]
