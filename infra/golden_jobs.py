"""The jobs of golden questions: a run, and the look, when a worker starts, for vaults whose settings have changed."""

import structlog
from procrastinate import App, JobContext, RetryStrategy
from sqlalchemy.exc import SQLAlchemyError

from domain.errors import VaultError
from domain.golden import RunState
from domain.golden_runs import carry_out, request_after_change, request_after_sync
from domain.people import Viewer, system_viewer
from domain.syncs import Sync
from domain.vault import OpenLobby, OpenVault, Tools
from infra.queue import GOLDEN_TASK

RETRIES = RetryStrategy(max_attempts=5, wait=10)
BROKEN_OFF = "The run broke off. Start another one; if that fails too, look at the worker's log."

log = structlog.get_logger(__name__)


def register_golden_runs(queue: App, open_vault: OpenVault, tools: Tools) -> None:
    """Let this worker carry out runs."""

    @queue.task(name=GOLDEN_TASK, pass_context=True, retry=RETRIES)
    async def golden_run(context: JobContext, tenant_id: int, run_id: int) -> None:
        with structlog.contextvars.bound_contextvars(job=context.job.id, tenant=tenant_id, run=run_id):
            is_last = context.job.attempts + 1 >= (RETRIES.max_attempts or 1)
            await run_golden(open_vault, tools, tenant_id, run_id, is_last_attempt=is_last)


async def run_golden(
    open_vault: OpenVault, tools: Tools, tenant_id: int, run_id: int, *, is_last_attempt: bool = True
) -> None:
    """Carry a run to its end; on the last attempt a failure ends it too, with words for the page."""
    try:
        await carry_out(open_vault, tools, tenant_id, run_id)
    except Exception as error:
        if is_last_attempt:
            reason = error.message if isinstance(error, VaultError) else BROKEN_OFF
            async with open_vault(system_viewer(tenant_id)) as vault:
                await vault.golden.finish(run_id, RunState.FAILED, reason)
        log.warning("golden_run_failed", reason=str(error), is_last_attempt=is_last_attempt)
        raise


async def look_for_changes(open_lobby: OpenLobby, open_vault: OpenVault, tools: Tools) -> None:
    """Queue a run for each vault whose last one was made with other settings; harmless in several workers at once.

    A worker that cannot reach Postgres yet starts all the same; the next one that starts looks again.
    """
    try:
        async with open_lobby() as lobby:
            tenant_ids = await lobby.tenant_ids()
        for tenant_id in tenant_ids:
            await request_after_change(open_vault, tools, system_viewer(tenant_id))
    except (SQLAlchemyError, OSError) as error:
        log.warning("settings_not_compared", reason=str(error))


async def after_sync(open_vault: OpenVault, tools: Tools, viewer: Viewer, sync: Sync) -> None:
    """Queue a run after a large sync; whatever goes wrong with that is no fault of the sync."""
    try:
        await request_after_sync(open_vault, tools, viewer, sync)
    except VaultError as error:
        log.warning("golden_run_not_requested", reason=error.message)
