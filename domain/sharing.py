"""How the leader of a sync shares its items with other workers, and how every worker keeps up with the parts."""

import asyncio
from collections.abc import Mapping

from domain.documents import Known
from domain.integrations import Item, Page
from domain.item_limits import refusal
from domain.scope import left_out
from domain.sync_parts import ALONE, CALL_S, LOOK_S, PartState, split
from domain.sync_steps import Run


def touches_parts(run: Run, page: Page) -> bool:
    """Whether a page speaks of items that lie in a part that is not done: their order is to be kept."""
    if not run.is_shared or run.sharing is None:
        return False
    met = {entry.external_id for entry in page.entries}
    return any(not met.isdisjoint(external_ids) for external_ids in run.sharing.external_ids.values())


async def share(run: Run, page: Page, known: Mapping[str, Known]) -> frozenset[str]:
    """Write parts of a page's items that must be fetched, for any worker to take; return their external ids.

    Nothing is shared before ALONE items were met, nor while there is no other worker.
    """
    sharing = run.sharing
    if sharing is None:
        return frozenset()
    items = [each for each in page.entries if isinstance(each, Item) and _must_be_fetched(run, each, known)]
    n_own = max(0, min(len(items), ALONE - sharing.n_fetched))
    sharing.n_fetched += len(items)
    external_ids = {each.external_id for each in page.entries}
    if len(items) == n_own or len(external_ids) < len(page.entries):
        return frozenset()
    parts = split(items[n_own:])
    async with run.open_vault(run.viewer) as vault:
        if await vault.parts.n_workers() < 2:  # ourselves, and one who could help
            return frozenset()
        await vault.syncs.hold(run.sync.id, run.sync.attempt)
        await vault.parts.add(run.sync.id, run.sync.attempt, sharing.last + 1, parts)
    for ordinal, part in enumerate(parts, sharing.last + 1):
        sharing.external_ids[ordinal] = frozenset(item.external_id for item in part)
        sharing.note([PartState(ordinal)])
    sharing.last += len(parts)
    return frozenset(item.external_id for part in parts for item in part)


def _must_be_fetched(run: Run, item: Item, known: Mapping[str, Known]) -> bool:
    held = known.get(item.external_id)
    is_same = held is not None and item.revision != "" and item.revision == held.revision
    scope = run.scope
    return not (is_same or refusal(item) or (not scope.is_everything and left_out(item, scope)))


async def keep_up(run: Run) -> None:
    """Every LOOK_S, say that this worker is alive; the leader also sees how its parts stand, and calls for help.

    Raises: Conflict when a part that is held here was lost.
    """
    now = asyncio.get_running_loop().time()
    if not run.is_shared or now - run.looked_at < LOOK_S:
        return
    run.looked_at = now
    sharing = run.sharing
    async with run.open_vault(run.viewer) as vault:
        if run.held:
            await vault.parts.beat(list(run.held.values()), run.part, run.tally)
        if sharing is None:
            return
        sharing.note(await vault.parts.states(run.sync.id))
        if sharing.n_waiting and now - sharing.called_at >= CALL_S:
            sharing.called_at = now
            n_others = await vault.parts.n_workers() - 1
            await vault.parts.call(run.sync.id, min(sharing.n_helpers, n_others))
