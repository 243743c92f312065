"""Uploads as they come in: all files of a request share one file on disk, so neither memory nor handles run out.

Litestar keeps each file apart, up to a mebibyte of it in memory; a folder of a thousand files would take a gibibyte, or
a thousand open files. This request class reads the same form, and puts a `Spool` in the place of the files.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from litestar import Request
from litestar.datastructures import FormMultiDict, UploadFile
from litestar.enums import RequestEncodingType
from litestar.exceptions import ClientException
from litestar.utils.scope.state import ScopeState
from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser

from domain.errors import Invalid
from web.sessions import NotSignedIn
from web.visits import visit_of

PART_BYTES = 1024 * 1024
MAX_FILES = 5_000
MAX_TEXT_BYTES = 20 * 1024 * 1024
MEMORY_BYTES = 1024 * 1024
"""Below this much, nothing is written to disk."""
SPOOL = "spool"
TOO_MANY = f"More than {MAX_FILES:,} files at once are too many. Put them into a zip and send that."


class ReceivedFile(msgspec.Struct, frozen=True):
    """A file of the request: `size_bytes` from `start` in the spool."""

    name: str
    media_type: str
    start: int
    size_bytes: int


class Spool(UploadFile):
    """The files of one request, one after the other. Litestar closes it, except after a refusal."""

    def __init__(self) -> None:
        super().__init__("application/octet-stream", SPOOL, max_spool_size=MEMORY_BYTES)
        self.files: list[ReceivedFile] = []
        self.size_bytes = 0

    def __del__(self) -> None:
        self.file.close()

    def append(self, content: bytes | bytearray) -> None:
        """Add to what was received."""
        self.file.write(content)
        self.size_bytes += len(content)

    async def parts(self, received: ReceivedFile) -> AsyncIterator[bytes]:
        """Yield a file's content in parts of at most a mebibyte."""
        at, end = received.start, received.start + received.size_bytes
        while at < end:
            part = await asyncio.to_thread(read_at, self.file, at, min(PART_BYTES, end - at))
            at += len(part)
            yield part


class UploadRequest(Request[Any, Any, Any]):
    """A request whose files are spooled together. Nobody but a member may send any."""

    async def form(self) -> FormMultiDict:
        """Return the text fields, and the `Spool` under its name. Raises: NotSignedIn, Invalid."""
        state = ScopeState.from_scope(self.scope)
        content_type, options = self.content_type
        if content_type == RequestEncodingType.MULTI_PART and not isinstance(state.form, dict):
            if visit_of(self).viewer is None:
                raise NotSignedIn
            state.form = await receive(self.stream(), options.get("boundary", ""))
        return await super().form()


async def receive(stream: AsyncIterator[bytes], boundary: str) -> dict[str, Any]:
    """Return the fields of a form, by name in lists, with its files in a `Spool`. Raises: Invalid, ClientException."""
    reader = FormReader()
    try:
        with PushMultipartParser(boundary, max_segment_count=MAX_FILES) as parser:
            async for chunk in stream:
                for event in parser.parse(chunk):
                    reader.take(event)
    except ParserLimitReached as error:
        await reader.spool.close()
        raise Invalid(TOO_MANY) from error
    except MultipartError as error:
        await reader.spool.close()
        raise ClientException("The upload broke off. Send it again.") from error
    except BaseException:
        await reader.spool.close()
        raise
    return {**reader.fields, SPOOL: [reader.spool]}


class FormReader:
    """Takes the parser's events one by one; files go to the spool, texts to the fields."""

    def __init__(self) -> None:
        self.spool = Spool()
        self.fields: dict[str, list[str]] = {}
        self._segment: MultipartSegment | None = None
        self._text = bytearray()
        self._start = 0

    def take(self, event: "MultipartSegment | bytearray | None") -> None:
        """Go on by one event: a part's head, a piece of its content, or its end (None)."""
        if isinstance(event, MultipartSegment):
            self._segment, self._text, self._start = event, bytearray(), self.spool.size_bytes
        elif event is None:
            self._end_part()
        elif self._is_file:
            self.spool.append(event)
        else:
            self._text.extend(event)
            if len(self._text) > MAX_TEXT_BYTES:
                raise Invalid("This text is too long to be pasted. Save it as a file and upload that.")

    @property
    def _is_file(self) -> bool:
        return self._segment is not None and self._segment.filename is not None

    def _end_part(self) -> None:
        if self._segment is None:
            return
        if not self._is_file:
            self.fields.setdefault(self._segment.name, []).append(self._text.decode("utf-8", "replace"))
        elif self._segment.filename:
            size_bytes = self.spool.size_bytes - self._start
            media_type = self._segment.content_type or ""
            self.spool.files.append(ReceivedFile(self._segment.filename, media_type, self._start, size_bytes))
        self._segment = None


def read_at(file: Any, start: int, size_bytes: int) -> bytes:
    """Return a piece of a file."""
    file.seek(start)
    content: bytes = file.read(size_bytes)
    return content
