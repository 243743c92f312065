"""The audit trail: lines are added and read, page by page."""

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.people import Viewer, system_viewer
from infra.database import tenant_transaction
from infra.store.audit import AuditStore
from tests import factories


async def test_the_trail_is_read_newest_first_page_by_page(engine: AsyncEngine, viewer: Viewer) -> None:
    async with tenant_transaction(engine, viewer.tenant_id) as connection:
        trail = AuditStore(connection, viewer)
        for number in range(5):
            await trail.record("document.deleted", f"Minutes {number}\0")
        first = await trail.page(None, 3)
        second = await trail.page(first[-1].id, 3)
    assert [event.subject for event in first + second] == [f"Minutes {number}" for number in (4, 3, 2, 1, 0)]
    assert {(event.actor, event.action) for event in first} == {("Ada Byron", "document.deleted")}


async def test_what_the_product_does_itself_bears_its_name(engine: AsyncEngine, viewer: Viewer) -> None:
    async with tenant_transaction(engine, viewer.tenant_id) as connection:
        trail = AuditStore(connection, system_viewer(viewer.tenant_id))
        await trail.record("sync.finished", "Handbook")
        assert [event.actor for event in await trail.page(10**30, 3)] == ["KnowledgeVault"]


async def test_nobody_reads_the_trail_of_another_tenant(engine: AsyncEngine, viewer: Viewer) -> None:
    stranger = await factories.member(engine)
    async with tenant_transaction(engine, viewer.tenant_id) as connection:
        await AuditStore(connection, viewer).record("document.deleted", "Minutes")
    async with tenant_transaction(engine, stranger.tenant_id) as connection:
        assert await AuditStore(connection, stranger).page(None, 10) == []
