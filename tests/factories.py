"""Makers of what tests need, straight into the database, each call something new."""

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.documents import Document, LibraryFilter, LibrarySort
from domain.errors import NotFound, Unavailable
from domain.integrations import Entry, Gone, Integration, IntegrationKind, Item, Page, Unreadable
from domain.people import EVERYONE, Role, Viewer, system_viewer
from domain.studying import study
from domain.syncs import Sync, Trigger
from domain.vault import Tools, Vault
from infra.database import lobby_transaction
from infra.store import Stores
from infra.worker import run_sync


async def tenant(engine: AsyncEngine, name: str = "Tidewater") -> int:
    """A new, empty tenant."""
    async with lobby_transaction(engine) as connection:
        return (
            await connection.execute(
                sa.text("insert into tenants (name, slug) values (:name, :slug) returning id"),
                {"name": name, "slug": f"t-{uuid.uuid4().hex[:12]}"},
            )
        ).scalar_one()


async def member(
    engine: AsyncEngine, tenant_id: int | None = None, role: Role = Role.MEMBER, name: str = "Ada Byron"
) -> Viewer:
    """A new user, member of the tenant, or of a new one."""
    tenant_id = tenant_id or await tenant(engine)
    email = f"{uuid.uuid4().hex[:12]}@tidewater.example"
    async with lobby_transaction(engine) as connection:
        user_id = (
            await connection.execute(
                sa.text("insert into users (email, name, password_hash) values (:email, :name, '') returning id"),
                {"email": email, "name": name},
            )
        ).scalar_one()
        await connection.execute(
            sa.text("insert into memberships (tenant_id, user_id, role) values (:tenant, :user, :role)"),
            {"tenant": tenant_id, "user": user_id, "role": role},
        )
    return Viewer(tenant_id=tenant_id, user_id=user_id, role=role, name=name, email=email, tenant_name="Tidewater")


@dataclass
class Source:
    """A source in memory. `files` is what stands there now, by external id; a cursor is a place in `log`."""

    files: dict[str, str | bytes] = field(default_factory=dict)
    principals: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    log: list[Entry] = field(default_factory=list)
    is_snapshot: bool = True
    page_size: int = 3
    n_fetched: int = 0
    breaks_after: int | None = None
    """Pages after which the source goes away, once."""
    hangs_after: int | None = None
    """Pages after which the source stays silent."""
    circles_through: tuple[Entry, ...] | None = None
    """What it lists over and over again, without an end."""

    async def pages(self, cursor: str) -> AsyncIterator[Page]:
        entries = [self.item(name) for name in self.files] if self.is_snapshot else self.log[int(cursor or 0) :]
        start = 0 if self.is_snapshot else int(cursor or 0)
        while self.circles_through is not None:
            yield Page(self.circles_through, cursor or "0")
        for number, at in enumerate(range(0, len(entries), self.page_size)):
            if number == self.hangs_after:
                await asyncio.get_running_loop().create_future()
            if number == self.breaks_after:
                self.breaks_after = None
                raise Unavailable("The source does not answer. Try again later.")
            page = entries[at : at + self.page_size]
            yield Page(tuple(page), str(start + at + len(page)), total=len(entries))

    async def again(self, external_ids: Sequence[str]) -> AsyncIterator[Page]:
        yield Page(tuple(self.item(name) if name in self.files else Gone(name) for name in external_ids), "")

    def item(self, name: str) -> Item:
        """The item as the source lists it now."""
        revision = hashlib.sha256(_bytes(self.files[name])).hexdigest()[:16]
        return Item(name, name, revision, self.sizes.get(name), principals=self.principals.get(name, (EVERYONE,)))

    async def fetch(self, item: Item) -> bytes:
        self.n_fetched += 1
        if item.external_id not in self.files:
            raise NotFound("The file is gone.")
        return _bytes(self.files[item.external_id])

    def unreadable(self, name: str, reason: str) -> Unreadable:
        """An item nobody can read."""
        return Unreadable(name, name, reason)


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


async def integration(stores: Stores, viewer: Viewer, name: str = "Files") -> Integration:
    """The viewer's tenant's folder of this name."""
    async with stores.open_vault(viewer) as vault:
        held = await vault.integrations.find(IntegrationKind.FOLDER, name)
        return held or await vault.integrations.add(IntegrationKind.FOLDER, name, {}, None)


async def synced(stores: Stores, tools: Tools, viewer: Viewer, name: str = "Files") -> Sync:
    """A sync of the folder, carried to its end."""
    folder = await integration(stores, viewer, name)
    async with stores.open_vault(viewer) as vault:
        sync = await vault.syncs.request(folder.id, Trigger.IMPORT)
    finished = await run_sync(stores.open_vault, tools, system_viewer(viewer.tenant_id), sync.id)
    assert finished is not None
    return finished


async def studied(stores: Stores, tools: Tools, viewer: Viewer, name: str = "Files") -> Sync:
    """A sync of the folder, after which what it stored was read for names and gaps."""
    finished = await synced(stores, tools, viewer, name)
    await study(stores.open_vault, system_viewer(viewer.tenant_id), tools)
    return finished


async def library(vault: Vault) -> tuple[Document, ...]:
    """The first hundred documents that the viewer may read, by title; ids depend on what other tests have made."""
    return (await vault.documents.page(LibraryFilter(), LibrarySort.TITLE, "", 100)).documents
