"""Choose what of an integration is read: folders, types of files, dates, with a preview of the work."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from domain.errors import Conflict, Invalid
from domain.integrations import Integration, IntegrationKind
from domain.kinds import Kind
from domain.people import Viewer
from domain.scope import Scope, entered_scope, scope_of, settings_of, type_in_words
from domain.surveys import Option, folder_options, type_options
from domain.syncs import Trigger
from domain.vault import Tools
from web.doors import Doors
from web.filters import number, plural
from web.forms import EMPTY, Form
from web.managing import managed
from web.previews import Preview, preview
from web.rendering import Page, page, see_other

AnyRequest = Request[Any, Any, Any]
MAX_OPTIONS = 500
BUSY = "A sync of this source is under way. Wait for its end, or cancel it, then choose again."


@get("/integrations/{integration_id:int}/scope/edit", include_in_schema=False)
async def edit(request: AnyRequest, viewer: Viewer, doors: Doors, tools: Tools, integration_id: FromPath[int]) -> Page:
    """Show what can be chosen, and what that would bring; a query holds what was chosen but is not saved yet."""
    integration, sent = await look(viewer, doors, integration_id), request.query_params
    kind, scope = tools.kinds.described(integration.kind), scope_of(integration.settings)
    if not sent:
        made = await preview(viewer, doors, tools, integration, scope)
        return scope_page(integration, kind, made, scope, EMPTY, 200)
    form = Form(values={name: sent[name] for name in ("since", "until") if name in sent})
    try:
        folders, types = sent.getall("folder", []), sent.getall("file_type", [])
        scope = entered_scope(folders, types, form.value("since"), form.value("until"))
    except Invalid as error:
        made = await preview(viewer, doors, tools, integration, scope)
        return scope_page(integration, kind, made, scope, form.refused(error), 422)
    made = await preview(viewer, doors, tools, integration, scope)
    return scope_page(integration, kind, made, scope, form, 200)


@post("/integrations/{integration_id:int}/scope", include_in_schema=False)
async def save(
    request: AnyRequest, viewer: Viewer, doors: Doors, tools: Tools, integration_id: FromPath[int]
) -> Response[Any]:
    """Keep what was chosen and begin a sync, which lets go of what is no longer chosen. Raises: Conflict, Forbidden."""
    sent = await request.form()
    form = Form(values={name: str(sent.get(name, "")) for name in ("since", "until")})
    try:
        folders = [str(each) for each in sent.getall("folder", [])]
        types = [str(each) for each in sent.getall("file_type", [])]
        scope = entered_scope(folders, types, form.value("since"), form.value("until"))
    except Invalid as error:
        integration = await look(viewer, doors, integration_id)
        kind, kept = tools.kinds.described(integration.kind), scope_of(integration.settings)
        made = await preview(viewer, doors, tools, integration, kept)
        return scope_page(integration, kind, made, kept, form.refused(error), 422)
    async with doors.open_vault(viewer) as vault:
        integration = await managed(vault, integration_id)
        live = (await vault.syncs.latest()).get(integration_id)
        if live is not None and not live.is_final:
            raise Conflict(BUSY)
        await vault.integrations.configure(integration_id, {**integration.settings, **settings_of(scope)})
        await vault.integrations.advance(integration_id, "")  # all is listed again; what is unchanged costs nothing
        await vault.deletions.allow(integration_id, None)
        await vault.audit.record("integration.configured", f"{integration.name}, {words_of(scope)}")
        sync = await vault.syncs.request(integration_id, Trigger.PERSON)
    return see_other(f"/syncs/{sync.id}", f"From now on, “{integration.name}” brings {words_of(scope)}.")


async def look(viewer: Viewer, doors: Doors, integration_id: int) -> Integration:
    """Return an integration whose items can be chosen. Raises: Invalid, NotFound, Forbidden."""
    async with doors.open_vault(viewer) as vault:
        integration = await managed(vault, integration_id)
    if integration.kind == IntegrationKind.UPLOAD:
        raise Invalid("Uploads are chosen when they are uploaded; there is nothing to choose here.")
    return integration


def scope_page(integration: Integration, kind: Kind, made: Preview, scope: Scope, form: Form, status: int) -> Page:
    """Return the page with this scope chosen; HTMX gets its preview."""
    found = made.found
    folders = folder_options(found.counted)[:MAX_OPTIONS] if kind.has_paths or scope.folders else []
    listed = {each.value for each in folders}
    elsewhere = [Option(each, each, 0) for each in scope.folders if each not in listed]  # deeper, or gone by now
    return page(
        "integrations/scope.html",
        "integrations/_work.html",
        status=status,
        integration=integration,
        form=form,
        scope=scope,
        kind=kind,
        folders=[*elsewhere, *folders],
        file_types=[] if found.is_total else type_options(found.counted)[:MAX_OPTIONS],
        preview=made,
    )


def words_of(scope: Scope) -> str:
    """Return a scope in words: "everything", "3 folders, 2 types of files, from 1 May 2024 on"."""
    if scope.is_everything:
        return "everything"
    parts = [
        plural(len(scope.folders), "folder") if scope.folders else "",
        f"{number(len(scope.file_types))} types of files" if len(scope.file_types) > 1 else "",
        type_in_words(scope.file_types[0]) if len(scope.file_types) == 1 else "",
        f"from {scope.since:%-d %B %Y} on" if scope.since else "",
        f"up to {scope.until:%-d %B %Y}" if scope.until else "",
    ]
    return ", ".join(part for part in parts if part)


routes = [edit, save]
