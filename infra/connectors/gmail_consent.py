"""Consent to read a mailbox at Gmail, and the labels there are to choose."""

from collections.abc import Sequence

import msgspec

from domain.credentials import Choice
from infra.connectors.consent import Consented, Terms
from infra.connectors.google_consent import ACCESS_PAGE, IDENTITY, OFFLINE, google_account, google_registration

GMAIL = "gmail"
SCOPE = "https://www.googleapis.com/auth/gmail.readonly"
MAILBOX = {"INBOX": "Inbox", "SENT": "Sent", "STARRED": "Starred", "IMPORTANT": "Important"}
"""Gmail's own labels that are worth choosing, in the order of its side bar; the others are not offered."""
CATEGORY = "CATEGORY_"
CATEGORIES = {
    "CATEGORY_PERSONAL": "Primary",
    "CATEGORY_SOCIAL": "Social",
    "CATEGORY_PROMOTIONS": "Promotions",
    "CATEGORY_UPDATES": "Updates",
    "CATEGORY_FORUMS": "Forums",
}
"""The tabs of the inbox, in their order, and how Gmail's pages call them."""
OWN_AFTER = 100
"""Labels that people made come after all of Gmail's own."""


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
    return offered(labels)


def offered(labels: Sequence[Label]) -> list[Choice]:
    """Return the labels that can be chosen, as people know them from Gmail's pages."""
    return [choice for each in labels if (choice := _offered(each))]


def _offered(label: Label) -> Choice | None:
    """Return a label as people know it; None for marks (unread, stars by colour) and for what is never read."""
    if label.id in MAILBOX:
        return Choice(label.id, MAILBOX[label.id], True, group="Mailbox", order=list(MAILBOX).index(label.id))
    if label.id.startswith(CATEGORY):
        name = CATEGORIES.get(label.id) or label.id.removeprefix(CATEGORY).replace("_", " ").capitalize()
        place = list(CATEGORIES).index(label.id) if label.id in CATEGORIES else len(CATEGORIES)
        return Choice(label.id, name, True, group="Categories", order=len(MAILBOX) + place)
    if label.type == "system":
        return None
    return Choice(label.id, label.name, True, group="Your labels", order=OWN_AFTER)


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
    never_read="Spam, bin, drafts and chats are never read.",
)
"""Gmail, read-only."""
