"""Consent to read a mailbox at Gmail, and the labels there are to choose."""

from collections.abc import Sequence

import msgspec

from domain.credentials import Choice
from infra.connectors.consent import Consented, Terms
from infra.connectors.google_consent import ACCESS_PAGE, IDENTITY, OFFLINE, google_account, google_registration

GMAIL = "gmail"
SCOPE = "https://www.googleapis.com/auth/gmail.readonly"
NOT_OFFERED = frozenset({"SPAM", "TRASH", "DRAFT", "CHAT", "UNREAD", "STARRED", "IMPORTANT"})


class Label(msgspec.Struct, frozen=True):
    """A label of a mailbox."""

    id: str
    name: str
    type: str = "user"


class Labels(msgspec.Struct, frozen=True):
    """All labels of a mailbox."""

    labels: tuple[Label, ...] = ()


async def _labels(consented: Consented) -> Sequence[Choice]:
    """Return the labels; what carries none of those chosen is not read."""
    answer = await consented.source.get("/gmail/v1/users/me/labels")
    labels = msgspec.json.decode(answer.content, type=Labels).labels
    return [Choice(each.id, each.name, is_private=True) for each in labels if each.id not in NOT_OFFERED]


TERMS = Terms(
    name=GMAIL,
    title="Gmail",
    choice_noun="labels",
    registration=google_registration("gmail", "https://gmail.googleapis.com"),
    account=google_account,
    choices=_labels,
    access_page=ACCESS_PAGE,
    scopes=(SCOPE,),
    asked=(*IDENTITY, SCOPE),
    more=OFFLINE,
)
"""Gmail, read-only."""
