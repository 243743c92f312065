"""The end of a sync: what is gone at the source leaves the vault, unless that would be too much to do unasked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from domain.deletions import TooManyDeletions, is_held, question
from domain.integrations import Connector
from domain.privacy import if_shared
from domain.progress import Stage
from domain.sync_steps import Run
from domain.trails import ItemStage, Reached
from domain.vault import Vault

DELETION_BATCH = 500
LINES_AHEAD = 100
"""Lines are written when so many have come together; else with a page's end, or once a second."""


async def clean(run: Run, connector: Connector) -> AsyncIterator[None]:
    """Delete what the source no longer has, and bring word weights up to date.

    Raises: TooManyDeletions, before anything is deleted, when a person has to be asked first.
    """
    run.note(stage=Stage.CLEANING, current="")
    yield
    await _ask_first(run, connector)
    while True:
        async with owned(run) as vault:
            deleted = await vault.deletions.carry_out(run.integration.id, DELETION_BATCH)
            run.count(deleted=len(deleted))
            await vault.syncs.check_point(run.sync.id, run.sync.attempt, run.progress)
        run.trace(*(Reached(external_id, "", ItemStage.DELETED) for external_id in deleted))
        yield
        if not deleted:
            break
    is_unsettled = True
    while is_unsettled:
        async with run.open_vault(run.viewer) as vault:
            is_unsettled = await vault.documents.settle()
        yield
    async with owned(run) as vault:
        await vault.deletions.settle(run.integration.id)


async def _ask_first(run: Run, connector: Connector) -> None:
    async with owned(run) as vault:
        if connector.is_snapshot:
            await vault.deletions.mark_unseen(run.integration.id, run.sync.id)
        standing = await vault.deletions.standing(run.integration.id, run.sync.id)
        held = is_held(standing, await vault.deletions.guard(run.integration.id))
        if held:
            await vault.deletions.ask(run.integration.id, run.sync.id, standing)
    if held:
        raise TooManyDeletions(question(standing))


async def write_lines(run: Run, at_least: int = 1) -> None:
    """Write the lines that have come together, in a transaction of their own, unless they are fewer than asked."""
    if len(run.lines) < at_least:
        return
    async with owned(run) as vault:
        await vault.trails.write(run.sync.id, run.take_lines())


async def trim_lines(run: Run) -> None:
    """Write the last lines, and forget those that are too many or too old."""
    async with owned(run) as vault:
        await vault.trails.write(run.sync.id, run.take_lines())
        await vault.trails.trim(run.integration.id)


@asynccontextmanager
async def owned(run: Run) -> AsyncIterator[Vault]:
    """Open a transaction in which nobody can take over what is being written for: the sync, or a part of it."""
    async with run.open_vault(run.viewer) as vault:
        if run.part:
            await vault.parts.hold(run.part)
        else:
            await vault.syncs.hold(run.sync.id, run.sync.attempt)
        yield vault


async def end_part(run: Run) -> None:
    """Mark the part that is being stored as done, in one transaction with what was put off."""
    part = run.part
    assert part is not None  # noqa: S101  # a part's end follows its start
    async with owned(run) as vault:
        await write_put_off(run, vault)
        await vault.parts.finish(part, run.tally)
    run.unchanged, run.succeeded = [], []
    run.end_part()


async def write_put_off(run: Run, vault: Vault) -> None:
    """Write what was met unchanged, what succeeded, and how far items have come."""
    if run.unchanged:
        await vault.documents.keep(run.sync.id, [each.kept for each in run.unchanged])
        await open_what_is_shared(run, vault)
    if run.succeeded:
        await vault.syncs.clear_failures(run.integration.id, run.succeeded)
    await vault.trails.write(run.sync.id, run.take_lines())


async def open_what_is_shared(run: Run, vault: Vault) -> None:
    """What the owner has shared at the source since it was read is theirs alone no longer."""
    for each in run.unchanged if run.judge else ():
        if run.judge and each.kept.principals and (verdict := if_shared(each.kept.principals, run.judge.circle)):
            await vault.reviews.put(each.kept.document_id, run.judge.owner_id, verdict, None)
