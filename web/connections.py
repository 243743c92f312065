"""Connections: consent at a provider, by which an integration gets its access."""

import hashlib
from typing import Any

import structlog
from litestar import Request, Response, get
from litestar.params import FromPath, FromQuery

from domain import oauth as flow
from domain.credentials import NOT_SET_UP, OAuth
from domain.errors import Forbidden, NotFound, VaultError
from domain.oauth import Callback
from domain.syncs import Trigger
from domain.vault import Tools, Vault
from web.doors import Doors, WebSettings
from web.errors import STATUS
from web.flashes import Flash, FlashKind, write_flash
from web.numbers import whole_number
from web.rendering import Page, SeeOther, page, see_other
from web.visits import visit_of

AnyRequest = Request[Any, Any, Any]
NOT_SIGNED_IN = "You are not signed in in this browser, so nothing was connected. Sign in, and begin again."
NOT_ADMIN = "Only an admin of this vault may connect a source. Ask one of them, they are listed under People."


@get("/connect/{provider:str}", include_in_schema=False)
async def begin(
    request: AnyRequest,
    vault: Vault,
    tools: Tools,
    provider: FromPath[str],
    private: FromQuery[str] = "yes",
    integration: FromQuery[str] = "",
) -> SeeOther:
    """Send somebody who may connect a provider to its consent page; with `integration`, to give that one new access."""
    oauth = oauth_of(tools)
    asked = await flow.provider_named(oauth, vault, provider)
    if not flow.may_consent(vault.viewer, asked):
        raise Forbidden(NOT_ADMIN)
    address = await flow.begin(
        oauth,
        asked,
        vault,
        session_digest(request),
        tools.now(),
        tools.kinds,
        is_private=private == "yes",
        integration_id=known_number(integration) if integration else None,
    )
    return see_other(address)


@get("/connect/{provider:str}/callback", include_in_schema=False)
async def finish(
    request: AnyRequest,
    doors: Doors,
    tools: Tools,
    settings: WebSettings,
    provider: FromPath[str],
) -> Response[Any]:
    """Finish a consent, exactly once, in the browser that began it; whatever is wrong gets a page that says so."""
    oauth, viewer, sent = oauth_of(tools), visit_of(request).viewer, request.query_params
    title = oauth.title(provider)
    try:
        if viewer is None:
            raise Forbidden(NOT_SIGNED_IN)
        callback = Callback(provider, sent.get("state", ""), sent.get("code", ""), sent.get("error", ""))
        connected = await flow.finish(tools, callback, viewer, doors.open_vault, session_digest(request))
    except VaultError as refusal:
        structlog.get_logger().warning("consent_refused", provider=provider, reason=type(refusal).__name__)
        return refused(title, refusal, settings)
    integration = connected.integration
    if connected.must_choose and not integration.settings.get("chosen"):
        return see_other(
            f"/integrations/{integration.id}/selection/edit",
            f"“{integration.name}” is connected. Now choose what is read.",
        )
    if connected.is_new:
        async with doors.open_vault(viewer) as vault:
            sync = await vault.syncs.request(integration.id, Trigger.PERSON)
        return see_other(f"/syncs/{sync.id}", f"“{integration.name}” is connected. This is its first sync.")
    return see_other(f"/integrations/{integration.id}", f"{title} accepts our access to “{integration.name}”.")


def refused(title: str, error: VaultError, settings: WebSettings) -> Page:
    """Return the page of a consent that came to nothing; the page after it, most likely the integrations, says so."""
    status = next(status for kind, status in STATUS.items() if isinstance(error, kind))
    answer = page("connections/refused.html", status=status, title=title, message=error.message)
    answer.set_cookie(write_flash(Flash(FlashKind.BAD, f"{title} is not connected. {error.message}"), settings))
    return answer


def oauth_of(tools: Tools) -> OAuth:
    """Return what consents need. Raises: NotFound where nothing is set up."""
    if tools.oauth is None:
        raise NotFound(NOT_SET_UP)
    return tools.oauth


def session_digest(request: AnyRequest) -> str:
    """Return a name of this browser session that does not give its token away."""
    return hashlib.sha256(f"oauth:{visit_of(request).session_token}".encode()).hexdigest()


def known_number(text: str) -> int:
    """Return an id from an address. Raises: NotFound for anything that cannot be one."""
    number = whole_number(text)
    if number is None:
        raise NotFound("This integration does not exist, or is not yours to see.")
    return number


routes = [begin, finish]
