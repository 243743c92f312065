"""Syncs: requested, watched by asking again, cancelled."""

from datetime import datetime

import msgspec
from litestar import get, post

from domain.progress import Stage, percent
from domain.syncs import Sync, SyncState, Trigger
from domain.vault import Vault
from web.api.requests import Id, problems


class SyncView(msgspec.Struct, frozen=True):
    """One run; `percent` is null while nobody knows how much there is. `reason` says why it failed."""

    id: int
    integration_id: int
    integration_name: str
    state: SyncState
    trigger: Trigger
    stage: Stage
    percent: int | None
    found: int
    processed: int
    indexed: int
    skipped: int
    failed: int
    deleted: int
    is_cancel_requested: bool
    reason: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@post(
    "/integrations/{integration_id:int}/syncs",
    tags=["Integrations"],
    operation_id="createSync",
    summary="Request a sync",
    status_code=202,
    responses=problems(404),
)
async def create(vault: Vault, integration_id: Id) -> SyncView:
    """Begin a sync and return it; one that is queued or running already is returned instead."""
    sync = await vault.syncs.request(integration_id, Trigger.PERSON)
    await vault.audit.record("sync.requested", sync.integration_name)
    return show_sync(sync)


@get(
    "/syncs/{sync_id:int}",
    tags=["Integrations"],
    operation_id="getSync",
    summary="Show a sync",
    responses=problems(404),
)
async def show(vault: Vault, sync_id: Id) -> SyncView:
    """Return how far a sync is."""
    return show_sync(await vault.syncs.get(sync_id))


@post(
    "/syncs/{sync_id:int}/cancellation",
    tags=["Integrations"],
    operation_id="cancelSync",
    summary="Cancel a sync",
    status_code=202,
    responses=problems(404, 409),
)
async def cancel(vault: Vault, sync_id: Id) -> SyncView:
    """Ask a sync to stop after the document it is at; what was brought in stays."""
    sync = await vault.syncs.cancel(sync_id)
    await vault.audit.record("sync.cancelled", sync.integration_name)
    return show_sync(sync)


def show_sync(sync: Sync) -> SyncView:
    """Return a sync as scripts see it."""
    progress = sync.progress
    return SyncView(
        id=sync.id,
        integration_id=sync.integration_id,
        integration_name=sync.integration_name,
        state=sync.state,
        trigger=sync.trigger,
        stage=progress.stage,
        percent=percent(progress),
        found=progress.found,
        processed=progress.processed,
        indexed=progress.indexed,
        skipped=progress.skipped,
        failed=progress.failed,
        deleted=progress.deleted,
        is_cancel_requested=sync.is_cancel_requested,
        reason=sync.reason,
        created_at=sync.created_at,
        started_at=sync.started_at,
        finished_at=sync.finished_at,
    )


routes = [create, show, cancel]
