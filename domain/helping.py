"""Helping with a sync that another worker leads: its parts are brought in as the leader itself would do it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager

from domain.errors import Conflict
from domain.integrations import Connector
from domain.parsing import Parser
from domain.people import Viewer
from domain.progress import Progress
from domain.sync_parts import LINGER_S, LOOK_S
from domain.sync_steps import Run, Step
from domain.syncing import carry, read_part
from domain.syncs import SyncState
from domain.vault import OpenVault, Tools


async def help_sync(
    sync_id: int, viewer: Viewer, tools: Tools, open_vault: OpenVault
) -> AsyncGenerator[Progress, None]:
    """Work on a sync's parts until none is left for LINGER_S, or other work waits; yield at least once a second.

    Everything is written under the claim of its part. What could not be done is given back, for the leader to do.
    Raises: NotFound, Conflict when the sync has ended or another has taken over, and what the source raises.
    """
    async with open_vault(viewer) as vault:
        sync = await vault.syncs.get(sync_id)
        if sync.state is not SyncState.RUNNING:
            return
        integration = await vault.integrations.get(sync.integration_id)
        parse_settings = await vault.parsing.get()
        judge = None if integration.owner_id is None else await vault.reviews.judge(integration.owner_id)
    connector = tools.connect(integration, viewer, open_vault)
    run = Run(sync, integration, viewer, tools, open_vault, Progress(), judge=judge)
    opening, is_refused = tools.make_parser(parse_settings), False
    try:
        async for _ in carry(run, lambda steps: _read_parts(run, connector, opening, steps)):
            yield run.tally
    except Conflict:
        raise
    except Exception:
        is_refused = True
        raise
    finally:
        if run.held:
            async with open_vault(viewer) as vault:
                await vault.parts.give_back(list(run.held.values()), is_refused=is_refused)


async def _read_parts(
    run: Run, connector: Connector, opening: AbstractAsyncContextManager[Parser], steps: asyncio.Queue[Step | None]
) -> None:
    loop = asyncio.get_running_loop()
    async with opening as parser:
        worked_at = loop.time()
        while loop.time() - worked_at < LINGER_S:
            async with run.open_vault(run.viewer) as vault:
                if await vault.parts.is_other_work_waiting():
                    break
            if await read_part(run, connector, parser, steps):
                worked_at = loop.time()
            else:
                await asyncio.sleep(LOOK_S)
    await steps.put(None)
