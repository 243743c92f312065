"""A visit: who asks, and by what right, worked out once per request before anything else happens."""

from typing import Any, cast

import msgspec
from litestar.connection import ASGIConnection

from domain.people import Viewer

Connection = ASGIConnection[Any, Any, Any, Any]


class Visit(msgspec.Struct, frozen=True):
    """One request's asker. `viewer` is None before sign-in."""

    viewer: Viewer | None
    visitor: str
    """A random name of this browser, to which forms are bound before sign-in."""
    is_new_visitor: bool = False
    session_token: str = ""
    is_bearer: bool = False
    """Whether an API token speaks, so that no cookie can be abused."""


NOBODY = Visit(viewer=None, visitor="")


def visit_of(connection: Connection) -> Visit:
    """Return the visit of a request; nobody's for paths that need none."""
    return cast("Visit", connection.scope.get("visit", NOBODY))
