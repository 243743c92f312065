"""Transcripts: a conversation as connectors hand it to the parser, in a JSON of our own."""

from datetime import datetime

import msgspec

TRANSCRIPT_TYPE = "application/vnd.knowledgevault.transcript+json"


class Utterance(msgspec.Struct, frozen=True):
    """One message of a conversation."""

    author: str
    at: datetime
    text: str


class Transcript(msgspec.Struct, frozen=True, tag_field="format", tag="knowledgevault.transcript"):
    """A stretch of a conversation: a thread, or a channel's day."""

    title: str
    place: str
    """The channel or room."""
    utterances: tuple[Utterance, ...]


def encode(transcript: Transcript) -> bytes:
    """Return the transcript as JSON; equal transcripts are equal bytes."""
    return msgspec.json.encode(transcript)


def decode(content: bytes) -> Transcript:
    """Return the transcript behind the bytes. Raises: msgspec.DecodeError."""
    return msgspec.json.decode(content, type=Transcript)
