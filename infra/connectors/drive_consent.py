"""Consent to read a Google Drive, and the folders and shared drives there are to choose."""

from collections.abc import Sequence

import msgspec

from domain.credentials import Choice, Grant
from infra.connectors.google_consent import GoogleProvider, google_registration

DRIVE = "drive"
REGISTRATION = google_registration("drive", "https://www.googleapis.com")
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


class Drive(GoogleProvider):
    """Google Drive, read-only."""

    name = DRIVE
    title = "Google Drive"
    kind = DRIVE
    choice_noun = "folders"
    scope = "https://www.googleapis.com/auth/drive.readonly"

    async def choices(self, grant: Grant) -> Sequence[Choice]:
        """Return the folders at the top of the drive, and the shared drives."""
        source = self._source(grant)
        params = {"q": TOP_FOLDERS, "fields": "files(id,name)", "pageSize": str(MAX_CHOICES), "orderBy": "name"}
        folders = msgspec.json.decode((await source.get("/drive/v3/files", params)).content, type=Found).files
        shared = msgspec.json.decode(
            (await source.get("/drive/v3/drives", {"pageSize": "100"})).content, type=Found
        ).drives
        found = [Choice(each.id, each.name, is_private=True) for each in folders]
        found += [Choice(each.id, each.name, is_private=True, description="A shared drive.") for each in shared]
        return sorted(found, key=lambda choice: choice.name.lower())
