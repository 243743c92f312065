"""Names under which documents are shared, and who answers to them."""

import hashlib
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.access import Group
from domain.accounts import join
from domain.documents import LibraryFilter, LibrarySort
from domain.people import Role, Viewer, domain_principal, email_principal, group_principal
from domain.retrieval import search
from domain.search import SearchFilter
from domain.vault import Tools
from infra.store import Stores
from tests import factories


async def shared(stores: Stores, tools: Tools, viewer: Viewer, source: factories.Source, principal: str) -> None:
    """A document that is shared with one principal alone."""
    source.files, source.principals = {"plan.txt": "The plan."}, {"plan.txt": (principal,)}
    await factories.synced(stores, tools, viewer)


async def n_readable(stores: Stores, viewer: Viewer) -> int:
    async with stores.open_vault(viewer) as vault:
        return (await vault.documents.page(LibraryFilter(), LibrarySort.TITLE, "", 10)).total


async def test_an_address_opens_what_is_shared_with_it_once_it_is_proven_and_not_before(
    stores: Stores, tools: Tools, viewer: Viewer, source: factories.Source, engine: AsyncEngine
) -> None:
    colleague = await factories.member(engine, viewer.tenant_id)
    await shared(stores, tools, viewer, source, email_principal(colleague.email))
    assert await n_readable(stores, colleague) == 0
    async with stores.open_vault(viewer) as vault:
        await vault.access.prove(colleague.user_id, colleague.email.upper())
    assert await n_readable(stores, colleague) == 1
    assert await n_readable(stores, viewer) == 0


@pytest.mark.parametrize(("domain", "n_seen"), [("Tidewater.example", 1), ("elsewhere.example", 0)])
async def test_a_domain_stands_for_everyone_with_a_proven_address_in_it(
    stores: Stores,
    tools: Tools,
    viewer: Viewer,
    source: factories.Source,
    engine: AsyncEngine,
    domain: str,
    n_seen: int,
) -> None:
    colleague = await factories.member(engine, viewer.tenant_id)
    await shared(stores, tools, viewer, source, domain_principal(domain))
    assert await n_readable(stores, colleague) == 0
    async with stores.open_vault(viewer) as vault:
        await vault.access.prove(colleague.user_id, "ana@tidewater.example")
    assert await n_readable(stores, colleague) == n_seen


async def n_found(stores: Stores, tools: Tools, viewer: Viewer) -> int:
    async with stores.open_vault(viewer) as vault:
        return (await search(vault, tools, "plan", SearchFilter())).n_documents


async def test_a_change_of_a_group_is_in_force_from_the_next_search_on(
    stores: Stores, tools: Tools, viewer: Viewer, source: factories.Source, engine: AsyncEngine
) -> None:
    colleague = await factories.member(engine, viewer.tenant_id)
    folder = await factories.integration(stores, viewer)
    band, ana = group_principal(folder.id, "band"), email_principal("ana@tidewater.example")
    await shared(stores, tools, viewer, source, band)
    async with stores.open_vault(viewer) as vault:
        await vault.access.prove(colleague.user_id, "ana@tidewater.example")
    assert await n_found(stores, tools, colleague) == 0
    for members, n_expected in (((ana,), 1), ((), 0)):
        async with stores.open_vault(viewer) as vault:
            await vault.access.replace_groups(folder.id, [Group(band, "the band", members)])
        assert await n_found(stores, tools, colleague) == n_expected


async def test_taking_an_invitation_proves_the_address_it_went_to_in_that_vault_alone(
    stores: Stores, tools: Tools, viewer: Viewer, source: factories.Source, engine: AsyncEngine
) -> None:
    newcomer, token_hash = await factories.member(engine), hashlib.sha256(viewer.email.encode()).digest()
    await shared(stores, tools, viewer, source, email_principal("new@tidewater.example"))
    async with stores.open_vault(viewer) as vault:
        expires_at = tools.now() + timedelta(days=1)
        await vault.members.invite("New@tidewater.example", Role.MEMBER, token_hash, expires_at)
    async with stores.open_lobby() as lobby:
        await join(lobby, token_hash, newcomer.user_id, tools.now())
        here = await lobby.viewer(viewer.tenant_id, newcomer.user_id)
    assert await n_readable(stores, here) == 1
    await shared(stores, tools, newcomer, source, email_principal("new@tidewater.example"))
    assert await n_readable(stores, newcomer) == 0
