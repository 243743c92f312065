"""Who may change how an integration is read: admins for shared ones, the owner for their own."""

from domain.errors import Forbidden
from domain.integrations import Integration
from domain.people import Viewer
from domain.vault import Vault


def may_manage(viewer: Viewer, integration: Integration) -> bool:
    """Whether this viewer decides about this integration."""
    return integration.owner_id == viewer.user_id if integration.owner_id is not None else viewer.is_admin


async def managed(vault: Vault, integration_id: int) -> Integration:
    """Return an integration that the viewer may manage. Raises: NotFound, Forbidden."""
    integration = await vault.integrations.get(integration_id)
    if not may_manage(vault.viewer, integration):
        raise Forbidden("Only an admin of this vault may change this. Ask one of them, they are listed under People.")
    return integration
