"""Views: an admin looks at the library and at search as another member sees them, and can change nothing meanwhile."""

from typing import Any

from litestar import Request, post
from litestar.handlers import BaseRouteHandler
from litestar.params import SkipValidation

from domain.errors import Forbidden, Invalid
from domain.lobby import Lobby
from domain.people import Viewer
from web.forms import Form
from web.numbers import whole_number
from web.rendering import SeeOther, see_other
from web.sessions import require_admin, token_hash
from web.visits import Connection, visit_of

SHOWN = ("/documents", "/search")
"""Pages that can be seen through another member's eyes."""
ENDING = "/views/ending"
SIGN_OUT = "/session"


@post("/views", include_in_schema=False, guards=[require_admin])
async def begin(request: Request[Any, Any, Any], viewer: Viewer, lobby: SkipValidation[Lobby], form: Form) -> SeeOther:
    """Begin to see the library as a member does; the audit trail says so."""
    user_id = whole_number(form.value("member"))
    if user_id is None or user_id == viewer.user_id:
        raise Invalid("Choose another member, to see the library as they do.")
    member = await lobby.viewer(viewer.tenant_id, user_id)
    await lobby.view_as(token_hash(visit_of(request).session_token), user_id)
    await lobby.record(viewer.tenant_id, viewer.user_id, "view.began", f"as {member.name}, {member.email}")
    return see_other("/documents")


@post(ENDING, include_in_schema=False)
async def end(request: Request[Any, Any, Any], viewer: Viewer, lobby: SkipValidation[Lobby]) -> SeeOther:
    """See with one's own eyes again."""
    owner_id = await lobby.view_as(token_hash(visit_of(request).session_token), None)
    if viewer.viewed_by is not None:
        await lobby.record(viewer.tenant_id, owner_id, "view.ended", f"as {viewer.name}, {viewer.email}")
    return see_other("/members", "You see the vault with your own eyes again.")


def require_own_eyes(connection: Connection, handler: BaseRouteHandler) -> None:  # noqa: ARG001 (Litestar passes it)
    """Let a view through another's eyes reach the library and search alone, to read. Raises: Forbidden."""
    viewer = visit_of(connection).viewer
    if viewer is None or viewer.viewed_by is None:
        return
    path, is_reading = connection.url.path, connection.scope.get("method") in ("GET", "HEAD")
    if is_reading and (path in SHOWN or path.startswith(tuple(f"{each}/" for each in SHOWN))):
        return
    if not path.startswith(("/static/", "/health/", ENDING, SIGN_OUT)):
        raise Forbidden(
            f"You see the vault as {viewer.name}: the library and search alone, and nothing can be changed. "
            "End the view first, with the button above."
        )


routes = [begin, end]
