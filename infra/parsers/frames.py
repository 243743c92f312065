"""What the parser's two processes say to each other: msgpack, each message behind its length in eight bytes."""

import struct

import msgspec

from domain.parsing import ParsedDocument

LENGTH = struct.Struct(">Q")


class Request(msgspec.Struct, frozen=True):
    """A file to read."""

    name: str
    media_type: str
    content: bytes


class Parsed(msgspec.Struct, frozen=True, tag="parsed"):
    """The file could be read."""

    document: ParsedDocument


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """It could not; `reason` is for people."""

    reason: str
    is_worn_out: bool = False
    """Whether the child has run out of memory and ends now."""


Reply = Parsed | Refused


def framed(message: Request | Reply) -> bytes:
    """Return a message as it goes through the pipe."""
    payload = msgspec.msgpack.encode(message)
    return LENGTH.pack(len(payload)) + payload
