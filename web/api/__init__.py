"""The JSON API under /api/v1: the same things as the pages, for scripts; described by OpenAPI under /api/v1/schema."""

from litestar import Router
from litestar.exceptions import ValidationException

from web.api import (
    answers,
    conversations,
    documents,
    integrations,
    me,
    members,
    search,
    syncs,
    uploads,
)
from web.api.requests import answer_invalid_values
from web.limits import limit_api

routes = [
    Router(
        path="/api/v1",
        route_handlers=[
            *me.routes,
            *members.routes,
            *documents.routes,
            *search.routes,
            *answers.routes,
            *conversations.routes,
            *integrations.routes,
            *syncs.routes,
            *uploads.routes,
        ],
        exception_handlers={ValidationException: answer_invalid_values},
        guards=[limit_api],
        security=[{"token": []}, {"session": []}],
    )
]
