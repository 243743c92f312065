"""Protection against other people's pages and scripts: CSRF tokens, and the headers every response carries."""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

from litestar import Request
from litestar.datastructures import MutableScopeHeaders
from litestar.handlers import BaseRouteHandler
from litestar.types import Message, Scope

from web.forms import EMPTY, Form, read_form
from web.visits import Connection, Visit, visit_of

CSRF_FIELD = "csrf_token"
CSRF_HEADER = "X-CSRF-Token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
MASK_BYTES = 32
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self)",
}


class MissingCsrfToken(Exception):
    """A change came without the token its form carries: an old page, or somebody else's; holds what was entered."""

    def __init__(self, entered: Form) -> None:
        super().__init__()
        self.entered = entered


def csrf_token(secret_key: str, visit: Visit) -> str:
    """Return a token for the forms of this visit, different each time, so that compression gives nothing away."""
    mask = secrets.token_bytes(MASK_BYTES)
    return urlsafe_b64encode(mask + _mixed(mask, _bound(secret_key, visit))).decode()


def is_csrf_token(token: str, secret_key: str, visit: Visit) -> bool:
    """Whether a token was made for this visit's session, or before sign-in for this browser."""
    try:
        sealed = urlsafe_b64decode(token)
    except ValueError:
        return False
    mask, mixed = sealed[:MASK_BYTES], sealed[MASK_BYTES:]
    if len(mixed) != MASK_BYTES:
        return False
    return hmac.compare_digest(_mixed(mask, mixed), _bound(secret_key, visit))


async def require_csrf_token(connection: Connection, handler: BaseRouteHandler) -> None:
    """Let a change pass only with its token, from the form or from HTMX's header. Raises: MissingCsrfToken."""
    visit = visit_of(connection)
    if handler.opt.get("is_signed_by_provider"):  # a webhook, which its handler checks
        return
    if connection.scope["method"] in SAFE_METHODS or visit.is_bearer:  # type: ignore[typeddict-item]  # HTTP only
        return
    header = connection.headers.get(CSRF_HEADER, "")
    entered = EMPTY if header else await _entered(connection)
    if not is_csrf_token(header or entered.value(CSRF_FIELD), connection.app.state.settings.secret_key, visit):
        raise MissingCsrfToken(entered)


async def send_security_headers(message: Message, scope: Scope) -> None:
    """Add the headers to every response, errors and unknown paths included."""
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    if scope["app"].state.settings.is_production:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")


async def _entered(connection: Connection) -> Form:
    if not isinstance(connection, Request) or connection.content_type[0] not in FORM_TYPES:
        return EMPTY
    return await read_form(connection)


def _bound(secret_key: str, visit: Visit) -> bytes:
    return hmac.digest(secret_key.encode(), f"csrf:{visit.session_token or visit.visitor}".encode(), hashlib.sha256)


def _mixed(mask: bytes, value: bytes) -> bytes:
    return bytes(left ^ right for left, right in zip(mask, value, strict=True))
