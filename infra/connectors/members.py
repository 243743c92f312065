"""What a container (archive, mailbox, chat export, mail) holds: its members, listed first and read one by one."""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

import msgspec

MAX_ID_CHARACTERS = 450
"""Two levels of members, behind a path of some length, fit into an external id's 1,000."""

MAX_EXTERNAL_ID = 1_000
"""Characters an external id may have."""


class Member(msgspec.Struct, frozen=True):
    """One thing in a container.

    `id` begins with its own separator ("!" for what is packed in, "#" for what is attached), so that it can be put
    behind the container's external id as it is.
    """

    id: str
    name: str
    revision: str = ""
    size_bytes: int | None = None
    media_type: str = ""
    author: str = ""
    modified_at: datetime | None = None
    reason: str = ""
    """Why it cannot be read, for people; empty when it can."""


class Container(Protocol):
    """Something that has members."""

    def members(self) -> Iterator[Member]:
        """Yield the members, always in the same order, with ids that differ."""

    def read(self, member_id: str) -> bytes:
        """Return a member's bytes. Raises: NotFound when there is none of this id, Invalid when it cannot be read."""


def short_id(member_id: str) -> str:
    """Return an id that fits: a longer one is cut, and told apart by a hash of the whole."""
    return _cut(member_id, MAX_ID_CHARACTERS)


def fitted(external_id: str) -> str:
    """Return an external id that fits, in the same way."""
    return _cut(external_id, MAX_EXTERNAL_ID)


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
    return f"{text[: limit - 17]}~{digest}"
