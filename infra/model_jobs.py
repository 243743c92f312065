"""The job that fills in another model's vectors, a bounded piece at a time, and who asks for it."""

import structlog
from procrastinate import App, JobContext, RetryStrategy
from sqlalchemy.exc import SQLAlchemyError

from domain.errors import VaultError
from domain.model_runs import advance
from domain.people import Viewer, system_viewer
from domain.vault import OpenLobby, OpenVault, Tools
from infra.queue import FILL_TASK

RETRIES = RetryStrategy(max_attempts=50, wait=10)
PIECE_CHUNKS = 1024
"""Chunks of one job, about half a minute's work: then whatever else waits has its turn."""

log = structlog.get_logger(__name__)


def register_fillings(queue: App, open_vault: OpenVault, tools: Tools) -> None:
    """Let this worker fill in vectors."""

    @queue.task(name=FILL_TASK, pass_context=True, retry=RETRIES)
    async def fill_vectors(context: JobContext, tenant_id: int) -> None:
        with structlog.contextvars.bound_contextvars(job=context.job.id, tenant=tenant_id):
            await advance(open_vault, tools, system_viewer(tenant_id), PIECE_CHUNKS)


async def look_for_models(open_lobby: OpenLobby, open_vault: OpenVault) -> None:
    """Queue the filling for every tenant whose vectors are not all there; harmless in several workers at once."""
    try:
        async with open_lobby() as lobby:
            tenant_ids = await lobby.tenant_ids()
        for tenant_id in tenant_ids:
            await request_filling(open_vault, system_viewer(tenant_id))
    except (SQLAlchemyError, OSError) as error:
        log.warning("models_not_compared", reason=str(error))


async def request_filling(open_vault: OpenVault, viewer: Viewer) -> None:
    """Queue the filling of one tenant, where there is something to fill; a sync does not fail for it."""
    try:
        async with open_vault(viewer) as vault:
            await vault.models.request()
    except VaultError as error:
        log.warning("filling_not_requested", reason=error.message)
