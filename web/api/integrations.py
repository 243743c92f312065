"""Integrations, for scripts: listed and shown; they are connected on the page, where consent is given."""

from datetime import datetime

import msgspec
from litestar import get

from domain.documents import MAX_COUNTED
from domain.integrations import Integration
from domain.vault import Vault
from web.api.requests import Id, Items, page_of, problems


class IntegrationView(msgspec.Struct, frozen=True):
    """A connected account, without its settings."""

    id: int
    kind: str
    name: str
    n_documents: int
    """Up to 1,000; then `is_n_documents_exact` is false."""
    created_at: datetime
    last_synced_at: datetime | None
    is_n_documents_exact: bool = True


@get(
    "/integrations",
    tags=["Integrations"],
    operation_id="listIntegrations",
    summary="List integrations",
    responses=problems(),
)
async def index(vault: Vault) -> Items[IntegrationView]:
    """Return the integrations you may see, by name."""
    return page_of([_view(integration) for integration in await vault.integrations.all()])


@get(
    "/integrations/{integration_id:int}",
    tags=["Integrations"],
    operation_id="getIntegration",
    summary="Show an integration",
    responses=problems(404),
)
async def show(vault: Vault, integration_id: Id) -> IntegrationView:
    """Return one integration."""
    return _view(await vault.integrations.get(integration_id))


def _view(integration: Integration) -> IntegrationView:
    return IntegrationView(
        id=integration.id,
        kind=integration.kind,
        name=integration.name,
        n_documents=min(integration.n_documents, MAX_COUNTED),
        created_at=integration.created_at,
        last_synced_at=integration.last_synced_at,
        is_n_documents_exact=integration.n_documents <= MAX_COUNTED,
    )


routes = [index, show]
