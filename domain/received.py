"""Mails that people forward to an address of their vault's: who may send there, and how they are kept for a sync."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

FORWARDING = "forwarding"
"""The kind of integration that reads them."""
MAX_MAIL_BYTES = 35 * 1024 * 1024


class ReceivedMail(msgspec.Struct, frozen=True):
    """A mail as it came in; its bytes are read when they are needed."""

    id: int
    sender: str
    size_bytes: int
    received_at: datetime


class MailAddresses(Protocol):
    """The addresses at which this deployment takes mail: one for each integration, and none that can be guessed."""

    def address_of(self, tenant_id: int, integration_id: int) -> str:
        """Return the address of an integration."""

    def read(self, address: str) -> tuple[int, int] | None:
        """Return the tenant and the integration an address stands for; None when it is not one of ours."""


class ReceivedMails(Protocol):
    """The received mails of one tenant."""

    async def add(self, integration_id: int, sender: str, content: bytes) -> bool:
        """Keep a mail; return False for one that is kept already."""

    async def after(self, integration_id: int, mail_id: int, limit: int) -> list[ReceivedMail]:
        """Return those with a higher id, in order of id."""

    async def get_many(self, integration_id: int, mail_ids: Sequence[int]) -> list[ReceivedMail]:
        """Return those that exist, in order of id."""

    async def content(self, mail_id: int) -> bytes:
        """Return a mail's bytes. Raises: NotFound."""

    async def is_members(self, address: str) -> bool:
        """Return whether an address is one that a member proved to be theirs."""


def may_send(sender: str, domains: str, is_members: bool) -> bool:
    """Return whether a sender's mails are taken: a member's always, others' from a domain that an admin allowed."""
    allowed = {each.strip("@.").lower() for each in domains.replace(",", " ").split()}
    return "@" in sender and (is_members or sender.rpartition("@")[2].lower() in allowed)
