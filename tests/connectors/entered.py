"""Sources that are connected by a form, and what all of them must do: after every sync the vault equals the source."""

import random
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

import httpx
import pytest

from domain.connecting import change_access, connect
from domain.documents import LibraryFilter, LibrarySort
from domain.integrations import Integration
from domain.people import Viewer, system_viewer
from domain.syncs import Failure, Sync, SyncState, Trigger
from domain.vault import Tools
from infra.connectors import Connectors
from infra.connectors.addresses import open_outside
from infra.connectors.providers import open_client
from infra.store import Stores
from infra.worker import run_sync

SAID = re.compile(r"saying \d+")
AMOUNTS = pytest.mark.parametrize(
    ("n_items", "n_changes"),
    [
        pytest.param(14, 12, id="a dozen changes"),
        pytest.param(60, 100, id="a hundred changes", marks=[pytest.mark.long, pytest.mark.timeout(900)]),
    ],
)
"""How much stands at a source, and how much changes."""


class Peer(Protocol):
    """A source as its owner changes it."""

    async def write(self, name: str, text: str) -> None:
        """Write a document, or write it anew."""

    async def delete(self, name: str) -> None:
        """Delete one."""


@dataclass
class Entered:
    """An integration that was connected by a form, and the means to sync it."""

    stores: Stores
    viewer: Viewer
    tools: Tools
    integration: Integration
    asked: list[str] = field(default_factory=list)
    """The requests since the last sync began, by method and address."""

    async def sync(self) -> Sync:
        self.asked.clear()
        async with self.stores.open_vault(self.viewer) as vault:
            sync = await vault.syncs.request(self.integration.id, Trigger.PERSON)
        done = await run_sync(self.stores.open_vault, self.tools, system_viewer(self.viewer.tenant_id), sync.id)
        assert done is not None
        return done

    async def change(self, **values: str) -> None:
        held = self.integration.settings | values
        await change_access(self.tools.kinds, self.integration.id, held, self.viewer, self.stores.open_vault)

    async def texts(self, viewer: Viewer | None = None) -> dict[str, str]:
        """What a member finds, text by external id."""
        async with self.stores.open_vault(viewer or self.viewer) as vault:
            page = await vault.documents.page(LibraryFilter(), LibrarySort.TITLE, "", 1000)
            return {each.external_id: (await vault.documents.version(each.id)).text for each in page.documents}

    async def failures(self) -> list[Failure]:
        async with self.stores.open_vault(self.viewer) as vault:
            return await vault.syncs.failures(self.integration.id, 0, 100)


@asynccontextmanager
async def entered(
    stores: Stores, tools: Tools, viewer: Viewer, kind: str, values: Mapping[str, str], allowed: str = "127.0.0.1"
) -> AsyncIterator[Entered]:
    """Fill a kind's form in, which is tried at the source; servers of the tests are allowed by name."""
    async with open_client() as client, open_outside([allowed]) as outside:
        connectors = Connectors(client, None, {}, lambda: datetime.now(UTC), outside=outside)
        tools = replace(tools, connect=connectors.connect, kinds=connectors.kinds)
        asked: list[str] = []

        async def note(request: httpx.Request) -> None:
            asked.append(f"{request.method} {request.url}")

        outside.client.event_hooks["request"].append(note)
        form = tools.kinds.with_form(kind)
        defaults = {each.name: each.default for each in form.fields}
        integration, _ = await connect(tools.kinds, form, defaults | dict(values), viewer, stores.open_vault)
        yield Entered(stores, viewer, tools, integration, asked)


async def check_mirror(source: Entered, peer: Peer, *, allowance: int, n_items: int = 14, n_changes: int = 12) -> None:
    """Fill the source, then change it at random: the vault equals it, for no more requests than changes and a few."""
    dice, written = random.Random(4), dict[str, int]()
    numbers = iter(range(1000, 10_000))

    async def write(name: str) -> None:
        written[name] = next(numbers)
        await peer.write(name, f"A note that holds saying {written[name]} and nothing else.")

    for number in range(n_items):
        await write(f"note-{number}.md")
    first = await source.sync()
    assert (first.state, first.progress.failed, first.reason) == (SyncState.SUCCEEDED, 0, "")
    await check_equal(source, written)
    changed = set[str]()
    for number in range(n_changes):
        what = dice.choice(("write", "delete", "add"))
        name = f"later-{number}.md" if what == "add" else dice.choice(sorted(written))
        changed.add(name)
        if what == "delete":
            del written[name]
            await peer.delete(name)
        else:
            await write(name)
    async with source.stores.open_vault(source.viewer) as vault:
        await vault.deletions.allow(source.integration.id, None)  # so many at once would be asked about
    second = await source.sync()
    assert (second.state, second.progress.failed, second.reason) == (SyncState.SUCCEEDED, 0, "")
    await check_equal(source, written)
    assert len(source.asked) <= len(changed) + allowance, source.asked
    assert second.progress.n_embedded <= len(changed)
    third = await source.sync()
    assert (third.progress.indexed, third.progress.deleted, third.progress.n_embedded) == (0, 0, 0)
    assert len(source.asked) <= allowance, source.asked


async def check_equal(source: Entered, written: Mapping[str, int]) -> None:
    """The vault says what the source says, each thing once."""
    said = sorted(each for text in (await source.texts()).values() for each in set(SAID.findall(text)))
    assert said == sorted(f"saying {number}" for number in written.values())
