"""Consent to read a OneDrive, or the libraries of SharePoint sites, and what there is to choose in each."""

from collections.abc import Sequence

import msgspec

from domain.credentials import Choice, Grant
from domain.errors import Invalid, NotFound
from infra.connectors.microsoft_consent import MicrosoftProvider, microsoft_registration

ONEDRIVE, SHAREPOINT = "onedrive", "sharepoint"
ONEDRIVE_REGISTRATION = microsoft_registration(ONEDRIVE)
SHAREPOINT_REGISTRATION = microsoft_registration(SHAREPOINT)
MAX_SITES = 100
TOP = "/v1.0/me/drive/items/root/children"


class Named(msgspec.Struct, frozen=True, rename="camel"):
    """A folder, a site or a library."""

    id: str
    name: str | None = None
    display_name: str | None = None
    folder: dict[str, object] | None = None


class Found(msgspec.Struct, frozen=True):
    """A page of these."""

    value: tuple[Named, ...] = ()


class OneDrive(MicrosoftProvider):
    """OneDrive, read-only."""

    name = ONEDRIVE
    title = "OneDrive"
    kind = ONEDRIVE
    choice_noun = "folders"
    scope = "Files.Read"

    async def choices(self, grant: Grant) -> Sequence[Choice]:
        """Return the folders at the top of the drive."""
        answer = await self._source(grant).get(TOP, {"$top": "500"})
        folders = [each for each in msgspec.json.decode(answer.content, type=Found).value if each.folder is not None]
        return sorted((Choice(each.id, each.name or "", is_private=True) for each in folders), key=_lowered)


class SharePoint(MicrosoftProvider):
    """The libraries of SharePoint sites, read-only."""

    name = SHAREPOINT
    title = "SharePoint"
    kind = SHAREPOINT
    choice_noun = "libraries"
    scope = "Sites.Read.All"
    must_choose = True

    async def choices(self, grant: Grant) -> Sequence[Choice]:
        """Return the libraries of the sites this account can see, up to a hundred sites."""
        source = self._source(grant)
        answer = await source.get("/v1.0/sites", {"search": "*", "$top": str(MAX_SITES)})
        found: list[Choice] = []
        for site in msgspec.json.decode(answer.content, type=Found).value[:MAX_SITES]:
            try:
                listed = await source.get(f"/v1.0/sites/{site.id}/drives")
            except (NotFound, Invalid):
                continue
            title = site.display_name or site.name or "Site"
            drives = msgspec.json.decode(listed.content, type=Found).value
            found += [Choice(each.id, f"{title}: {each.name or 'Documents'}", is_private=True) for each in drives]
        return sorted(found, key=_lowered)


def _lowered(choice: Choice) -> str:
    return choice.name.lower()
