"""The web application, put together: every page noun's routes in one list, and what each request passes through."""

from collections.abc import Sequence
from pathlib import Path

from litestar import Litestar, get
from litestar.datastructures import State
from litestar.di import Provide
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from prometheus_client import CollectorRegistry

from domain.errors import NotFound
from domain.vault import Tools
from web import (
    accounts,
    api,
    apps,
    assets,
    connections,
    contradictions,
    conversation_changes,
    conversations,
    documents,
    entities,
    entity_changes,
    errors,
    feedback,
    gap_page,
    gap_stats,
    gaps,
    golden_questions,
    graph,
    handovers,
    health,
    home,
    integration_changes,
    integration_forms,
    integrations,
    knowledge,
    messages,
    metrics,
    past,
    questions,
    reviews,
    schedules,
    scopes,
    search,
    search_model,
    selections,
    status,
    studies,
    styleguide,
    syncs,
    topics,
    transcripts,
    uploads,
    verifications,
    views,
    webhooks,
    whereabouts,
)
from web.api.schema import describe_api
from web.doors import Doors, WebSettings
from web.forms import read_form
from web.metrics import QueueMeter, RequestMeter
from web.rendering import make_renderer
from web.requests import Compression, RequestLog, send_request_id
from web.security import require_csrf_token, send_security_headers
from web.sessions import (
    SessionMiddleware,
    provide_doors,
    provide_lobby,
    provide_settings,
    provide_tools,
    provide_vault,
    provide_viewer,
)


def create_app(doors: Doors, tools: Tools, settings: WebSettings) -> Litestar:
    """Return the application over these doors and tools; it keeps no state of its own between requests."""
    registry = CollectorRegistry()
    return Litestar(
        route_handlers=page_routes(settings),
        state=State(
            {
                "doors": doors,
                "tools": tools,
                "settings": settings,
                "renderer": make_renderer(settings, tools.now),
                "registry": registry,
                "queue_meter": QueueMeter(registry),
            }
        ),
        middleware=[RequestMeter(registry), RequestLog(), Compression(), SessionMiddleware()],
        guards=[require_csrf_token, views.require_own_eyes],
        before_send=[send_security_headers, send_request_id],
        exception_handlers=errors.handlers(),
        dependencies={
            "doors": Provide(provide_doors, sync_to_thread=False),
            "tools": Provide(provide_tools, sync_to_thread=False),
            "settings": Provide(provide_settings, sync_to_thread=False),
            "viewer": Provide(provide_viewer, sync_to_thread=False),
            "vault": Provide(provide_vault),
            "lobby": Provide(provide_lobby),
            "form": Provide(read_form),
        },
        openapi_config=describe_api(settings.version),
        logging_config=None,
    )


def page_routes(settings: WebSettings) -> Sequence[ControllerRouterHandler]:
    """Return every route of the product. A new page noun adds one line."""
    return [
        assets.static_file,
        *health.routes,
        *metrics.routes,
        *home.routes,
        *accounts.routes,
        *integrations.routes,
        *integration_changes.routes,
        *integration_forms.routes,
        *connections.routes,
        *schedules.routes,
        *scopes.routes,
        *selections.routes,
        *reviews.routes,
        *webhooks.routes,
        *apps.routes,
        *views.routes,
        *syncs.routes,
        *studies.routes,
        *uploads.routes,
        *documents.routes,
        *entities.routes,
        *entity_changes.routes,
        *knowledge.routes,
        *topics.routes,
        *graph.routes,
        *gaps.routes,
        *gap_stats.routes,
        *contradictions.routes,
        *gap_page.routes,
        *verifications.routes,
        *questions.routes,
        *transcripts.routes,
        *handovers.routes,
        *search.routes,
        *whereabouts.routes,
        *conversations.routes,
        *messages.routes,
        *feedback.routes,
        *conversation_changes.routes,
        *past.routes,
        *golden_questions.routes,
        *search_model.routes,
        *status.routes,
        *api.routes,
        *([] if settings.is_production else styleguide.routes),
        unknown_path,
    ]


@get("/{path:path}", include_in_schema=False, sync_to_thread=False)
def unknown_path(path: FromPath[Path]) -> None:  # noqa: ARG001 (Litestar requires the parameter)
    """Answer paths nobody knows from within the product, so that the page shows where to go on."""
    raise NotFound(errors.EXPLANATIONS[404])
