"""The people of a vault: who belongs to it, in which role, and who is invited."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from domain.errors import Invalid, NotFound
from domain.people import Member, Role, Viewer
from domain.vault import Tools, Vault
from web.forms import EMPTY, Form
from web.rendering import page, see_other, wants_region
from web.sessions import require_admin

LIST = "members/_list.html"


@get("/members", include_in_schema=False)
async def index(vault: Vault, tools: Tools) -> Response[str]:
    """List the members; admins also see open invitations."""
    return await members_page(vault, tools, status=200, form=EMPTY)


@post("/members/{user_id:int}/role", include_in_schema=False, guards=[require_admin])
async def change_role(
    request: Request[Any, Any, Any], user_id: FromPath[int], vault: Vault, tools: Tools, form: Form
) -> Response[str]:
    """Make a member an admin, or an admin a member."""
    role = Role.ADMIN if form.value("role") == Role.ADMIN else Role.MEMBER
    member = await member_of(vault, user_id)
    await vault.members.set_role(user_id, role)
    await vault.audit.record("member.role_changed", f"{member.email}: {role}")
    notice = f"{member.name} is {'an admin' if role is Role.ADMIN else 'a member'} now."
    return await changed(request, vault, tools, notice)


@post("/members/{user_id:int}/removal", include_in_schema=False, guards=[require_admin])
async def remove(
    request: Request[Any, Any, Any], user_id: FromPath[int], viewer: Viewer, vault: Vault, tools: Tools
) -> Response[str]:
    """Remove a member; their sessions and streams end at once."""
    member = await member_of(vault, user_id)
    await vault.members.remove(user_id)
    await vault.audit.record("member.removed", member.email)
    if user_id == viewer.user_id:
        return see_other("/session/new", f"You have left {viewer.tenant_name}.")
    return await changed(request, vault, tools, f"{member.name} was removed and is signed out.")


async def changed(request: Request[Any, Any, Any], vault: Vault, tools: Tools, notice: str) -> Response[str]:
    """Return the list as it now is to HTMX, and a browser to the page."""
    if wants_region(request):
        return page(LIST, LIST, notice=notice, **await members_context(vault, tools))
    return see_other("/members", notice)


async def members_page(vault: Vault, tools: Tools, *, status: int, form: Form, **context: Any) -> Response[str]:
    """Return the page about the people of a vault."""
    made: dict[str, Any] = {"link": "", "invited": "", **context}
    return page("members/index.html", status=status, form=form, **made, **await members_context(vault, tools))


async def members_context(vault: Vault, tools: Tools) -> dict[str, Any]:
    """Return what the regions of the page show."""
    is_admin = vault.viewer.is_admin
    return {
        "members": await vault.members.all(),
        "invitations": await vault.members.invitations(tools.now()) if is_admin else [],
    }


async def member_of(vault: Vault, user_id: int) -> Member:
    """Return a member. Raises: NotFound."""
    found = next((member for member in await vault.members.all() if member.user_id == user_id), None)
    if found is None:
        raise NotFound("This person is not a member of your vault, or has been removed meanwhile.")
    return found


def invitation_id_of(form: Form) -> int:
    """Return the invitation a form names. Raises: Invalid."""
    try:
        return int(form.value("invitation_id"))
    except ValueError as error:
        raise Invalid("Choose an invitation from the list.") from error


routes = [index, change_role, remove]
