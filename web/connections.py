"""Connections: consent at a provider, by which an integration gets its access, and what of the account is read."""

import hashlib
from collections.abc import Mapping
from typing import Any

import structlog
from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery

from domain import oauth as flow
from domain.connecting import is_by_consent, require_manager
from domain.credentials import NOT_SET_UP, Choice, OAuth, Provider
from domain.errors import Forbidden, NotFound, VaultError
from domain.integrations import Integration
from domain.oauth import Callback
from domain.people import Viewer
from domain.syncs import Trigger
from domain.vault import Tools, Vault
from web.doors import Doors, WebSettings
from web.errors import STATUS
from web.filters import plural
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
        connected = await flow.finish(oauth, callback, viewer, doors.open_vault, session_digest(request), tools.now())
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


@get("/integrations/{integration_id:int}/selection/edit", include_in_schema=False)
async def edit_selection(viewer: Viewer, doors: Doors, tools: Tools, integration_id: FromPath[int]) -> Page:
    """Show what the account holds, to choose from."""
    integration, provider, choices = await read_choices(viewer, doors, tools, integration_id)
    async with doors.open_vault(viewer) as vault:
        held = await vault.surveys.held_under(integration_id, [choice.id for choice in choices])
    return selection_page(integration, provider, choices, "", 200, held)


@post("/integrations/{integration_id:int}/selection", include_in_schema=False)
async def select(
    request: AnyRequest, viewer: Viewer, doors: Doors, tools: Tools, integration_id: FromPath[int]
) -> Response[Any]:
    """Keep what was chosen, of what the account can see, and begin a sync."""
    integration, provider, choices = await read_choices(viewer, doors, tools, integration_id)
    form = await request.form()
    wanted = set(form.getall("chosen", []))
    chosen = [each.id for each in choices if each.id in wanted]
    if not chosen and provider.must_choose:
        return selection_page(
            integration, provider, choices, f"Choose at least one of the {provider.choice_noun}.", 422
        )
    is_shared = not provider.mirrors_access and form.get("is_shared") == "yes"
    async with doors.open_vault(viewer) as vault:
        held = await vault.integrations.get(integration_id)
        settings = {**held.settings, "chosen": "\n".join(chosen), "is_shared": "yes" if is_shared else ""}
        await vault.integrations.configure(integration_id, settings)
        await vault.deletions.allow(integration_id, None)  # what was taken off the list goes without another question
        await vault.audit.record("integration.configured", f"{held.name}, {readers_in_words(len(chosen), is_shared)}")
        sync = await vault.syncs.request(integration_id, Trigger.PERSON)
    return see_other(f"/syncs/{sync.id}", f"{plural(len(chosen), 'source') if chosen else 'Everything'} will be read.")


def readers_in_words(n_chosen: int, is_shared: bool) -> str:
    """Return a choice as the audit trail tells it."""
    readers = "private ones for everyone" if is_shared else "private ones for those the source shares them with"
    return f"{n_chosen} chosen, {readers}"


async def read_choices(
    viewer: Viewer, doors: Doors, tools: Tools, integration_id: int
) -> tuple[Integration, Provider, list[Choice]]:
    """Return an integration, its provider, and what can be chosen. Raises: NotFound, Forbidden, Unavailable."""
    async with doors.open_vault(viewer) as vault:
        integration = await vault.integrations.get(integration_id)
        require_manager(viewer, integration)
        provider = (await flow.providers_of(tools.oauth, vault)).get(integration.kind)
    if provider is None or not is_by_consent(tools.kinds.described(integration.kind), integration):
        raise NotFound("There is nothing to choose in this integration: it is read as a whole.")
    grant = await flow.fresh_grant(doors.open_vault, viewer, provider, integration_id, tools.now())
    return integration, provider, list(await provider.choices(grant))


def selection_page(
    integration: Integration,
    provider: Provider,
    choices: list[Choice],
    problem: str,
    status: int,
    held: Mapping[str, int] | None = None,
) -> Page:
    """Return the page with what is chosen now."""
    return page(
        "integrations/selection.html",
        status=status,
        integration=integration,
        provider=provider,
        choices=choices,
        chosen=integration.settings.get("chosen", "").split("\n"),
        is_shared=integration.settings.get("is_shared") == "yes",
        problem=problem,
        held=held or {},
    )


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


routes = [begin, finish, edit_selection, select]
