"""What is entered takes the place of a consent: the integration keeps its index, the consent ends at the provider.

The other way around is a consent like any other, begun with the integration it is for (`domain.oauth`).
"""

from collections.abc import Mapping

import msgspec

from domain.connecting import is_by_consent, require_manager
from domain.credentials import Secrets
from domain.errors import NotFound
from domain.integrations import Integration
from domain.kinds import Entered, Kinds, read_entered
from domain.oauth import end_access, held_grant, providers_of
from domain.people import Viewer
from domain.same_source import form_for, require_same_source, settings_by_form
from domain.vault import OpenVault, Tools

NOT_BY_CONSENT = "There is no consent here to take the place of. Change its access instead."


def may_switch(kinds: Kinds, integration: Integration) -> bool:
    """Whether an integration that has a consent could be read by what is entered in a form as well."""
    kind = kinds.described(integration.kind)
    return is_by_consent(kind, integration) and bool(form_for(kinds, kind).fields)


async def enter_instead(
    tools: Tools, integration_id: int, values: Mapping[str, str], viewer: Viewer, open_vault: OpenVault
) -> str:
    """Keep what was entered in place of a consent, tried first; return what is left for a person to end, or "".

    What is indexed stays, and so does the cursor. Raises: NotFound, Invalid, Forbidden, Conflict, Unavailable.
    """
    async with open_vault(viewer) as vault:
        integration = await vault.integrations.get(integration_id)
        require_manager(viewer, integration)
        if not may_switch(tools.kinds, integration):
            raise NotFound(NOT_BY_CONSENT)
        provider = (await providers_of(tools.oauth, vault)).get(integration.kind)
        grant = await held_grant(vault, integration_id)
    kind = form_for(tools.kinds, tools.kinds.described(integration.kind))
    entered = read_entered(kind, values, Entered(settings_by_form(kind, integration.settings), {}))
    await tools.kinds.check(kind.name, entered)
    read_so = msgspec.structs.replace(integration, kind=kind.name, settings=entered.settings)
    await require_same_source(tools.trial, read_so, entered, viewer, open_vault)
    settings = {**entered.settings, "connected_by": str(viewer.user_id)}
    async with open_vault(viewer) as vault:
        await vault.integrations.become(integration_id, kind.name)
        await vault.integrations.configure(integration_id, settings)
        await vault.credentials.save_secrets(integration_id, Secrets(entered.secrets))
        await vault.audit.record("integration.reconnected", integration.name)
    return await end_access(provider, grant)
