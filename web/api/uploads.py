"""Uploads: files sent as a form, read by the sync that is returned."""

from dataclasses import dataclass
from typing import Any

from litestar import post
from litestar.openapi.spec import OpenAPIFormat, OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema

from domain.errors import Invalid
from domain.people import EVERYONE, Viewer
from domain.syncs import Trigger
from domain.vault import Tools
from web.api.requests import problems
from web.api.syncs import SyncView, show_sync
from web.doors import Doors
from web.filters import plural
from web.limits import limit_uploads
from web.multipart import SPOOL, Spool, UploadRequest
from web.uploads import MAX_REQUEST_BYTES, keep_files, principals_for, put_aside_files, upload_integration

NO_FILES = "Send at least one file, as `multipart/form-data` with its file name."


@dataclass
class UploadOperation(Operation):
    """The description of the form, which is received by a reader of our own and so not seen by Litestar."""

    def __post_init__(self) -> None:
        """Describe the fields."""
        file = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
        form = Schema(
            type=OpenAPIType.OBJECT,
            required=["files"],
            properties={
                "files": Schema(type=OpenAPIType.ARRAY, items=file, description="Files of any known kind, zips too."),
                "readers": Schema(
                    type=OpenAPIType.STRING,
                    enum=["everyone", "me"],
                    default="everyone",
                    description="Who may read them.",
                ),
            },
        )
        self.request_body = RequestBody(content={"multipart/form-data": OpenAPIMediaType(schema=form)}, required=True)


@post(
    "/uploads",
    tags=["Integrations"],
    operation_id="createUpload",
    summary="Upload files",
    guards=[limit_uploads],
    operation_class=UploadOperation,
    status_code=202,
    request_class=UploadRequest,
    request_max_body_size=MAX_REQUEST_BYTES,
    responses=problems(),
)
async def create(request: UploadRequest, viewer: Viewer, doors: Doors, tools: Tools) -> SyncView:
    """Keep files of any known kind, zip archives too, and return the sync that reads them."""
    form: Any = await request.form()
    spool = form.get(SPOOL)
    if not isinstance(spool, Spool) or not spool.files:
        raise Invalid(NO_FILES, {"files": NO_FILES})
    readers = form.get("readers", "everyone")
    principals = principals_for(readers, viewer)
    put_files = await put_aside_files(doors, tools, viewer, spool)
    async with doors.open_vault(viewer) as vault:
        await keep_files(vault, spool, put_files, principals)
        integration = await upload_integration(vault)
        sync = await vault.syncs.request(integration.id, Trigger.UPLOAD)
        shared = "shared with everyone" if principals == (EVERYONE,) else "for themselves"
        await vault.audit.record("upload.added", f"{plural(len(spool.files), 'file')}, {shared}")
    return show_sync(sync)


routes = [create]
