"""Choosing what of an account is read: channels, folders, labels, repositories, days, with a preview of the work."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import FormMultiDict, MultiDict
from litestar.params import FromPath

from domain import oauth as flow
from domain.connecting import is_by_consent, require_manager
from domain.credentials import Choice, Provider
from domain.errors import Invalid, NotFound
from domain.integrations import Integration
from domain.people import Viewer
from domain.scope import Scope, entered_scope, scope_of, settings_of
from domain.syncs import Sync, Trigger
from domain.vault import Tools, Vault
from web.doors import Doors
from web.filters import number
from web.forms import EMPTY, Form
from web.previews import Preview, preview
from web.rendering import Page, page, see_other, wants_region
from web.scopes import BUSY

AnyRequest = Request[Any, Any, Any]
NONE_CHOSEN = "Choose at least one of the {noun}."
N_NAMED = 3
"""So many of what is chosen are named in a sentence; the others are counted."""


class Picked(msgspec.Struct, frozen=True):
    """What somebody has picked, saved or not."""

    chosen: tuple[str, ...]
    is_shared: bool
    form: Form


class ChoiceGroup(msgspec.Struct, frozen=True):
    """What is offered under one heading; "" where there is none."""

    title: str
    choices: tuple[Choice, ...]


@get("/integrations/{integration_id:int}/selection/edit", include_in_schema=False)
async def edit(request: AnyRequest, viewer: Viewer, doors: Doors, tools: Tools, integration_id: FromPath[int]) -> Page:
    """Show what the account holds, to choose from; a query holds what is picked but not saved yet, to be counted."""
    integration, provider = await provider_of(viewer, doors, tools, integration_id)
    sent, made = request.query_params, None
    picked = picked_of(sent) if sent else kept_in(integration)
    try:
        if sent:
            made = await preview_of(viewer, doors, tools, integration, provider, picked)
    except Invalid as error:
        picked = msgspec.structs.replace(picked, form=picked.form.refused(error))
    if wants_region(request):
        return page("integrations/_work.html", "integrations/_work.html", preview=made, waiting=picked.form.message)
    choices = await choices_of(viewer, doors, tools, integration, provider)
    async with doors.open_vault(viewer) as vault:
        held = await vault.surveys.held_under(integration_id, [choice.id for choice in choices])
    return selection_page(integration, provider, choices, picked, made, held)


@post("/integrations/{integration_id:int}/selection", include_in_schema=False)
async def save(
    request: AnyRequest, viewer: Viewer, doors: Doors, tools: Tools, integration_id: FromPath[int]
) -> Response[Any]:
    """Keep what was picked, of what the account can see, and begin a sync."""
    integration, provider = await provider_of(viewer, doors, tools, integration_id)
    choices, picked = await choices_of(viewer, doors, tools, integration, provider), picked_of(await request.form())
    chosen = [each for each in choices if each.id in picked.chosen]
    try:
        if not chosen and provider.must_choose:
            raise Invalid(NONE_CHOSEN.format(noun=provider.choice_noun))
        scope, is_shared = scope_with(picked, integration), not provider.mirrors_access and picked.is_shared
        async with doors.open_vault(viewer) as vault:
            sync = await begin_with(vault, integration_id, chosen, scope, is_shared)
    except Invalid as error:
        picked = msgspec.structs.replace(picked, form=picked.form.refused(error))
        return selection_page(integration, provider, choices, picked)
    brings = chosen_in_words(chosen_settings(chosen), provider.choice_noun) or "everything"
    return see_other(f"/syncs/{sync.id}", f"From now on, “{integration.name}” brings {brings}.")


async def begin_with(
    vault: Vault, integration_id: int, chosen: Sequence[Choice], scope: Scope, is_shared: bool
) -> Sync:
    """Keep what is chosen and begin a sync. Raises: Invalid while one is under way that other days would not reach."""
    held = await vault.integrations.get(integration_id)
    if scope != scope_of(held.settings):  # all is listed again; what is unchanged costs nothing
        live = (await vault.syncs.latest()).get(integration_id)
        if live is not None and not live.is_final:  # it would write its own place over this beginning
            raise Invalid(BUSY)
        await vault.integrations.advance(integration_id, "")
    kept = {**held.settings, **chosen_settings(chosen), "is_shared": "yes" if is_shared else ""}
    await vault.integrations.configure(integration_id, {**kept, **settings_of(scope)})
    await vault.deletions.allow(integration_id, None)  # what was taken off the list goes without another question
    await vault.audit.record("integration.configured", f"{held.name}, {readers_in_words(len(chosen), is_shared)}")
    return await vault.syncs.request(integration_id, Trigger.PERSON)


async def preview_of(
    viewer: Viewer, doors: Doors, tools: Tools, integration: Integration, provider: Provider, picked: Picked
) -> Preview:
    """Return how much is picked. Raises: Invalid when nothing is that can be counted."""
    if not picked.chosen and provider.must_choose:
        raise Invalid(NONE_CHOSEN.format(noun=provider.choice_noun))
    scope = scope_with(picked, integration)
    settings = {**integration.settings, "chosen": "\n".join(picked.chosen)}
    return await preview(viewer, doors, tools, msgspec.structs.replace(integration, settings=settings), scope)


async def provider_of(viewer: Viewer, doors: Doors, tools: Tools, integration_id: int) -> tuple[Integration, Provider]:
    """Return an integration that the viewer may manage, and its provider. Raises: NotFound, Forbidden."""
    async with doors.open_vault(viewer) as vault:
        integration = await vault.integrations.get(integration_id)
        require_manager(viewer, integration)
        provider = (await flow.providers_of(tools.oauth, vault)).get(integration.kind)
    if provider is None or not is_by_consent(tools.kinds.described(integration.kind), integration):
        raise NotFound("There is nothing to choose in this integration: it is read as a whole.")
    return integration, provider


async def choices_of(
    viewer: Viewer, doors: Doors, tools: Tools, integration: Integration, provider: Provider
) -> list[Choice]:
    """Return what can be chosen. Raises: Forbidden, Unavailable."""
    grant = await flow.fresh_grant(doors.open_vault, viewer, provider, integration.id, tools.now())
    return list(await provider.choices(grant))


def picked_of(sent: FormMultiDict | MultiDict[Any]) -> Picked:
    """Return what was sent, in a query or a form."""
    chosen = tuple(str(each) for each in sent.getall("chosen", []))
    days = {name: str(sent.get(name, "")) for name in ("since", "until")}
    return Picked(chosen, sent.get("is_shared") == "yes", Form(values=days))


def kept_in(integration: Integration) -> Picked:
    """Return what is chosen now."""
    settings = integration.settings
    return Picked(
        tuple(filter(None, settings.get("chosen", "").split("\n"))), settings.get("is_shared") == "yes", EMPTY
    )


def chosen_settings(chosen: Sequence[Choice]) -> dict[str, str]:
    """Return the settings that hold what is chosen; names stand beside the ids, for people."""
    names = (" ".join(each.name.split()) for each in chosen)
    return {"chosen": "\n".join(each.id for each in chosen), "chosen_names": "\n".join(names)}


def chosen_in_words(settings: Mapping[str, str], noun: str) -> str:
    """Return what is chosen, for the middle of a sentence: "Inbox, Sent and 4 more"; "" where nothing is."""
    chosen = [each for each in settings.get("chosen", "").split("\n") if each]
    if not chosen:
        return ""
    names = [each for each in settings.get("chosen_names", "").split("\n") if each]
    if len(names) != len(chosen):
        return f"{number(len(chosen))} of the {noun}"
    named, n_more = names[:N_NAMED], len(names) - N_NAMED
    parts = [*named, f"{number(n_more)} more"] if n_more > 0 else named
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def grouped(choices: Sequence[Choice]) -> list[ChoiceGroup]:
    """Return the choices under their headings, in their order."""
    return [ChoiceGroup(title, tuple(each)) for title, each in groupby(choices, lambda choice: choice.group)]


def scope_with(picked: Picked, integration: Integration) -> Scope:
    """Return the scope of an integration with the days that are picked. Raises: Invalid."""
    kept, entered = scope_of(integration.settings), picked.form.value
    return entered_scope(kept.folders, kept.file_types, entered("since"), entered("until"))


def readers_in_words(n_chosen: int, is_shared: bool) -> str:
    """Return a choice as the audit trail tells it."""
    readers = "private ones for everyone" if is_shared else "private ones for those the source shares them with"
    return f"{n_chosen} chosen, {readers}"


def selection_page(
    integration: Integration,
    provider: Provider,
    choices: Sequence[Choice],
    picked: Picked,
    made: Preview | None = None,
    held: Mapping[str, int] | None = None,
) -> Page:
    """Return the page with what is picked."""
    return page(
        "integrations/selection.html",
        status=422 if picked.form.message else 200,
        integration=integration,
        provider=provider,
        groups=grouped(choices),
        picked=picked,
        scope=scope_of(integration.settings),
        held=held or {},
        preview=made,
        waiting="",
    )


routes = [edit, save]
