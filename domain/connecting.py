"""Connecting a source by what a person enters: read, tried at the source, and only then kept, its secrets sealed."""

from collections.abc import Awaitable, Mapping
from datetime import datetime

from domain.credentials import DIES_SOON, Secrets
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.integrations import Integration
from domain.kinds import LOOK, Entered, Kind, Kinds, read_entered
from domain.people import Viewer
from domain.syncs import Sync, Trigger
from domain.vault import OpenVault

MAX_NAME = 200
NAME = "name"
"""The form's field for what the integration is called; no kind has a field of this name."""


def may_connect(viewer: Viewer, kind: Kind) -> bool:
    """Whether somebody may connect a source of this kind: admins any, members what belongs to themselves."""
    return viewer.is_admin or kind.is_personal


def may_manage(viewer: Viewer, integration: Integration) -> bool:
    """Whether somebody may change or remove an integration: admins those of the tenant, people their own."""
    return viewer.user_id == integration.owner_id if integration.owner_id is not None else viewer.is_admin


def is_by_consent(kind: Kind, integration: Integration) -> bool:
    """Whether an integration has its access by consent, where its kind may also be connected by entering something."""
    return not kind.fields or "account_id" in integration.settings


def form_of(kinds: Kinds, integration: Integration) -> Kind:
    """Return the kind whose form an integration was connected by. Raises: NotFound."""
    kind = kinds.with_form(integration.kind)
    if is_by_consent(kind, integration):
        raise NotFound("There is nothing to enter here: the access was given by consent. Reconnect it on its page.")
    return kind


def require_manager(viewer: Viewer, integration: Integration) -> None:
    """Raises: Forbidden."""
    if not may_manage(viewer, integration):
        raise Forbidden("Only an admin of this vault may change this. Ask one of them, they are listed under People.")


def access_warning(integration: Integration, now: datetime) -> str:
    """Return what is wrong with our access to a source, or soon will be, and what to do; "" when all is well."""
    if integration.access_problem:
        return integration.access_problem
    ends_at = integration.access_ends_at
    if ends_at is None or ends_at - now > DIES_SOON:
        return ""
    when = f"ends on {ends_at.day} {ends_at:%B %Y}" if ends_at > now else "has ended"
    return f"Our access {when}. Reconnect it, and nothing is lost: what is indexed stays."


async def connect(
    kinds: Kinds, kind: Kind, values: Mapping[str, str], viewer: Viewer, open_vault: OpenVault
) -> tuple[Integration, Sync]:
    """Connect a source and begin its first sync; no transaction is open while the source is tried.

    Raises: Invalid with the fields at fault, the name's included, Forbidden, Unavailable.
    """
    if not may_connect(viewer, kind):
        raise Forbidden("Only an admin of this vault may connect this. Ask one of them, they are listed under People.")
    entered = read_entered(kind, values)
    found = await kinds.check(kind.name, entered)
    name = _named(values.get(NAME, "") or found or kind.title)
    settings = {**entered.settings, "connected_by": str(viewer.user_id)}
    async with open_vault(viewer) as vault:
        try:
            owner_id = viewer.user_id if kind.is_personal else None
            integration = await vault.integrations.add(kind.name, name, settings, owner_id)
        except Conflict as error:
            raise Invalid(LOOK, {NAME: error.message}) from error
        await vault.credentials.save_secrets(integration.id, Secrets(entered.secrets))
        await vault.audit.record("integration.added", integration.name)
        return integration, await vault.syncs.request(integration.id, Trigger.PERSON)


async def change_access(
    kinds: Kinds, integration_id: int, values: Mapping[str, str], viewer: Viewer, open_vault: OpenVault
) -> Integration:
    """Give an integration other settings and secrets, tried first; secrets that are left empty stay.

    What is indexed stays, and so does the cursor. Raises: NotFound, Invalid, Forbidden, Unavailable.
    """
    async with open_vault(viewer) as vault:
        integration = await vault.integrations.get(integration_id)
        require_manager(viewer, integration)
        kind = form_of(kinds, integration)
        held = await _held(vault.credentials.secrets(integration_id))
    entered = read_entered(kind, values, Entered(integration.settings, held))
    await kinds.check(kind.name, entered)
    async with open_vault(viewer) as vault:
        await vault.integrations.configure(integration_id, entered.settings)
        await vault.credentials.save_secrets(integration_id, Secrets(entered.secrets))
        await vault.audit.record("integration.configured", integration.name)
    return integration


async def _held(reading: Awaitable[Secrets]) -> dict[str, str]:
    """Secrets that cannot be opened any more are entered anew."""
    try:
        return (await reading).values
    except (NotFound, Forbidden):
        return {}


def _named(entered: str) -> str:
    name = " ".join(entered.split())
    if len(name) > MAX_NAME:
        raise Invalid(LOOK, {NAME: f"The name is longer than {MAX_NAME} characters. Shorten it."})
    return name
