"""Consent to read a mailbox at Outlook or Exchange Online, and the folders there are to choose."""

from collections.abc import Sequence

import msgspec

from domain.credentials import Choice
from infra.connectors.consent import Consented
from infra.connectors.http import Source
from infra.connectors.microsoft_consent import microsoft_terms
from infra.connectors.paging import Paging

OUTLOOK = "outlook"
FOLDERS = "/v1.0/me/mailFolders/delta?$select=displayName,parentFolderId"
NOT_READ = ("drafts", "deleteditems", "junkemail")
"""Folders of mail nobody means to keep, by the names Graph gives them in every language."""


class Folder(msgspec.Struct, frozen=True, rename="camel"):
    """A folder of a mailbox."""

    id: str
    display_name: str = ""
    parent_folder_id: str | None = None
    removed: dict[str, str] | None = msgspec.field(default=None, name="@removed")


class Folders(msgspec.Struct, frozen=True):
    """A page of these."""

    value: tuple[Folder, ...] = ()
    next_link: str = msgspec.field(default="", name="@odata.nextLink")


async def folders_of(source: Source) -> list[Folder]:
    """Return all folders of a mailbox, each once. Raises: what `Source.get` does."""
    found, address, paging = dict[str, Folder](), FOLDERS, Paging("Microsoft")
    while address:
        page = msgspec.json.decode((await source.get(address)).content, type=Folders)
        found |= {each.id: each for each in page.value if each.removed is None}
        address = page.next_link and paging.turn(page.next_link, len(page.value))
    return list(found.values())


async def _choices(consented: Consented) -> Sequence[Choice]:
    """Return the folders; what lies in one is read with it."""
    return [Choice(each.id, each.display_name, is_private=True) for each in await folders_of(consented.source)]


TERMS = microsoft_terms(OUTLOOK, "Outlook", "folders", "Mail.Read", _choices)
"""A mailbox at Microsoft, read-only."""
