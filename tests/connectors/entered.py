"""Sources that are connected by a form, and what all of them must do: after every sync the vault equals the source."""

import random
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from typing import Protocol

import httpx
import msgspec
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


class Synced(Protocol):
    """An integration with what its source was asked since the last sync began."""

    stores: Stores
    viewer: Viewer
    tools: Tools
    integration: Integration
    asked: list[str]

    async def sync(self) -> Sync:
        """Request a sync and carry it to its end."""

    async def texts(self) -> dict[str, str]:
        """What a member finds, text by external id."""


@dataclass
class Notes:
    """What is written at a source, each note with a number of its own, and changed at random."""

    peer: Peer
    dice: random.Random = field(default_factory=lambda: random.Random(4))
    written: dict[str, int] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(1000))

    async def write(self, name: str) -> None:
        self.written[name] = next(self.numbers)
        await self.peer.write(name, f"A note that holds saying {self.written[name]} and nothing else.")

    async def delete(self, name: str) -> None:
        del self.written[name]
        await self.peer.delete(name)

    async def change(self, number: int, ways: Sequence[str]) -> str:
        """Add, rewrite or delete one; return its name."""
        what = self.dice.choice(ways)
        name = f"later-{number}.md" if what == "add" else self.dice.choice(sorted(self.written))
        await (self.delete(name) if what == "delete" else self.write(name))
        return name


class Figures(msgspec.Struct, frozen=True):
    """What the sync after the changes took."""

    n_changed: int
    n_asked: int
    n_embedded: int
    n_asked_idle: int
    """Of a sync that finds nothing changed."""


async def check_mirror(
    source: Synced,
    peer: Peer,
    *,
    allowance: int,
    n_items: int = 14,
    n_changes: int = 12,
    ways: Sequence[str] = ("write", "delete", "add"),
) -> Figures:
    """Fill the source, then change it at random: the vault equals it, for no more requests than changes and a few."""
    notes = Notes(peer)
    for number in range(n_items):
        await notes.write(f"note-{number}.md")
    first = await source.sync()
    assert (first.state, first.progress.failed, first.reason) == (SyncState.SUCCEEDED, 0, "")
    await check_equal(source, notes.written)
    changed = {await notes.change(number, ways) for number in range(n_changes)}
    await may_delete(source)
    second = await source.sync()
    assert (second.state, second.progress.failed, second.reason) == (SyncState.SUCCEEDED, 0, "")
    await check_equal(source, notes.written)
    n_asked = len(source.asked)
    assert n_asked <= len(changed) + allowance, source.asked
    assert second.progress.n_embedded <= len(changed)
    third = await source.sync()
    assert (third.progress.indexed, third.progress.deleted, third.progress.n_embedded) == (0, 0, 0)
    assert len(source.asked) <= allowance, source.asked
    return Figures(len(changed), n_asked, second.progress.n_embedded, len(source.asked))


async def may_delete(source: Synced) -> None:
    """Let the next sync delete as much as is gone: so much at once would be asked about."""
    async with source.stores.open_vault(source.viewer) as vault:
        await vault.deletions.allow(source.integration.id, None)


async def check_equal(source: Synced, written: Mapping[str, int]) -> None:
    """The vault says what the source says, each thing once."""
    said = sorted(each for text in (await source.texts()).values() for each in set(SAID.findall(text)))
    assert said == sorted(f"saying {number}" for number in written.values())
