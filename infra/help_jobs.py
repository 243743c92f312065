"""The job by which a worker helps with a sync that another one leads."""

from collections.abc import Set
from contextlib import aclosing

import structlog
from procrastinate import App, JobContext
from procrastinate.exceptions import ConnectorException
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from domain.errors import Conflict, NotFound
from domain.helping import help_sync
from domain.people import Viewer, system_viewer
from domain.vault import OpenVault, Tools
from infra.queue import HELP, HELP_TASK

log = structlog.get_logger(__name__)


def register_help(queue: App, open_vault: OpenVault, tools: Tools, busy: Set[int]) -> None:
    """Register the job; a process that works on a sync already has no help to offer it. Nobody tries it again.

    Whoever leads the sync calls for help as long as parts wait.
    """

    @queue.task(name=HELP_TASK, queue=HELP, pass_context=True)
    async def help_with(context: JobContext, tenant_id: int, sync_id: int) -> None:
        if sync_id in busy:
            return
        with structlog.contextvars.bound_contextvars(job=context.job.id, tenant=tenant_id, sync=sync_id):
            await run_help(open_vault, tools, system_viewer(tenant_id), sync_id)


async def run_help(open_vault: OpenVault, tools: Tools, viewer: Viewer, sync_id: int) -> None:
    """Help with a sync as long as there is something to do; what fails here is the leader's to judge."""
    log.info("help_started")
    try:
        async with aclosing(help_sync(sync_id, viewer, tools, open_vault)) as run:
            async for _ in run:
                pass
    except (Conflict, NotFound):
        log.info("help_not_needed")
    except (DBAPIError, PoolTimeout, ConnectorException) as error:
        log.warning("help_interrupted", reason=str(error))
    except Exception:
        log.exception("help_failed")
    log.info("help_ended")
