"""Errors as people see them: one table from the domain's words to statuses, one page, one problem document.

Under /api an error is `application/problem+json` (RFC 9457); HTMX gets a notice above the page it is on, which stays as
it is; everybody else gets a page in the product's face.
"""

import math
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

import domain.errors as words
from web.flashes import Flash, FlashKind
from web.forms import SECRET_FIELDS
from web.rendering import Page, Renderer, SeeOther, is_htmx, wants_region
from web.requests import request_id_of
from web.security import MissingCsrfToken
from web.sessions import NotSignedIn, sign_in_path

AnyRequest = Request[Any, Any, Any]
STATUS: dict[type[words.VaultError], int] = {
    words.NotFound: 404,
    words.Forbidden: 403,
    words.Conflict: 409,
    words.Invalid: 422,
    words.Throttled: 429,
    words.Unavailable: 503,
}
TITLES = {
    400: "This request was not understood",
    401: "Please sign in",
    403: "Not allowed",
    404: "Nothing here",
    405: "This cannot be done here",
    409: "This clashes with how things stand",
    413: "Too large",
    422: "This cannot be used as entered",
    429: "Too much at once",
    500: "Something broke on our side",
    503: "Not available right now",
}
EXPLANATIONS = {
    400: "Go back, check what was entered, and try again.",
    404: "The page does not exist, or it is not in your vault. Check the address, or search for what you need.",
    405: "Go back and reload the page, then try again.",
    413: "Send less at once: split the files, or leave out the largest.",
    500: "The error has been noted. Try again; if it stays, tell your admin the number below.",
}
STALE_FORM = (
    "This page was open for too long, or you have signed in or out since, so the form was not accepted. "
    "Nothing was changed. Go back, reload the page, and try again."
)


def handlers() -> ExceptionHandlersMap:
    """Return what answers for each kind of error."""
    return {
        words.VaultError: answer_vault_error,
        NotSignedIn: ask_to_sign_in,
        MissingCsrfToken: answer_stale_form,
        HTTPException: answer_http_error,
        Exception: answer_unknown_error,
    }


def answer_vault_error(request: AnyRequest, error: words.VaultError) -> Response[Any]:
    """Answer with the domain's own message."""
    status = next(status for kind, status in STATUS.items() if isinstance(error, kind))
    fields = error.fields if isinstance(error, words.Invalid) else {}
    response = answer(request, status, error.message, fields)
    if isinstance(error, words.Throttled):
        response.headers["Retry-After"] = str(math.ceil(error.wait_s))
    return response


def answer_http_error(request: AnyRequest, error: HTTPException) -> Response[Any]:
    """Answer for what Litestar refuses: unknown paths, wrong methods, bodies over the limit, unreadable values."""
    if error.status_code >= 500:
        return answer_unknown_error(request, error)
    status = error.status_code if error.status_code in TITLES else 400
    return answer(request, status, EXPLANATIONS.get(status, error.detail), {})


def answer_unknown_error(request: AnyRequest, error: Exception) -> Response[Any]:
    """Answer for a defect of ours: log it whole, show its number only."""
    number = request_id_of(request)
    structlog.get_logger().error(
        "unhandled_error", request_id=number, route=request.scope.get("path_template", ""), exc_info=error
    )
    return answer(request, 500, EXPLANATIONS[500], {})


def ask_to_sign_in(request: AnyRequest, error: NotSignedIn) -> Response[Any]:  # noqa: ARG001 (Litestar passes it)
    """Send a browser to the sign-in page; scripts get a 401."""
    if is_api(request):
        return answer(request, 401, "Sign in, or send an API token: `Authorization: Bearer TOKEN`.", {})
    return SeeOther(sign_in_path(request), None)


def answer_stale_form(request: AnyRequest, error: MissingCsrfToken) -> Response[Any]:
    """Refuse a form without its token, and show what was typed, so that nothing is lost."""
    if is_api(request):
        return problem(request, 403, "Send the header X-CSRF-Token, or use an API token instead of a session.", {})
    if wants_region(request):
        return notice(request, 403, STALE_FORM)
    values = error.entered.values
    kept = {name: value for name, value in values.items() if name not in SECRET_FIELDS and value.strip()}
    return error_page(request, 403, STALE_FORM, kept)


def answer(request: AnyRequest, status: int, message: str, fields: dict[str, str]) -> Response[Any]:
    """Answer an error in the form the asker understands."""
    if is_api(request):
        return problem(request, status, message, fields)
    if wants_region(request):
        return notice(request, status, message)
    return error_page(request, status, message, {})


def problem(request: AnyRequest, status: int, detail: str, fields: dict[str, str]) -> Response[dict[str, Any]]:
    """Return a problem document (RFC 9457) with the request's id, and messages by field where there are any."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": TITLES[status],
        "status": status,
        "detail": detail,
        "request_id": request_id_of(request),
    }
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    body = {**content, "errors": fields} if fields else content
    return Response(body, status_code=status, media_type="application/problem+json", headers=headers)


def notice(request: AnyRequest, status: int, message: str) -> Response[str]:
    """Return a notice that HTMX puts above the page instead of where the answer was meant to go."""
    renderer: Renderer = request.app.state.renderer
    flash = Flash(FlashKind.BAD, message)
    text = renderer.render("shared/_notices.html", request, flash, {"is_out_of_band": False})
    headers = {"HX-Retarget": "#notices", "HX-Reswap": "outerHTML", "Vary": "HX-Request", "Cache-Control": "no-store"}
    return Response(text, status_code=status, media_type="text/html", headers=headers)


def error_page(request: AnyRequest, status: int, message: str, entered: dict[str, str]) -> Page:
    """Return the error page."""
    context = {
        "status": status,
        "title": TITLES[status],
        "message": message,
        "entered": entered,
        "request_id": request_id_of(request),
        "is_htmx": is_htmx(request),
    }
    return Page("errors/show.html", None, status, None, context)


def is_api(request: AnyRequest) -> bool:
    """Whether a script asks rather than a person."""
    return request.url.path.startswith("/api/")
