"""The members of a vault."""

from litestar import get

from domain.people import Member
from domain.vault import Vault
from web.api.requests import Items, page_of, problems


@get("/members", tags=["People"], operation_id="listMembers", summary="List the members", responses=problems())
async def index(vault: Vault) -> Items[Member]:
    """Return all members of the vault, by name."""
    return page_of(await vault.members.all())


routes = [index]
