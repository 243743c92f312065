"""Who is asking: the session cookie, the API token, and what a request may take from either.

A handler takes `viewer`, `vault` or `lobby` as an argument. A vault or a lobby is one transaction, committed after the
handler has returned and its page is rendered, before a byte is sent; an error rolls it back. Litestar closes a
generator dependency exactly there. No other dependency may build on these two, and a handler takes one of them, not
both (a test walks the routes), because Litestar would not close them if another dependency failed. A lobby is written
`SkipValidation[Lobby]`: Litestar checks arguments by `isinstance`, which a protocol refuses.
"""

import hashlib
import secrets
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import quote, urlsplit

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie, State
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from domain.errors import Forbidden
from domain.lobby import Lobby
from domain.people import SESSION_LIFE, Viewer
from domain.vault import Tools, Vault
from web.doors import Doors, WebSettings
from web.visits import Connection, Visit, visit_of

SESSION_COOKIE = "kv_session"
VISITOR_COOKIE = "kv_visitor"
TOKEN_BYTES = 32
BEARER = "Bearer "


class NotSignedIn(Exception):
    """The page needs a viewer and there is none."""


class SessionMiddleware(ASGIMiddleware):
    """Works out the visit of each request; static files and health checks have none."""

    scopes = (ScopeType.HTTP,)
    exclude_path_pattern = ("^/static/", "^/health/")

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Put the visit into the scope and go on."""
        connection: Connection = ASGIConnection(scope, receive, send)
        scope["visit"] = await find_visit(connection, scope["app"].state)  # type: ignore[typeddict-unknown-key]
        await next_app(scope, receive, send)


async def find_visit(connection: Connection, state: State) -> Visit:
    """Return who asks, by API token under /api, by session otherwise; one query at most."""
    doors: Doors = state.doors
    tools: Tools = state.tools
    authorization = connection.headers.get("Authorization", "")
    if authorization.startswith(BEARER) and connection.url.path.startswith("/api"):
        async with doors.open_lobby() as lobby:
            viewer = await lobby.token_viewer(token_hash(authorization.removeprefix(BEARER).strip()), tools.now())
        return Visit(viewer, visitor="", is_bearer=True)
    visitor = connection.cookies.get(VISITOR_COOKIE, "")
    session_token, viewer = connection.cookies.get(SESSION_COOKIE, ""), None
    if session_token:
        async with doors.open_lobby() as lobby:
            viewer = await lobby.session_viewer(token_hash(session_token), tools.now())
    return Visit(
        viewer=viewer,
        visitor=visitor or new_token(),
        is_new_visitor=not visitor and viewer is None,
        session_token=session_token if viewer else "",
    )


def new_token() -> str:
    """Return a secret nobody can guess, fit for a cookie or a URL."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_hash(token: str) -> bytes:
    """Return the form in which a token is stored: SHA-256, since the token itself is random enough."""
    return hashlib.sha256(token.encode()).digest()


async def open_session(lobby: Lobby, request: Request[Any, Any, Any], tenant_id: int, user_id: int) -> Cookie:
    """Open a session for this browser, in place of the one it had; return its cookie."""
    settings, now = request.app.state.settings, request.app.state.tools.now()
    if held := request.cookies.get(SESSION_COOKIE):
        await lobby.end_session(token_hash(held))
    token = new_token()
    user_agent = request.headers.get("User-Agent", "")[:300]
    await lobby.add_session(tenant_id, user_id, token_hash(token), now + SESSION_LIFE, user_agent)
    return session_cookie(token, int(SESSION_LIFE.total_seconds()), settings)


def session_cookie(token: str, max_age_s: int, settings: WebSettings) -> Cookie:
    """Return the cookie that carries a session's token."""
    return Cookie(
        SESSION_COOKIE, value=token, max_age=max_age_s, httponly=True, samesite="lax", secure=settings.is_production
    )


def safe_path(path: str) -> str:
    """Return where to go after sign-in: a path of this site, or the home page for anything else."""
    parts = urlsplit(path.replace("\\", "/"))
    is_ours = not parts.scheme and not parts.netloc and path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if is_ours and path.isprintable() else "/"


def sign_in_path(request: Request[Any, Any, Any]) -> str:
    """Return the sign-in page that leads back to where the request wanted to go."""
    if request.method != "GET":
        return "/session/new"
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return "/session/new" if wanted == "/" else f"/session/new?next={quote(wanted, safe='/')}"


def require_admin(connection: Connection, handler: BaseRouteHandler) -> None:  # noqa: ARG001 (Litestar passes it)
    """Let only admins pass. Raises: NotSignedIn, Forbidden."""
    viewer = visit_of(connection).viewer
    if viewer is None:
        raise NotSignedIn
    if not viewer.is_admin:
        raise Forbidden("Only an admin of this vault may do this. Ask one of them, they are listed under People.")


def provide_viewer(request: Request[Any, Any, Any]) -> Viewer:
    """Return who is signed in. Raises: NotSignedIn."""
    viewer = visit_of(request).viewer
    if viewer is None:
        raise NotSignedIn
    return viewer


async def provide_vault(viewer: Viewer, doors: Doors) -> AsyncGenerator[Vault, None]:
    """Open the viewer's vault for the length of the handler."""
    async with doors.open_vault(viewer) as vault:
        yield vault


async def provide_lobby(doors: Doors) -> AsyncGenerator[Lobby, None]:
    """Open the lobby for the length of the handler."""
    async with doors.open_lobby() as lobby:
        yield lobby


def provide_doors(state: State) -> Doors:
    """Return the doors, for handlers that open and close their own transactions (streams)."""
    return state.doors  # type: ignore[no-any-return]  # Litestar's state is an open bag


def provide_tools(state: State) -> Tools:
    """Return what lies outside."""
    return state.tools  # type: ignore[no-any-return]  # Litestar's state is an open bag


def provide_settings(state: State) -> WebSettings:
    """Return how this deployment shows itself."""
    return state.settings  # type: ignore[no-any-return]  # Litestar's state is an open bag
