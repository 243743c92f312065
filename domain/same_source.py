"""Whether a new access opens the same source as the one before it, so that what is indexed may stay under it."""

from collections.abc import Mapping

from domain.credentials import Grant
from domain.errors import Conflict
from domain.integrations import Integration, Item
from domain.kinds import Entered, Kind, Kinds
from domain.people import Viewer
from domain.vault import OpenVault, Trial

N_ASKED_FOR = 12
"""So many of the documents that are held are looked for with the new access."""
BY_CONSENT = frozenset({"account", "account_id", "is_shared", "chosen", "chosen_names"})
"""Settings that only an integration has which was connected by consent."""
CHOSEN, FOLDERS = "chosen", "folders"
"""Where a consent's folders stand, and a form's."""


def form_for(kinds: Kinds, kind: Kind) -> Kind:
    """Return the kind whose form reads the same source as this one; most often it is itself, and some have none."""
    return kinds.described(kind.entered_as) if kind.entered_as else kind


def may_take_over(kinds: Kinds, name: str, integration: Integration) -> bool:
    """Whether an integration can be read under another access as this kind, keeping what is indexed."""
    return name == integration.kind or form_for(kinds, kinds.described(name)).name == integration.kind


async def require_same_source(
    trial: Trial | None, integration: Integration, access: Grant | Entered, viewer: Viewer, open_vault: OpenVault
) -> None:
    """Refuse an access that shows nothing of what is held: the next sync would let go of all of it.

    Raises: Conflict, and what asking the source raises. No transaction is open while it is asked.
    """
    async with open_vault(viewer) as vault:
        held = await vault.documents.listed(integration.id, "")
    wanted = held[:: max(1, len(held) // N_ASKED_FOR)][:N_ASKED_FOR]
    if not wanted or trial is None:
        return
    again = trial(integration, access, viewer, open_vault).again(wanted)  # read to its end, where it closes
    if any([isinstance(entry, Item) async for page in again for entry in page.entries]):
        return
    raise Conflict(
        f"The new access shows nothing of what “{integration.name}” holds, so nothing was changed. Let it see "
        "the same things at the source and try again, or connect it as a new integration."
    )


def settings_by_consent(kind: Kind, settings: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of an integration that was connected by a form, as a consent needs them; readers stay."""
    entered = {field.name for field in kind.fields}
    kept = {name: value for name, value in settings.items() if name not in entered}
    chosen = {CHOSEN: settings[FOLDERS]} if FOLDERS in entered and settings.get(FOLDERS) else {}
    return kept | chosen | ({"is_shared": "yes"} if settings.get("readers") == "everyone" else {})


def settings_by_form(kind: Kind, settings: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of an integration that was connected by consent, as a form needs them; readers stay."""
    kept = {name: value for name, value in settings.items() if name not in BY_CONSENT}
    has_folders = any(field.name == FOLDERS for field in kind.fields)
    chosen = {FOLDERS: settings[CHOSEN]} if has_folders and settings.get(CHOSEN) else {}
    return {**kept, **chosen, "readers": "everyone" if settings.get("is_shared") == "yes" else "owner"}
