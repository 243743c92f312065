"""The job that reads a tenant's new documents for names and gaps, a bounded piece at a time."""

import structlog
from procrastinate import App, JobContext, RetryStrategy

from domain.people import system_viewer
from domain.studying import study
from domain.vault import OpenVault, Tools
from infra.queue import STUDY_TASK

RETRIES = RetryStrategy(max_attempts=50, wait=10)
PIECE_DOCUMENTS = 50
"""Documents of one job, some four seconds' work: then whatever else waits has its turn, an upload before all."""


def register_studies(queue: App, open_vault: OpenVault, tools: Tools) -> None:
    """Let this worker read documents for names and gaps."""

    @queue.task(name=STUDY_TASK, pass_context=True, retry=RETRIES)
    async def study_documents(context: JobContext, tenant_id: int) -> None:
        viewer = system_viewer(tenant_id)
        with structlog.contextvars.bound_contextvars(job=context.job.id, tenant=tenant_id):
            if await study(open_vault, viewer, tools, PIECE_DOCUMENTS):
                async with open_vault(viewer) as vault:
                    await vault.studies.request()
