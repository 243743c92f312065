"""Transcripts: a recording from the browser's microphone comes back as text, which its speaker then mends."""

from typing import Any

from litestar import Response, post

from domain.errors import Invalid, NotFound
from domain.people import Viewer
from domain.transcribing import MAX_RECORDING_BYTES
from domain.vault import Tools
from web.limits import limit_uploads
from web.multipart import SPOOL, Spool, UploadRequest

MAX_REQUEST_BYTES = MAX_RECORDING_BYTES + 64 * 1024
NO_SERVER = "Speech is not written down on this server. Type your answer."
NOTHING = "The recording is empty. Check the microphone, and try again."


@post(
    "/transcripts",
    include_in_schema=False,
    guards=[limit_uploads],
    request_class=UploadRequest,
    request_max_body_size=MAX_REQUEST_BYTES,
)
async def create(request: UploadRequest, viewer: Viewer, tools: Tools) -> Response[Any]:  # noqa: ARG001 (to be signed in is the point)
    """Return what is said in the recording; it is kept nowhere. No transaction is open meanwhile."""
    if tools.transcriber is None:
        raise NotFound(NO_SERVER)
    spool = (await request.form()).get(SPOOL)
    if not isinstance(spool, Spool) or not spool.files or not spool.files[0].size_bytes:
        raise Invalid(NOTHING)
    received = spool.files[0]
    recording = b"".join([part async for part in spool.parts(received)])
    text = await tools.transcriber.transcribe(received.name or "speech.webm", received.media_type, recording)
    return Response(text, status_code=200, media_type="text/plain")


routes = [create]
