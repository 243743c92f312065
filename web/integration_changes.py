"""How integrations come, are renamed, and go: for admins, and for people whose own they are."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from litestar import Response, delete, get, post
from litestar.params import FromPath

from domain.connecting import is_by_consent
from domain.errors import Conflict, Forbidden, Invalid
from domain.integrations import IntegrationKind
from domain.oauth import disconnect, providers_of
from domain.people import Viewer
from domain.syncs import Trigger
from domain.vault import Tools, Vault
from web.doors import Doors, WebSettings
from web.filters import counted
from web.flashes import FlashKind
from web.forms import EMPTY, Form
from web.integration_forms import ADMINS_ONLY
from web.managing import managed
from web.offers import Offer, offers
from web.rendering import Page, SeeOther, page, see_other
from web.sessions import require_admin

MAX_NAME = 200
NOTHING_TO_CONNECT = (
    "Nothing can be connected on this server yet: ask its operator to set a client id for a provider. "
    "Until then, upload files, as a zip if there are many."
)
NO_FOLDERS = "This server does not read folders of its own. Upload the files instead, as a zip if there are many."


@get("/integrations/new", include_in_schema=False)
async def new(vault: Vault, settings: WebSettings, tools: Tools) -> Page:
    """Show what the viewer may connect. Raises: Forbidden where that is nothing."""
    offered = offers(vault.viewer, tools, settings, await providers_of(tools.oauth, vault))
    if not offered and not (vault.viewer.is_admin and tools.oauth):
        raise Forbidden(NOTHING_TO_CONNECT if vault.viewer.is_admin else ADMINS_ONLY)
    return gallery(vault.viewer, settings, offered, EMPTY, 200)


@post("/integrations", include_in_schema=False, guards=[require_admin])
async def create(vault: Vault, tools: Tools, settings: WebSettings, form: Form) -> Response[Any]:
    """Connect a folder and begin its first sync."""
    if not settings.may_read_folders:
        raise Forbidden(NO_FOLDERS)
    offered = offers(vault.viewer, tools, settings, await providers_of(tools.oauth, vault))
    try:
        path = await folder_at(form.value("path"))
        name = named(form.value("name") or path.name or str(path))
        integration = await vault.integrations.add(IntegrationKind.FOLDER, name, {"path": str(path)}, None)
    except Invalid as error:
        return gallery(vault.viewer, settings, offered, form.refused(error), 422)
    except Conflict as error:
        refused = form.refused(Invalid("Please look at the marked field.", {"name": error.message}))
        return gallery(vault.viewer, settings, offered, refused, 422)
    sync = await vault.syncs.request(integration.id, Trigger.PERSON)
    await vault.audit.record("integration.added", integration.name)
    return see_other(f"/syncs/{sync.id}", f"“{integration.name}” is connected. This is its first sync.")


@post("/integrations/{integration_id:int}/name", include_in_schema=False)
async def rename(vault: Vault, form: Form, integration_id: FromPath[int]) -> SeeOther:
    """Give an integration another name."""
    integration, name = await managed(vault, integration_id), named(form.value("name"))
    await vault.integrations.rename(integration_id, name)
    await vault.audit.record("integration.renamed", f"{integration.name} → {name}")
    return see_other(f"/integrations/{integration_id}", f"It is called “{name}” now.")


@get("/integrations/{integration_id:int}/removal/new", include_in_schema=False)
async def preview_removal(vault: Vault, tools: Tools, integration_id: FromPath[int]) -> Page:
    """Show what would go with an integration."""
    integration = await managed(vault, integration_id)
    return page(
        "integrations/removal.html",
        integration=integration,
        is_by_consent=is_by_consent(tools.kinds.described(integration.kind), integration),
        preview=await vault.removals.preview(integration_id),
    )


@post("/integrations/{integration_id:int}/removal", include_in_schema=False)
async def remove_by_form(viewer: Viewer, doors: Doors, tools: Tools, integration_id: FromPath[int]) -> SeeOther:
    """Remove an integration, for browsers, whose forms know no DELETE."""
    return await remove_integration(viewer, doors, tools, integration_id)


@delete("/integrations/{integration_id:int}", include_in_schema=False, status_code=303)
async def remove(viewer: Viewer, doors: Doors, tools: Tools, integration_id: FromPath[int]) -> SeeOther:
    """Remove an integration."""
    return await remove_integration(viewer, doors, tools, integration_id)


async def remove_integration(viewer: Viewer, doors: Doors, tools: Tools, integration_id: int) -> SeeOther:
    """Remove an integration with its documents and its access to the source, and say what went."""
    async with doors.open_vault(viewer) as vault:
        await managed(vault, integration_id)
    removed = await disconnect(tools.oauth, doors.open_vault, viewer, integration_id)
    what = f"“{removed.integration.name}” was removed, with {counted(removed.integration.n_documents, 'document')}."
    kind = FlashKind.WARNING if removed.left_to_do else FlashKind.GOOD
    return see_other("/integrations", f"{what} {removed.left_to_do}".strip(), kind)


def gallery(viewer: Viewer, settings: WebSettings, offered: Sequence[Offer], form: Form, status: int) -> Page:
    """Return the page of everything that the viewer may connect."""
    return page(
        "integrations/new.html",
        status=status,
        form=form,
        offers=offered,
        may_read_folders=settings.may_read_folders and viewer.is_admin,
    )


async def folder_at(entered: str) -> Path:
    """Return a folder of this server. Raises: Invalid when there is none at this path."""
    if not entered:
        raise Invalid("Please look at the marked field.", {"path": "Enter the path of a folder on the server."})
    path = Path(entered.replace("\0", ""))
    if not path.is_absolute():
        raise Invalid("Please look at the marked field.", {"path": "Enter the whole path, from the root: /srv/files."})
    if not await asyncio.to_thread(is_folder, path):
        message = f"There is no folder {path} on the server, or it may not be read. Check the spelling."
        raise Invalid("Please look at the marked field.", {"path": message})
    return path


def is_folder(path: Path) -> bool:
    """Whether there is a folder at a path that this process may list."""
    try:
        next(path.iterdir(), None)
    except (OSError, ValueError):
        return False
    return True


def named(entered: str) -> str:
    """Return a name for an integration. Raises: Invalid when it is empty or too long."""
    name = " ".join(entered.split())
    if not name:
        raise Invalid("Enter a name, then save again.", {"name": "Enter a name."})
    if len(name) > MAX_NAME:
        raise Invalid(f"The name is longer than {MAX_NAME} characters. Shorten it, then save again.")
    return name


routes = [new, create, rename, preview_removal, remove_by_form, remove]
