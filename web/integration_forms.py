"""Connecting a source by entering its address and a password or key: one page for every kind that has a form."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from domain.connecting import change_access, connect, form_of, may_connect, require_manager
from domain.errors import Conflict, Forbidden, Invalid, Unavailable, VaultError
from domain.integrations import Integration
from domain.kinds import Kind
from domain.people import Viewer
from domain.same_source import form_for, settings_by_form
from domain.switching import enter_instead, may_switch
from domain.vault import Tools, Vault
from web.doors import Doors
from web.flashes import FlashKind
from web.forms import EMPTY, Form
from web.rendering import Page, page, see_other

ADMINS_ONLY = "Only an admin of this vault may connect this. Ask one of them, they are listed under People."


@get("/kinds/{name:str}/integrations/new", include_in_schema=False, sync_to_thread=False)
def new(viewer: Viewer, tools: Tools, name: FromPath[str]) -> Page:
    """Show what is to be entered to connect a source of a kind."""
    kind = tools.kinds.with_form(name)
    if not may_connect(viewer, kind):
        raise Forbidden(ADMINS_ONLY)
    return form_page(kind, EMPTY, 200)


@post("/kinds/{name:str}/integrations", include_in_schema=False)
async def create(viewer: Viewer, doors: Doors, tools: Tools, form: Form, name: FromPath[str]) -> Response[Any]:
    """Try what was entered at the source, keep it, and begin the first sync."""
    kind = tools.kinds.with_form(name)
    try:
        integration, sync = await connect(tools.kinds, kind, form.values, viewer, doors.open_vault)
    except (Invalid, Forbidden, Unavailable) as error:
        if not may_connect(viewer, kind):
            raise
        return form_page(kind, refused(form, error), 422)
    return see_other(f"/syncs/{sync.id}", f"“{integration.name}” is connected. This is its first sync.")


@get("/integrations/{integration_id:int}/access/edit", include_in_schema=False)
async def edit(vault: Vault, tools: Tools, integration_id: FromPath[int]) -> Page:
    """Show how an integration reaches its source, or what may take a consent's place; secrets are not shown."""
    integration = await vault.integrations.get(integration_id)
    require_manager(vault.viewer, integration)
    if may_switch(tools.kinds, integration):
        kind = form_for(tools.kinds, tools.kinds.described(integration.kind))
        form = Form(settings_by_form(kind, integration.settings))
        return form_page(kind, form, 200, integration, is_switch=True)
    return form_page(form_of(tools.kinds, integration), Form(integration.settings), 200, integration)


@post("/integrations/{integration_id:int}/access", include_in_schema=False)
async def update(
    viewer: Viewer, doors: Doors, tools: Tools, form: Form, integration_id: FromPath[int]
) -> Response[Any]:
    """Try the new access, and keep it in place of the old; what is indexed stays."""
    async with doors.open_vault(viewer) as vault:
        integration = await vault.integrations.get(integration_id)
    require_manager(viewer, integration)
    if may_switch(tools.kinds, integration):
        return await switch(viewer, doors, tools, form, integration)
    kind = form_of(tools.kinds, integration)
    try:
        await change_access(tools.kinds, integration_id, form.values, viewer, doors.open_vault)
    except (Invalid, Forbidden, Unavailable) as error:
        return form_page(kind, refused(form, error), 422, integration)
    return see_other(f"/integrations/{integration_id}", f"“{integration.name}” is reached with the new access.")


async def switch(viewer: Viewer, doors: Doors, tools: Tools, form: Form, integration: Integration) -> Response[Any]:
    """Put what was entered in the place of a consent, and say what is left to end at the provider."""
    try:
        left = await enter_instead(tools, integration.id, form.values, viewer, doors.open_vault)
    except (Invalid, Forbidden, Conflict, Unavailable) as error:
        kind = form_for(tools.kinds, tools.kinds.described(integration.kind))
        return form_page(kind, refused(form, error), 422, integration, is_switch=True)
    words = f"“{integration.name}” is reached with what you entered; what is indexed stays. {left}".strip()
    return see_other(f"/integrations/{integration.id}", words, FlashKind.WARNING if left else FlashKind.GOOD)


def form_page(
    kind: Kind, form: Form, status: int, integration: Integration | None = None, *, is_switch: bool = False
) -> Page:
    """Return the form of a kind, for a new integration or one that is there; `is_switch` where it has a consent yet."""
    return page(
        "integrations/form.html", status=status, kind=kind, form=form, integration=integration, is_switch=is_switch
    )


def refused(form: Form, error: VaultError) -> Form:
    """Return the form with what the source, or we, had against it."""
    return form.refused(error if isinstance(error, Invalid) else Invalid(error.message))


routes = [new, create, edit, update]
