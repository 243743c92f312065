"""Slack's Web API: its methods, called with POST, and what they say of users, channels, messages and files."""

from collections.abc import AsyncIterator, Mapping
from typing import TypeVar

import httpx
import msgspec

from domain.errors import Invalid, NotFound, Unavailable
from infra.connectors.http import Source, refusal_of
from infra.connectors.paging import Paging
from infra.connectors.slack_export import SlackMessage

PAGE_SIZE = "200"
"""What Slack recommends; more may be refused."""
GONE = frozenset({"channel_not_found", "not_in_channel", "thread_not_found", "user_not_found", "file_not_found"})


class Profile(msgspec.Struct, frozen=True):
    """How a user wants to be called and reached."""

    real_name: str | None = None
    display_name: str | None = None
    email: str | None = None


class User(msgspec.Struct, frozen=True):
    """A person or a bot of the workspace."""

    id: str
    name: str = ""
    real_name: str | None = None
    deleted: bool = False
    is_bot: bool = False
    is_restricted: bool = False
    """A guest, who sees no public channel but those they are in."""
    is_email_confirmed: bool = True
    profile: Profile = Profile()

    @property
    def shown(self) -> str:
        """The name people know."""
        names = (self.profile.real_name, self.real_name, self.profile.display_name, self.name, self.id)
        return next(name for name in names if name)

    @property
    def is_confirmed(self) -> bool:
        """Whether Slack vouches for the address."""
        return bool(self.profile.email) and self.is_email_confirmed and not self.deleted and not self.is_bot


class Words(msgspec.Struct, frozen=True):
    """What a channel is for."""

    value: str = ""


class Conversation(msgspec.Struct, frozen=True):
    """A channel."""

    id: str
    name: str = ""
    is_private: bool = False
    is_archived: bool = False
    purpose: Words = Words()

    @property
    def about(self) -> str:
        """What it is for, in a line."""
        return " ".join(self.purpose.value.split())[:200]


class Edited(msgspec.Struct, frozen=True):
    """When a message was changed."""

    ts: str = ""


class PostedFile(msgspec.Struct, frozen=True):
    """A file of a message, as much of it as we need; `mode` is tombstone for one that was deleted."""

    id: str
    name: str | None = None
    title: str | None = None
    mimetype: str = ""
    size: int | None = None
    mode: str = ""
    url_private_download: str = ""
    url_private: str = ""
    user: str = ""
    timestamp: int | None = None
    permalink: str = ""


class Message(SlackMessage, frozen=True):
    """A message as the API gives it."""

    edited: Edited | None = None
    reply_count: int = 0
    latest_reply: str = ""


class Posted(msgspec.Struct, frozen=True):
    """The same message, for its files."""

    ts: str = "0"
    files: tuple[PostedFile | None, ...] | None = None


class Cursor(msgspec.Struct, frozen=True):
    """Where the next page begins."""

    next_cursor: str = ""


class Answered(msgspec.Struct, frozen=True):
    """A page of whatever was asked."""

    response_metadata: Cursor | None = None
    members: msgspec.Raw = msgspec.Raw(b"[]")
    channels: tuple[Conversation, ...] = ()
    messages: msgspec.Raw = msgspec.Raw(b"[]")

    @property
    def n_things(self) -> int:
        """How much there is on it: 0 where there is nothing."""
        return len(self.channels) + sum(bytes(each).strip() != b"[]" for each in (self.members, self.messages))


class OneUser(msgspec.Struct, frozen=True):
    """The answer to users.info."""

    user: User


T = TypeVar("T")


async def call(source: Source, method: str, form: Mapping[str, str]) -> httpx.Response:
    """Return the answer of a method. Raises: NotFound, Invalid when it is refused, what `Source.post` does."""
    answer = await source.post(f"/{method}", form)
    refusal = refusal_of(answer)
    if refusal.ok:
        return answer
    if refusal.error in GONE:
        raise NotFound("This is no longer at Slack, or is not ours to see.")
    if refusal.error in ("ratelimited", "internal_error", "service_unavailable", "fatal_error"):
        raise Unavailable(f"Slack does not answer ({refusal.error}). The next sync goes on from here.")
    raise Invalid(f"Slack does not let us read this: {refusal.error}")


async def paged(source: Source, method: str, form: Mapping[str, str]) -> AsyncIterator[Answered]:
    """Yield all pages of a method. Raises: Unavailable when its cursors go in a circle; what `call` does."""
    paging = Paging("Slack")
    asked = {**form, "limit": PAGE_SIZE}
    while True:
        answer = await call(source, method, asked)
        page = msgspec.json.decode(answer.content, type=Answered)
        yield page
        cursor = page.response_metadata.next_cursor if page.response_metadata else ""
        if not cursor:
            return
        asked["cursor"] = paging.turn(cursor, page.n_things)


async def conversations(source: Source) -> AsyncIterator[tuple[Conversation, ...]]:
    """Yield public and private channels, page by page."""
    form = {"types": "public_channel,private_channel", "exclude_archived": "false"}
    async for page in paged(source, "conversations.list", form):
        yield page.channels


async def users(source: Source) -> dict[str, User]:
    """Return everybody, by id."""
    found: dict[str, User] = {}
    async for page in paged(source, "users.list", {}):
        found.update({each.id: each for each in msgspec.json.decode(page.members, type=list[User])})
    return found


async def one_user(source: Source, user_id: str) -> User | None:
    """Return a user, if there is one of this id."""
    try:
        answer = await call(source, "users.info", {"user": user_id})
    except NotFound:
        return None
    return msgspec.json.decode(answer.content, type=OneUser).user


async def members(source: Source, channel: str) -> list[str]:
    """Return the ids of those in a channel."""
    found: list[str] = []
    async for page in paged(source, "conversations.members", {"channel": channel}):
        found += msgspec.json.decode(page.members, type=list[str])
    return found
