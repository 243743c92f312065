"""Whether a new access opens the same source as the one before it, so that what is indexed may stay under it."""

from collections.abc import Mapping

from domain.credentials import Grant
from domain.errors import Conflict
from domain.integrations import Integration, Item
from domain.kinds import Entered, Kind
from domain.people import Viewer
from domain.vault import OpenVault, Trial

N_ASKED_FOR = 12
"""So many of the documents that are held are looked for with the new access, until one is found."""
BY_CONSENT = frozenset({"account", "account_id", "is_shared", "chosen", "chosen_names"})
"""Settings that only an integration has which was connected by consent."""


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
    async for page in trial(integration, access, viewer, open_vault).again(wanted):
        if any(isinstance(entry, Item) for entry in page.entries):
            return
    raise Conflict(
        f"The new access shows nothing of what “{integration.name}” holds, so nothing was changed. Share the same "
        "pages with it at the source and try again, or connect it as a new integration."
    )


def settings_by_consent(kind: Kind, settings: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of an integration that was connected by a form, as a consent needs them; readers stay."""
    entered = {field.name for field in kind.fields}
    kept = {name: value for name, value in settings.items() if name not in entered}
    return kept | ({"is_shared": "yes"} if settings.get("readers") == "everyone" else {})


def settings_by_form(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of an integration that was connected by consent, as a form needs them; readers stay."""
    kept = {name: value for name, value in settings.items() if name not in BY_CONSENT}
    return {**kept, "readers": "everyone" if settings.get("is_shared") == "yes" else "owner"}
