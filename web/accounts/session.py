"""The session of this browser: signing in, signing out, and moving to another vault."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.params import SkipValidation

from domain import accounts
from domain.errors import Invalid, NotFound
from domain.lobby import Lobby
from domain.people import Membership, Viewer
from domain.vault import Tools
from web.doors import WebSettings
from web.forms import Form
from web.limits import sign_in_slowly
from web.rendering import page, see_other
from web.sessions import open_session, safe_path, session_cookie, token_hash
from web.visits import visit_of

TENANT_COOKIE = "kv_tenant"
TENANT_MEMORY_S = 365 * 86_400


@get("/session/new", include_in_schema=False, sync_to_thread=False)
def new(request: Request[Any, Any, Any]) -> Response[str]:
    """Show the form; those who are signed in already go where they wanted."""
    wanted = safe_path(request.query_params.get("next", "/"))
    return see_other(wanted) if visit_of(request).viewer else page("session/new.html", wanted=wanted)


@post("/session", include_in_schema=False)
async def create(
    request: Request[Any, Any, Any], lobby: SkipValidation[Lobby], tools: Tools, form: Form
) -> Response[str]:
    """Sign in, into the vault last used in this browser; those of several vaults may choose on the next page."""
    wanted = safe_path(form.value("next", "/"))
    try:
        user, memberships = await sign_in_slowly(
            request, accounts.sign_in, lobby, tools.passwords, form.value("email"), form.secret("password")
        )
    except Invalid as error:
        return page("session/new.html", status=422, form=form.refused(error), wanted=wanted)
    last_used = remembered(request, memberships)
    membership = last_used or memberships[0]
    must_choose = last_used is None and len(memberships) > 1
    response = see_other("/tenants" if must_choose else wanted)
    response.set_cookie(await open_session(lobby, request, membership.tenant_id, user.id))
    response.set_cookie(tenant_cookie(membership.tenant_slug, request.app.state.settings))
    return response


@post("/session/ending", include_in_schema=False)
async def end(request: Request[Any, Any, Any], lobby: SkipValidation[Lobby], settings: WebSettings) -> Response[str]:
    """Sign out here; harmless for those who already are."""
    await lobby.end_session(token_hash(visit_of(request).session_token))
    response = see_other("/session/new", "You are signed out.")
    response.set_cookie(session_cookie("", 0, settings))
    return response


@get("/tenants", include_in_schema=False)
async def tenants(viewer: Viewer, lobby: SkipValidation[Lobby]) -> Response[str]:
    """List the vaults the viewer belongs to."""
    return page("tenants/index.html", memberships=await lobby.memberships(viewer.user_id))


@post("/session/tenant", include_in_schema=False)
async def switch(
    request: Request[Any, Any, Any], viewer: Viewer, lobby: SkipValidation[Lobby], form: Form
) -> Response[str]:
    """Move this browser's session to another vault of the viewer."""
    memberships = await lobby.memberships(viewer.user_id)
    chosen = next((one for one in memberships if str(one.tenant_id) == form.value("tenant_id")), None)
    if chosen is None:
        raise NotFound("You are not a member of this vault. Ask one of its people for an invitation.")
    await lobby.switch_session(token_hash(visit_of(request).session_token), chosen.tenant_id)
    response = see_other("/", f"You are in {chosen.tenant_name} now.")
    response.set_cookie(tenant_cookie(chosen.tenant_slug, request.app.state.settings))
    return response


def remembered(request: Request[Any, Any, Any], memberships: list[Membership]) -> Membership | None:
    """Return the vault this browser used last, where the user still belongs to it."""
    last_slug = request.cookies.get(TENANT_COOKIE, "")
    return next((membership for membership in memberships if membership.tenant_slug == last_slug), None)


def tenant_cookie(slug: str, settings: WebSettings) -> Cookie:
    """Return the cookie that remembers the vault last used."""
    return Cookie(
        TENANT_COOKIE,
        value=slug,
        max_age=TENANT_MEMORY_S,
        httponly=True,
        samesite="lax",
        secure=settings.is_production,
    )


routes = [new, create, end, tenants, switch]
