"""One OAuth flow for every provider: authorization code with PKCE, begun on one instance and finished on any other.

Two things travel apart. The `state` goes through the browser and the provider: signed, it says who asked for what, and
which session it was. The ticket (nonce and PKCE verifier) stays here and is taken exactly once.
"""

import base64
import hashlib
import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec

from domain.connecting import require_manager
from domain.credentials import NOT_SET_UP, Account, Grant, OAuth, Provider, State
from domain.errors import Conflict, Forbidden, Invalid, NotFound, VaultError
from domain.integrations import Integration
from domain.kinds import Kinds
from domain.people import Viewer
from domain.same_source import may_take_over, require_same_source, settings_by_consent
from domain.vault import OpenVault, Tools, Vault

STATE_LIFE = timedelta(minutes=10)
VERIFIER_BYTES = 48
"""64 characters, within the 43 to 128 of RFC 7636."""
MAX_NAMESAKES = 50
ADMINS_ONLY = "Only an admin of this vault may connect this. Ask one of them, they are listed under People."


class Callback(msgspec.Struct, frozen=True):
    """What the provider sent the browser back with."""

    provider: str
    state: str
    code: str
    error: str


class Connected(msgspec.Struct, frozen=True):
    """What came of a consent."""

    integration: Integration
    is_new: bool
    must_choose: bool
    """Whether something has to be chosen before anything is read."""


class Disconnected(msgspec.Struct, frozen=True):
    """What was removed; `left_to_do` says what a person has to end at the provider, or ""."""

    integration: Integration
    left_to_do: str


async def begin(
    oauth: OAuth,
    provider: Provider,
    vault: Vault,
    session: str,
    now: datetime,
    kinds: Kinds,
    is_private: bool = True,
    integration_id: int | None = None,
) -> str:
    """Return the address of the consent page; the ticket is kept in this transaction.

    Raises: NotFound for an integration that is not there, Conflict for one of another provider.
    """
    held = await vault.integrations.get(integration_id) if integration_id is not None else None
    if held is not None and not may_take_over(kinds, provider.kind, held):
        raise Conflict(f"This integration does not read {provider.title}, so {provider.title} cannot give it access.")
    nonce, verifier, expires_at = secrets.token_urlsafe(24), secrets.token_urlsafe(VERIFIER_BYTES), now + STATE_LIFE
    await vault.nonces.put(nonce, verifier, expires_at)
    state = State(
        nonce=nonce,
        tenant_id=vault.viewer.tenant_id,
        user_id=vault.viewer.user_id,
        provider=provider.name,
        session=session,
        expires_at=expires_at,
        integration_id=integration_id,
    )
    return provider.authorize_url(oauth.states.sign(state), challenge_of(verifier), is_private)


async def finish(tools: Tools, callback: Callback, viewer: Viewer, open_vault: OpenVault, session: str) -> Connected:
    """Exchange the code for a grant, exactly once for each state, and keep it with its integration.

    The ticket is taken in a transaction of its own: none is open while the provider is asked, and a failed exchange
    has used it up.
    Raises: Invalid for a state that was not signed here or is too old, Forbidden when it belongs to another browser,
    person or vault, was used before, or consent was denied, Conflict for another account than before, Unavailable.
    """
    if tools.oauth is None:
        raise NotFound(NOT_SET_UP)
    state = tools.oauth.states.read(callback.state)
    check(state, callback.provider, viewer, session, tools.now())
    async with open_vault(viewer) as vault:
        verifier = await vault.nonces.take(state.nonce)
        provider = await provider_named(tools.oauth, vault, callback.provider)
    if verifier is None:
        raise Forbidden("This consent was used already. If the account is not connected yet, begin again.")
    if callback.error or not callback.code:
        raise Forbidden(refusal(callback.error, provider.title))
    if not may_consent(viewer, provider):
        raise Forbidden(ADMINS_ONLY)
    grant = await provider.exchange(callback.code, verifier)
    if missing := [scope for scope in provider.scopes if grant.scopes and scope not in grant.scopes]:
        raise Forbidden(left_out(provider.title, missing))
    account = await provider.account(grant)
    try:
        async with open_vault(viewer) as vault:
            held = await _integration_for(vault, provider, account, state.integration_id)
        if held and "account_id" not in held.settings:
            require_manager(viewer, held)
            read_so = msgspec.structs.replace(held, kind=provider.kind, settings=settings_of(account, viewer))
            await require_same_source(tools.trial, read_so, grant, viewer, open_vault)
        async with open_vault(viewer) as vault:
            return await _keep(vault, provider, grant, account, state.integration_id, tools.kinds)
    except VaultError:
        with suppress(VaultError):  # what was wrong before matters more
            await provider.revoke(grant)
        raise


async def providers_of(oauth: OAuth | None, vault: Vault) -> dict[str, Provider]:
    """Return the providers that the viewer's tenant can use, by name."""
    return oauth.with_apps(await vault.apps.all()) if oauth else {}


async def provider_named(oauth: OAuth, vault: Vault, name: str) -> Provider:
    """Return a provider. Raises: NotFound when neither this server nor the tenant has an app for it."""
    if found := (await providers_of(oauth, vault)).get(name):
        return found
    raise NotFound(NOT_SET_UP)


def may_consent(viewer: Viewer, provider: Provider) -> bool:
    """Whether somebody may connect a provider: admins any, members what is their own."""
    return viewer.is_admin or provider.is_personal


def left_out(title: str, scopes: Sequence[str]) -> str:
    """Return what to tell people who gave less than is needed."""
    named = ", ".join(scope.rstrip("/").rsplit("/", 1)[-1] for scope in scopes)
    return f"{title} was allowed without {named}, so nothing was connected. Begin again and leave everything ticked."


def check(state: State, provider: str, viewer: Viewer, session: str, now: datetime) -> None:
    """Refuse a state that is too old, or was begun elsewhere. Raises: Invalid, Forbidden."""
    if now >= state.expires_at:
        minutes = int(STATE_LIFE.total_seconds()) // 60
        raise Invalid(f"Consent took longer than {minutes} minutes, so it no longer counts. Begin again.")
    if state.provider != provider:
        raise Forbidden("This consent was begun with another provider. Begin again.")
    if not secrets.compare_digest(state.session, session) or state.user_id != viewer.user_id:
        raise Forbidden(
            "This consent was begun in another browser, or before you signed in here. Begin again in this browser."
        )
    if state.tenant_id != viewer.tenant_id:
        raise Forbidden("This consent was begun in another vault of yours. Change to that vault, and begin again.")


def refusal(error: str, title: str) -> str:
    """Return what a provider's error code means for a person (RFC 6749, section 4.1.2.1)."""
    match error:
        case "access_denied":
            return (
                f"{title} was told not to allow this, so nothing was connected. To connect it, begin again and allow."
            )
        case "server_error" | "temporarily_unavailable":
            return f"{title} could not answer just now, so nothing was connected. Begin again in a few minutes."
        case "invalid_scope" | "unauthorized_client" | "redirect_uri_mismatch" | "application_suspended":
            return f"{title} does not accept how this server is registered there. Ask the operator to look at it."
        case _:
            return f"{title} ended the consent without giving access, so nothing was connected. Begin again."


async def fresh_grant(
    open_vault: OpenVault, viewer: Viewer, provider: Provider, integration_id: int, now: datetime, refused: str = ""
) -> Grant:
    """Return a grant that can be used now; one that is about to end, or whose token was `refused`, is renewed.

    Renewal happens under the row's lock: of many processes that need it, one asks the provider, and the others get
    what it brought. A rotated refresh token is saved in the same transaction.
    Raises: Forbidden when only a person can give access again, Unavailable.
    """
    try:
        async with open_vault(viewer) as vault:
            grant = await vault.credentials.get(integration_id)
        if _is_usable(grant, now, refused):
            return grant
        async with open_vault(viewer) as vault:
            held = await vault.credentials.hold(integration_id)
            if _is_usable(held, now, refused):
                return held
            if not held.refresh_token:
                raise Forbidden(lost_access(provider.title))
            renewed = await provider.renew(held)
            await vault.credentials.save(integration_id, renewed)
            return renewed
    except NotFound as error:
        raise Forbidden(lost_access(provider.title)) from error


def lost_access(title: str) -> str:
    """Return what to tell people whose grant has ended."""
    return f"{title} no longer accepts our access. Reconnect it on the integration's page; what is indexed stays."


def challenge_of(verifier: str) -> str:
    """Return PKCE's S256 challenge (RFC 7636, section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _is_usable(grant: Grant, now: datetime, refused: str) -> bool:
    return grant.is_fresh(now) and grant.access_token != refused


async def _keep(
    vault: Vault, provider: Provider, grant: Grant, account: Account, integration_id: int | None, kinds: Kinds
) -> Connected:
    """Give the grant to the integration it was asked for, to the one that reads this account already, or to a new."""
    held = await _integration_for(vault, provider, account, integration_id)
    settings = settings_of(account, vault.viewer)
    if account.email:
        await vault.access.prove(vault.viewer.user_id, account.email)
    if held:
        require_manager(vault.viewer, held)
        kept = held.settings
        if "account_id" not in kept:  # until now it was read by what a person had entered
            kept = settings_by_consent(kinds.described(held.kind), kept)
            await vault.integrations.become(held.id, provider.kind)
        await vault.integrations.configure(held.id, {**kept, **settings})
        await vault.audit.record("integration.reconnected", held.name)
    integration = await vault.integrations.get(held.id) if held else await _add(vault, provider, account, settings)
    await vault.credentials.save(integration.id, grant)
    return Connected(integration, is_new=held is None, must_choose=provider.must_choose)


def settings_of(account: Account, viewer: Viewer) -> dict[str, str]:
    """Return the settings that say whose account an integration reads, and who connected it."""
    return {"account": account.name, "account_id": account.id, "connected_by": str(viewer.user_id)}


async def _integration_for(
    vault: Vault, provider: Provider, account: Account, integration_id: int | None
) -> Integration | None:
    if integration_id is None:
        mine = (each for each in await vault.integrations.all() if each.kind == provider.kind)
        return next((each for each in mine if each.settings.get("account_id") == account.id), None)
    integration = await vault.integrations.get(integration_id)
    if integration.settings.get("account_id", account.id) != account.id:
        raise Conflict(
            f"You allowed access to the account {account.name}, but “{integration.name}” reads "
            f"{integration.settings.get('account', 'another')}. Sign in to {provider.title} with that account and "
            "begin again, or connect this one as a new integration."
        )
    return integration


async def _add(vault: Vault, provider: Provider, account: Account, settings: dict[str, str]) -> Integration:
    name = f"{provider.title}: {account.name}"
    owner_id = vault.viewer.user_id if provider.is_personal else None
    for number in range(1, MAX_NAMESAKES):
        try:
            numbered = name if number == 1 else f"{name} ({number})"
            integration = await vault.integrations.add(provider.kind, numbered, settings, owner_id)
        except Conflict:
            continue
        await vault.audit.record("integration.added", integration.name)
        return integration
    raise Conflict(f"There are too many integrations called “{name}”. Rename or remove one, then begin again.")


async def disconnect(oauth: OAuth | None, open_vault: OpenVault, viewer: Viewer, integration_id: int) -> Disconnected:
    """Remove an integration with its documents and its grant, then end the grant at the provider.

    The provider is told last, so that nothing of this waits for it; where it cannot be told, the person is.
    Raises: NotFound, Forbidden.
    """
    async with open_vault(viewer) as vault:
        integration = await vault.integrations.get(integration_id)
        require_manager(viewer, integration)
        provider = (await providers_of(oauth, vault)).get(integration.kind)
        grant = await held_grant(vault, integration_id) if provider else None
        await vault.removals.begin(integration_id)
        noun = "document" if integration.n_documents == 1 else "documents"
        await vault.audit.record("integration.removed", f"{integration.name}, {integration.n_documents} {noun}")
    return Disconnected(integration, await end_access(provider, grant))


async def end_access(provider: Provider | None, grant: Grant | None) -> str:
    """End a grant at its provider; return what is left for a person to do there, or ""."""
    if provider is None or grant is None:
        return ""
    try:
        await provider.revoke(grant)
    except VaultError:
        return f"{provider.title} could not be told. End the access there yourself: {provider.access_page}"
    return ""


async def held_grant(vault: Vault, integration_id: int) -> Grant | None:
    """Return the grant of an integration, if it has one that can be opened."""
    try:
        return await vault.credentials.get(integration_id)
    except (NotFound, Forbidden):
        return None
