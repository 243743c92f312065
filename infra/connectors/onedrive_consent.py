"""Consent to read a OneDrive, or the libraries of SharePoint sites, and what there is to choose in each."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from domain.credentials import Choice
from domain.errors import Invalid, NotFound
from infra.connectors.consent import Consented
from infra.connectors.microsoft_consent import microsoft_terms

ONEDRIVE, SHAREPOINT = "onedrive", "sharepoint"
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


async def _folders(consented: Consented) -> Sequence[Choice]:
    """Return the folders at the top of the drive."""
    answer = await consented.source.get(TOP, {"$top": "500"})
    folders = [each for each in msgspec.json.decode(answer.content, type=Found).value if each.folder is not None]
    return [Choice(each.id, each.name or "", is_private=True) for each in folders]


async def _libraries(consented: Consented) -> Sequence[Choice]:
    """Return the libraries of the sites this account can see, up to a hundred sites."""
    answer = await consented.source.get("/v1.0/sites", {"search": "*", "$top": str(MAX_SITES)})
    found: list[Choice] = []
    for site in msgspec.json.decode(answer.content, type=Found).value[:MAX_SITES]:
        try:
            listed = await consented.source.get(f"/v1.0/sites/{site.id}/drives")
        except (NotFound, Invalid):
            continue
        title = site.display_name or site.name or "Site"
        drives = msgspec.json.decode(listed.content, type=Found).value
        found += [Choice(each.id, f"{title}: {each.name or 'Documents'}", is_private=True) for each in drives]
    return found


ONEDRIVE_TERMS = microsoft_terms(ONEDRIVE, "OneDrive", "folders", "Files.Read", _folders)
SHAREPOINT_TERMS = replace(
    microsoft_terms(SHAREPOINT, "SharePoint", "libraries", "Sites.Read.All", _libraries), must_choose=True
)
