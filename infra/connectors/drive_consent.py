"""Consent to read a Google Drive, and the folders and shared drives there are to choose."""

from collections.abc import Sequence

import msgspec

from domain.credentials import Choice
from infra.connectors.consent import Consented, Terms
from infra.connectors.google_consent import ACCESS_PAGE, IDENTITY, OFFLINE, google_account, google_registration

DRIVE = "drive"
SCOPE = "https://www.googleapis.com/auth/drive.readonly"
MAX_CHOICES = 500
TOP_FOLDERS = "mimeType = 'application/vnd.google-apps.folder' and 'root' in parents and trashed = false"


class Named(msgspec.Struct, frozen=True):
    """A folder, or a shared drive."""

    id: str
    name: str = ""


class Found(msgspec.Struct, frozen=True):
    """What was found of either."""

    files: tuple[Named, ...] = ()
    drives: tuple[Named, ...] = ()


async def _folders(consented: Consented) -> Sequence[Choice]:
    """Return the folders at the top of the drive, and the shared drives."""
    params = {"q": TOP_FOLDERS, "fields": "files(id,name)", "pageSize": str(MAX_CHOICES), "orderBy": "name"}
    folders = msgspec.json.decode((await consented.source.get("/drive/v3/files", params)).content, type=Found).files
    shared = msgspec.json.decode(
        (await consented.source.get("/drive/v3/drives", {"pageSize": "100"})).content, type=Found
    ).drives
    found = [Choice(each.id, each.name, is_private=True, group="My Drive") for each in folders]
    return found + [Choice(each.id, each.name, is_private=True, group="Shared drives", order=1) for each in shared]


TERMS = Terms(
    name=DRIVE,
    title="Google Drive",
    choice_noun="folders",
    registration=google_registration("drive", "https://www.googleapis.com"),
    account=google_account,
    choices=_folders,
    access_page=ACCESS_PAGE,
    scopes=(SCOPE,),
    asked=(*IDENTITY, SCOPE),
    more=OFFLINE,
)
"""Google Drive, read-only."""
