"""Consent to read a mailbox at Gmail, and the labels there are to choose."""

from collections.abc import Sequence

import msgspec

from domain.credentials import Choice, Grant
from infra.connectors.google_consent import GoogleProvider, google_registration

GMAIL = "gmail"
REGISTRATION = google_registration("gmail", "https://gmail.googleapis.com")
NOT_OFFERED = frozenset({"SPAM", "TRASH", "DRAFT", "CHAT", "UNREAD", "STARRED", "IMPORTANT"})


class Label(msgspec.Struct, frozen=True):
    """A label of a mailbox."""

    id: str
    name: str
    type: str = "user"


class Labels(msgspec.Struct, frozen=True):
    """All labels of a mailbox."""

    labels: tuple[Label, ...] = ()


class Gmail(GoogleProvider):
    """Gmail, read-only."""

    name = GMAIL
    title = "Gmail"
    kind = GMAIL
    choice_noun = "labels"
    scope = "https://www.googleapis.com/auth/gmail.readonly"

    async def choices(self, grant: Grant) -> Sequence[Choice]:
        """Return the labels; what carries none of those chosen is not read."""
        answer = await self._source(grant).get("/gmail/v1/users/me/labels")
        labels = msgspec.json.decode(answer.content, type=Labels).labels
        found = [Choice(each.id, each.name, is_private=True) for each in labels if each.id not in NOT_OFFERED]
        return sorted(found, key=lambda choice: choice.name.lower())
