"""Bring documents in: files, folders and archives as they are, or a text that is pasted."""

import unicodedata
from collections.abc import AsyncIterator, Sequence
from itertools import zip_longest
from pathlib import PurePosixPath
from typing import Any

from litestar import Response, get, post

from domain.errors import Conflict
from domain.integrations import Integration, IntegrationKind
from domain.people import EVERYONE, Viewer, user_principal
from domain.syncs import Trigger
from domain.uploads import MAX_FILE_BYTES, Stored, put_aside
from domain.vault import Tools, Vault
from web.doors import Doors
from web.filters import plural
from web.forms import Form
from web.limits import limit_uploads
from web.multipart import SPOOL, Spool, UploadRequest
from web.rendering import Page, page, see_other

UPLOADS = "Uploads"
"""The integration that holds a tenant's uploaded files; it is made with the first of them."""
MAX_REQUEST_BYTES = 2 * 1024 * 1024 * 1024
MAX_NAME = 300
MAX_SUFFIX = 20
ONLY_ME = "me"
FORMATS = (
    "PDF",
    "Word (.docx)",
    "PowerPoint (.pptx)",
    "Excel (.xlsx)",
    "CSV",
    "web pages (.html)",
    "Markdown",
    "plain text",
    "e-mail (.eml)",
    "mailboxes (.mbox)",
    "JSON",
    "zip archives of these",
    "Slack exports (.zip)",
)
NOTHING = "Nothing was chosen. Choose at least one file, or paste a text."


@get("/uploads/new", include_in_schema=False)
async def new(viewer: Viewer) -> Page:  # noqa: ARG001 (to be signed in is the point)
    """Show the drop zone and the field for pasted text."""
    return upload_page(Form(), 200)


@post(
    "/uploads",
    include_in_schema=False,
    guards=[limit_uploads],
    request_class=UploadRequest,
    request_max_body_size=MAX_REQUEST_BYTES,
)
async def create(request: UploadRequest, viewer: Viewer, doors: Doors, tools: Tools, form: Form) -> Response[Any]:
    """Keep what was sent, ask for a sync that reads it, and show that sync.

    The transaction is opened here, after the last byte has come in: a slow line must not hold a connection.
    """
    spool = (await request.form()).get(SPOOL)
    n_files, text = len(spool.files) if isinstance(spool, Spool) else 0, form.value("text")
    if not n_files and not text:
        return upload_page(Form(values=form.values, message=NOTHING), 422)
    principals = principals_for(form.value("readers"), viewer)
    put_files = await put_aside_files(doors, tools, viewer, spool) if isinstance(spool, Spool) else []
    async with doors.open_vault(viewer) as vault:
        if isinstance(spool, Spool):
            await keep_files(vault, spool, put_files, principals)
        if text:
            content = one_part(text.encode("utf-8", "replace"))
            await vault.uploads.add(text_name(form.value("title")), "text/plain", content, principals)
        integration = await upload_integration(vault)
        sync = await vault.syncs.request(integration.id, Trigger.UPLOAD)
        readers = "shared with everyone" if principals == (EVERYONE,) else "for themselves"
        await vault.audit.record("upload.added", f"{plural(n_files + bool(text), 'file')}, {readers}")
    return see_other(f"/syncs/{sync.id}")


async def put_aside_files(doors: Doors, tools: Tools, viewer: Viewer, spool: Spool) -> list[Stored]:
    """Stream every received file into the object store; nothing, where there is none. Raises: Unavailable."""
    if tools.objects is None or not spool.files:
        return []
    async with doors.open_vault(viewer) as vault:
        keys = await vault.uploads.reserve(len(spool.files))
    return await put_aside(tools.objects, keys, [spool.parts(received) for received in spool.files])


async def keep_files(vault: Vault, spool: Spool, put_files: Sequence[Stored], principals: Sequence[str]) -> None:
    """Store every received file, or list it where it was put aside; those over the limit are listed only."""
    for received, stored in zip_longest(spool.files, put_files):
        content = stored or spool.parts(received)
        await vault.uploads.add(safe_name(received.name), received.media_type, content, principals)


async def upload_integration(vault: Vault) -> Integration:
    """Return the integration of uploaded files; the first upload of a tenant makes it."""
    found = await vault.integrations.find(IntegrationKind.UPLOAD, UPLOADS)
    if found:
        return found
    try:
        return await vault.integrations.add(IntegrationKind.UPLOAD, UPLOADS, {}, None)
    except Conflict:
        return await upload_integration(vault)


def principals_for(readers: str, viewer: Viewer) -> tuple[str, ...]:
    """Return who may read what is uploaded: everyone, unless it was said to be for the viewer alone."""
    return (user_principal(viewer.user_id),) if readers == ONLY_ME else (EVERYONE,)


def safe_name(name: str) -> str:
    """Return a file name without folders and control characters, at most 300 characters, its ending kept."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    visible = "".join(letter for letter in last if unicodedata.category(letter) not in ("Cc", "Cs", "Cn"))
    visible = " ".join(visible.split())
    if not visible.strip(". "):
        return "Unnamed file"
    suffix = PurePosixPath(visible).suffix
    if len(visible) <= MAX_NAME or len(suffix) > MAX_SUFFIX:
        return visible[:MAX_NAME]
    return visible[: MAX_NAME - len(suffix)] + suffix


def text_name(title: str) -> str:
    """Return the file name of a pasted text."""
    return safe_name(f"{title.replace('/', '-') or 'Pasted text'}.txt")


def upload_page(form: Form, status: int) -> Page:
    """Return the page with what was entered."""
    return page("uploads/new.html", status=status, form=form, formats=FORMATS, max_file_bytes=MAX_FILE_BYTES)


async def one_part(content: bytes) -> AsyncIterator[bytes]:
    """Yield a text as the parts of a file."""
    yield content


routes = [new, create]
