"""The demo vault: a fictional company's documents, and the people who may sign in to look at them."""

from pathlib import Path

import msgspec

from domain.integrations import IntegrationKind
from domain.people import Role, system_viewer, user_principal
from domain.syncs import Sync, SyncState, Trigger
from domain.vault import OpenLobby, OpenVault, Passwords

FOLDER = Path(__file__).parent / "demo"
TENANT_NAME = "Tundrel Instruments"
TENANT_SLUG = "tundrel"
FOLDER_NAME = "Company files"


class DemoUser(msgspec.Struct, frozen=True):
    """Someone who may sign in to the demo vault."""

    name: str
    email: str
    role: Role


ADMIN = DemoUser("Marit Oosterhuis", "marit@tundrel.example", Role.ADMIN)
MEMBER = DemoUser("Tomasz Wróbel", "tomasz@tundrel.example", Role.MEMBER)
PASSWORD = "cold-chain-demo"  # noqa: S105  # shown on the sign-in page of demo machines, and only there


async def plant(open_lobby: OpenLobby, open_vault: OpenVault, passwords: Passwords) -> tuple[int, Sync | None]:
    """Make the demo tenant with its people and its folder, once; return its id and the sync that is to be run.

    The sync is None when the documents stand already.
    """
    tenant_id, admin_id = await _plant_people(open_lobby, passwords)
    async with open_vault(system_viewer(tenant_id)) as vault:
        folder = await vault.integrations.find(IntegrationKind.FOLDER, FOLDER_NAME)
        if folder is None:
            settings = {"path": str(FOLDER), "admin": user_principal(admin_id)}
            folder = await vault.integrations.add(IntegrationKind.FOLDER, FOLDER_NAME, settings, None)
        latest = (await vault.syncs.latest()).get(folder.id)
        if latest is not None and latest.state is SyncState.SUCCEEDED:
            return tenant_id, None
        return tenant_id, await vault.syncs.request(folder.id, Trigger.IMPORT)


async def _plant_people(open_lobby: OpenLobby, passwords: Passwords) -> tuple[int, int]:
    """Return the tenant's id and its admin's."""
    async with open_lobby() as lobby:
        tenant = await lobby.tenant_by_slug(TENANT_SLUG)
        admin = await lobby.user_by_email(ADMIN.email)
        if tenant is not None and admin is not None:
            return tenant.id, admin.id
        tenant = await lobby.add_tenant(TENANT_NAME, TENANT_SLUG)
        password_hash = await passwords.hash(PASSWORD)
        ids = []
        for person in (ADMIN, MEMBER):
            user = await lobby.add_user(person.email, person.name, password_hash)
            await lobby.add_membership(tenant.id, user.id, person.role)
            ids.append(user.id)
        return tenant.id, ids[0]
