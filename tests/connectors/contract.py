"""What every connector keeps: after any changes at the source the vault equals it, at their price."""

import random
from dataclasses import dataclass
from typing import Protocol

from domain.syncs import Sync, SyncState
from tests.connectors.vaulted import Vaulted

SUBJECTS = ("backups", "the archive", "the gateway", "releases", "the budget", "on-call", "travel", "a customer")


class Peer(Protocol):
    """A source as its people change it. `expected` is what stands there, a text that is in each item by external id."""

    expected: dict[str, str]
    constant: int
    """Requests of a sync that finds nothing changed, at most."""

    async def add(self, text: str) -> None:
        """Add an item."""

    async def edit(self, external_id: str, text: str) -> None:
        """Change an item; where the source knows no editing, put another in its place."""

    async def delete(self, external_id: str) -> None:
        """Delete an item."""


@dataclass
class Sentences:
    """Texts that are all different, the same for the same seed."""

    chance: random.Random
    n_made: int = 0

    def next(self) -> str:
        self.n_made += 1
        subject = self.chance.choice(SUBJECTS)
        return f"Decision {self.n_made:04} on {subject}: we keep it for {self.chance.randrange(2, 900)} days."


async def keeps_its_contract(vaulted: Vaulted, peer: Peer, n_items: int, n_edits: int, seed: int = 20) -> None:
    """Sync in full, change the source at random, sync again, and compare."""
    chance = random.Random(seed)
    sentences = Sentences(chance)
    for _ in range(n_items):
        await peer.add(sentences.next())
    succeeded(await vaulted.sync())
    await equals(vaulted, peer)
    idle = succeeded(await vaulted.sync())
    assert idle.progress.n_embedded == 0
    assert len(vaulted.asked) <= peer.constant, vaulted.asked
    n_texts = 0
    for _ in range(n_edits):
        what = chance.choice(("add", "edit", "delete"))
        there = sorted(peer.expected)
        if what == "delete" and len(there) > 2:
            await peer.delete(chance.choice(there))
        elif what == "edit":
            await peer.edit(chance.choice(there), sentences.next())
            n_texts += 1
        else:
            await peer.add(sentences.next())
            n_texts += 1
    async with vaulted.stores.open_vault(vaulted.viewer) as vault:
        await vault.deletions.allow(vaulted.integration.id, None)  # so many at once would be asked about
    again = succeeded(await vaulted.sync())
    await equals(vaulted, peer)
    assert len(vaulted.asked) <= n_edits + peer.constant, vaulted.asked
    assert again.progress.n_embedded <= n_texts


def succeeded(sync: Sync) -> Sync:
    """Return a sync that reached its end without a failure."""
    assert (sync.state, sync.reason, sync.progress.failed) == (SyncState.SUCCEEDED, "", 0)
    return sync


async def equals(vaulted: Vaulted, peer: Peer) -> None:
    """Compare the vault with the source, item by item."""
    texts = await vaulted.texts()
    assert set(texts) == set(peer.expected)
    assert {name for name, text in peer.expected.items() if text not in texts[name]} == set()
