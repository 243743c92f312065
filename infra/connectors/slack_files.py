"""Files that were posted in a channel of Slack."""

import msgspec

from domain.errors import Invalid, NotFound, Unavailable
from domain.integrations import Entry, Item, Unreadable
from domain.uploads import MAX_FILE_BYTES
from infra.connectors.http import MAX_PAGES, Source
from infra.connectors.slack_api import PostedFile, call
from infra.parsers.detection import media_type_of

MEBIBYTE = 1024 * 1024
PICTURES = ("image/", "video/", "audio/")
"""Sorts of files that hold no words; a channel is full of them."""


class Paging(msgspec.Struct, frozen=True):
    """Which page of how many."""

    page: int = 1
    pages: int = 1


class Files(msgspec.Struct, frozen=True):
    """A page of files."""

    files: tuple[PostedFile, ...] = ()
    paging: Paging = Paging()


class OneFile(msgspec.Struct, frozen=True):
    """The answer to files.info."""

    file: PostedFile


async def file_entries(source: Source, channel: str, principals: tuple[str, ...]) -> list[Entry]:
    """Return the files of a channel that hold words. Raises: Unavailable when its pages never end."""
    found: list[Entry] = []
    for number in range(1, MAX_PAGES):
        form = {"channel": channel, "count": "200", "page": str(number)}
        listed = msgspec.json.decode((await call(source, "files.list", form)).content, type=Files)
        found += [entry for each in listed.files if (entry := _entry(each, channel, principals))]
        if number >= listed.paging.pages or not listed.files:
            return found
    raise Unavailable("Slack sends the same pages again and again. Sync again later.")


async def file_content(source: Source, file_id: str) -> bytes:
    """Return a file's bytes. Raises: NotFound, Invalid, Unavailable."""
    file = msgspec.json.decode((await call(source, "files.info", {"file": file_id})).content, type=OneFile).file
    address = file.url_private_download or file.url_private
    if not address or file.mode == "tombstone":
        raise NotFound("This file is no longer at Slack.")
    answer = await source.get(address)
    if answer.headers.get("content-type", "").startswith("text/html") and "html" not in file.mimetype:
        raise Invalid("Slack did not give this file: the scope files:read is missing. Reconnect Slack.")
    return answer.content


def _entry(file: PostedFile, channel: str, principals: tuple[str, ...]) -> Entry | None:
    external_id, name = f"{channel}/file-{file.id}", file.name or file.title or file.id
    if file.mode in ("tombstone", "hidden_by_limit", "external") or file.mimetype.startswith(PICTURES):
        return None
    if file.size is not None and file.size > MAX_FILE_BYTES:
        limit = MAX_FILE_BYTES // MEBIBYTE
        reason = (
            f"It is {file.size // MEBIBYTE} MB large; files over {limit} MB are not read. Split it and post the parts."
        )
        return Unreadable(external_id, name, reason)
    return Item(
        external_id=external_id,
        name=name,
        revision=f"{file.timestamp or ''} {file.size or ''} {name}",
        size_bytes=file.size,
        media_type=media_type_of(name) or file.mimetype,
        url=file.permalink,
        principals=principals,
    )
