"""Who may change how an integration is read: admins for shared ones, the owner for their own."""

from domain.connecting import require_manager
from domain.integrations import Integration
from domain.vault import Vault


async def managed(vault: Vault, integration_id: int) -> Integration:
    """Return an integration that the viewer may manage. Raises: NotFound, Forbidden."""
    integration = await vault.integrations.get(integration_id)
    require_manager(vault.viewer, integration)
    return integration
