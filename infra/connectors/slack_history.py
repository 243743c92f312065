"""A channel's history, newest first, as entries: a thread each, and a day of other messages each."""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.integrations import Item
from infra.connectors.slack_api import Message
from infra.connectors.slack_export import is_said, transcript_of
from infra.transcript import TRANSCRIPT_TYPE, encode

ENTRIES_AT_ONCE = 50
LIVELY = timedelta(days=7)
"""Threads that were active since then are read again, since an edited reply shows in no list."""
MAX_LIVELY = 100
"""In each channel, the newest first."""


@dataclass(frozen=True, slots=True)
class Channel:
    """Where something was said, and who may read it."""

    id: str
    place: str
    principals: tuple[str, ...]
    names: Mapping[str, str]
    """Of users, by id."""
    now: datetime


@dataclass(frozen=True, slots=True)
class Listed:
    """An item, with its content where the list had all of it."""

    item: Item
    content: bytes = b""


async def channel_entries(channel: Channel, messages: AsyncIterator[Message]) -> AsyncIterator[Sequence[Listed]]:
    """Yield what a channel holds, some entries at a time; only one day's messages are held at once."""
    entries: list[Listed] = []
    day: list[Message] = []
    n_lively = 0
    async for message in messages:
        if not is_said(message) or (message.thread_ts and message.thread_ts != message.ts):
            continue
        if message.reply_count:
            is_lively = n_lively < MAX_LIVELY and _is_lively(channel, message)
            n_lively += is_lively
            entries.append(_thread(channel, message, is_lively))
            continue
        if day and _day(day[0]) != _day(message):
            entries += _of_day(channel, day)
            day = []
        day.append(message)
        if len(entries) >= ENTRIES_AT_ONCE:
            yield entries
            entries = []
    yield [*entries, *_of_day(channel, day)]


def _thread(channel: Channel, first: Message, is_lively: bool) -> Listed:
    transcript = transcript_of(channel.place, _day(first), [first], channel.names)
    signs = f"{first.edited.ts if first.edited else ''} {first.reply_count} {first.latest_reply} {first.text}"
    return Listed(
        Item(
            external_id=f"{channel.id}/thread-{first.ts}",
            name=transcript.title if transcript else f"{channel.place}, thread",
            revision="" if is_lively else hashlib.sha256(signs.encode()).hexdigest(),
            media_type=TRANSCRIPT_TYPE,
            author=channel.names.get(first.user or "", ""),
            created_at=first.at,
            principals=channel.principals,
        )
    )


def _of_day(channel: Channel, messages: Sequence[Message]) -> list[Listed]:
    if not messages:
        return []
    day, in_order = _day(messages[0]), sorted(messages, key=lambda each: float(each.ts))
    transcript = transcript_of(channel.place, day, in_order, channel.names)
    if transcript is None:
        return []
    content = encode(transcript)
    item = Item(
        external_id=f"{channel.id}/{day}",
        name=transcript.title,
        revision=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        media_type=TRANSCRIPT_TYPE,
        created_at=in_order[0].at,
        principals=channel.principals,
    )
    return [Listed(item, content)]


def _is_lively(channel: Channel, message: Message) -> bool:
    latest = float(message.latest_reply or message.ts)
    return channel.now.timestamp() - latest < LIVELY.total_seconds()


def _day(message: Message) -> str:
    return f"{message.at:%Y-%m-%d}"
