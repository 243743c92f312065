"""Who the caller is."""

import msgspec
from litestar import get

from domain.people import Role, Viewer
from web.api.requests import problems


class Me(msgspec.Struct, frozen=True):
    """The person in whose eyes the API answers, and their vault."""

    user_id: int
    name: str
    email: str
    role: Role
    tenant_id: int
    tenant_name: str


@get("/me", tags=["People"], operation_id="getMe", summary="Who am I", responses=problems())
async def show(viewer: Viewer) -> Me:
    """Return who the token or the session speaks for."""
    return Me(viewer.user_id, viewer.name, viewer.email, viewer.role, viewer.tenant_id, viewer.tenant_name)


routes = [show]
