"""Integrations: what is connected, how its syncs went, and what could not be read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery

from domain.connecting import access_warning, is_by_consent, may_manage
from domain.credentials import Provider
from domain.deletions import Guard, GuardState
from domain.facts import Fact, IntegrationChanged, SyncChanged
from domain.integrations import Integration, IntegrationKind
from domain.kinds import Kind, Kinds
from domain.oauth import providers_of
from domain.people import Viewer
from domain.privacy import Label
from domain.received import FORWARDING
from domain.same_source import may_take_over
from domain.scope import scope_of
from domain.switching import may_switch
from domain.syncs import Sync, SyncState, Trigger
from domain.vault import Tools, Vault
from web.charts import history_chart
from web.doors import Doors, WebSettings
from web.events import Event, EventStream, follow, render_shared, renderings_of
from web.numbers import whole_number, whole_numbers
from web.offers import offers
from web.progress import SyncView, view
from web.rendering import Page, page, see_other, wants_region
from web.schedules import CHOICES
from web.scopes import words_of
from web.selections import chosen_in_words
from web.syncs import count_ahead
from web.webhooks import github_address, github_secret

N_SYNCS = 20
N_FAILURES = 10
N_FAILURES_A_PAGE = 50


class Webhook(msgspec.Struct, frozen=True):
    """Where a provider is to send its events, and the secret it signs them with."""

    address: str
    secret: str


class Card(msgspec.Struct, frozen=True):
    """An integration as its card shows it."""

    integration: Integration
    seen: SyncView | None
    """Its newest sync."""
    n_failures: int
    kind: Kind
    access: str = ""
    """What is wrong with our access, or soon will be."""

    @property
    def has_form(self) -> bool:
        """Whether its access was entered, and is changed the same way."""
        return not is_by_consent(self.kind, self.integration)

    @property
    def to_choose(self) -> str:
        """What has to be chosen before anything can be read; "" once it is."""
        return "" if self.integration.settings.get("chosen") else self.kind.must_choose

    @property
    def notes(self) -> list[str]:
        """What the last sync could not reach, though it went well."""
        return self.integration.settings.get("notes", "").splitlines()

    @property
    def region(self) -> str:
        """The id of the card, and the name of its events."""
        return f"integration-{self.integration.id}"

    @property
    def synced_at(self) -> datetime | None:
        """When it was last brought up to date, as far as that is known."""
        sync = self.seen.sync if self.seen else None
        is_complete = sync is not None and sync.state is SyncState.SUCCEEDED
        return sync.finished_at if sync is not None and is_complete else self.integration.last_synced_at


@get("/integrations", include_in_schema=False)
async def index(vault: Vault, tools: Tools, settings: WebSettings) -> Page:
    """Show every integration with its newest sync."""
    cards = await read_cards(vault, tools)
    may_add = bool(offers(vault.viewer, tools, settings, await providers_of(tools.oauth, vault)))
    has_own = any(card.integration.owner_id == vault.viewer.user_id for card in cards)
    n_unsure = (await vault.reviews.counts()).get(Label.UNSURE, 0) if has_own else 0
    return page("integrations/index.html", cards=cards, may_add=may_add, n_unsure=n_unsure)


@get("/integrations/events", include_in_schema=False)
async def follow_all(request: Request[Any, Any, Any], viewer: Viewer, doors: Doors) -> EventStream:
    """Stream the cards of the integrations page as their syncs move."""
    watch = CardWatch(request, viewer, doors)
    return EventStream(follow(doors.watch, request, viewer, watch.snapshot, watch.answer))


@get("/integrations/{integration_id:int}", include_in_schema=False)
async def show(
    vault: Vault, tools: Tools, settings: WebSettings, integration_id: FromPath[int], before: FromQuery[str] = ""
) -> Page:
    """Show one integration: the history of its syncs, and what could not be read."""
    integration = await vault.integrations.get(integration_id)
    providers = await providers_of(tools.oauth, vault)
    provider = providers.get(integration.kind)
    before_id, now = whole_number(before), tools.now()
    syncs = await vault.syncs.page(integration_id, before_id, N_SYNCS + 1)
    n_ahead = await count_ahead(vault, syncs)
    seen = [view(sync, now, n_ahead.get(sync.id, 0)) for sync in syncs[:N_SYNCS]]
    return page(
        "integrations/show.html",
        card=Card(
            integration,
            seen[0] if seen and before_id is None else None,
            0,
            tools.kinds.described(integration.kind),
            access_warning(integration, now),
        ),
        may_manage=may_manage(vault.viewer, integration),
        provider=provider,
        consents=consents_instead(tools.kinds, integration, providers.values()),
        may_enter=may_switch(tools.kinds, integration),
        history=seen,
        next_before=syncs[N_SYNCS - 1].id if len(syncs) > N_SYNCS else None,
        is_first_page=before_id is None,
        failures=await vault.syncs.failures(integration_id, 0, N_FAILURES),
        n_failures=await vault.syncs.count_failures(integration_id),
        chart=history_chart(seen),
        guard=await asking(vault, integration_id),
        rhythms=CHOICES,
        chosen_words=chosen_in_words(integration.settings, provider.choice_noun) if provider else "",
        scope_words=words_of(scope_of(integration.settings)),
        mail_address=mail_address_of(tools, vault.viewer, integration),
        webhook=webhook_of(vault.viewer, integration, settings),
        hears_slack=bool(settings.slack_signing_secret),
        slack_address=f"{settings.base_url}/webhooks/slack",
    )


def consents_instead(kinds: Kinds, integration: Integration, providers: Iterable[Provider]) -> list[Provider]:
    """Return those whose consent may take the place of what was entered for an integration."""
    if is_by_consent(kinds.described(integration.kind), integration):
        return []
    there = integration.settings.get("host", "").lower()
    return [
        each
        for each in providers
        if may_take_over(kinds, each.kind, integration) and (each.kind == integration.kind or each.host == there)
    ]


def mail_address_of(tools: Tools, viewer: Viewer, integration: Integration) -> str:
    """Return the address at which an integration takes mail in, or ""."""
    if integration.kind != FORWARDING or tools.mail_addresses is None:
        return ""
    return tools.mail_addresses.address_of(viewer.tenant_id, integration.id)


async def asking(vault: Vault, integration_id: int) -> Guard | None:
    """Return the guard of an integration while it waits for an answer."""
    guard = await vault.deletions.guard(integration_id)
    return guard if guard is not None and guard.state is GuardState.ASKING else None


def webhook_of(viewer: Viewer, integration: Integration, settings: WebSettings) -> Webhook | None:
    """Return what to enter at the provider, for those who manage an integration that can be told of changes."""
    if integration.kind != IntegrationKind.GITHUB or not may_manage(viewer, integration):
        return None
    return Webhook(
        github_address(settings.base_url, viewer.tenant_id, integration.id),
        github_secret(settings.secret_key, viewer.tenant_id, integration.id),
    )


@get("/integrations/{integration_id:int}/failures", include_in_schema=False)
async def show_failures(vault: Vault, integration_id: FromPath[int], after: FromQuery[str] = "") -> Page:
    """List what could not be read, with the reasons."""
    integration = await vault.integrations.get(integration_id)
    failures = await vault.syncs.failures(integration_id, whole_number(after) or 0, N_FAILURES_A_PAGE + 1)
    return page(
        "integrations/failures.html",
        integration=integration,
        failures=failures[:N_FAILURES_A_PAGE],
        n_failures=await vault.syncs.count_failures(integration_id),
        next_after=failures[N_FAILURES_A_PAGE - 1].id if len(failures) > N_FAILURES_A_PAGE else None,
        is_first_page=not after,
    )


@post("/integrations/{integration_id:int}/syncs", include_in_schema=False)
async def request_sync(
    request: Request[Any, Any, Any], vault: Vault, tools: Tools, integration_id: FromPath[int]
) -> Response[Any]:
    """Begin a sync, unless one is on its way, and show it."""
    sync = await vault.syncs.request(integration_id, Trigger.PERSON)
    await vault.audit.record("sync.requested", sync.integration_name)
    if not wants_region(request):
        return see_other(f"/syncs/{sync.id}")
    counts = await vault.syncs.failure_counts()
    n_ahead = await count_ahead(vault, [sync])
    seen = view(sync, tools.now(), n_ahead.get(sync.id, 0))
    integration = await vault.integrations.get(integration_id)
    kind, access = tools.kinds.described(integration.kind), access_warning(integration, tools.now())
    card = Card(integration, seen, counts.get(integration_id, 0), kind, access)
    return page("integrations/_card.html", "integrations/_card.html", card=card)


@post("/integrations/{integration_id:int}/retries", include_in_schema=False)
async def retry(request: Request[Any, Any, Any], vault: Vault, integration_id: FromPath[int]) -> Response[Any]:
    """Try failed items again, those that are named or all of them, and show the sync that does it."""
    await vault.integrations.get(integration_id)
    named = (await request.form()).getall("failure", [])
    n_items = await vault.syncs.retry(integration_id, whole_numbers(named))
    if not n_items:
        return see_other(f"/integrations/{integration_id}", "There is nothing left to try again.")
    sync = await vault.syncs.request(integration_id, Trigger.RETRY)
    await vault.audit.record("sync.requested", f"{sync.integration_name}, {n_items} tried again")
    return see_other(f"/syncs/{sync.id}")


async def read_cards(vault: Vault, tools: Tools) -> list[Card]:
    """Return the cards of all integrations, by name."""
    latest, n_failures = await vault.syncs.latest(), await vault.syncs.failure_counts()
    n_ahead = await count_ahead(vault, latest.values())
    return [_card(integration, latest, n_failures, n_ahead, tools) for integration in await vault.integrations.all()]


def _card(
    integration: Integration,
    latest: dict[int, Sync],
    n_failures: dict[int, int],
    n_ahead: dict[int, int],
    tools: Tools,
) -> Card:
    sync = latest.get(integration.id)
    seen = view(sync, tools.now(), n_ahead.get(sync.id, 0)) if sync else None
    kind = tools.kinds.described(integration.kind)
    return Card(integration, seen, n_failures.get(integration.id, 0), kind, access_warning(integration, tools.now()))


@dataclass(slots=True)
class CardWatch:
    """What one stream of the integrations page knows: the cards its page shows."""

    request: Request[Any, Any, Any]
    viewer: Viewer
    doors: Doors
    cards: dict[int, Card] = field(default_factory=dict)

    async def snapshot(self) -> Sequence[Event]:
        """Return every card as it is now."""
        async with self.doors.open_vault(self.viewer) as vault:
            cards = await read_cards(vault, self.request.app.state.tools)
        self.cards = {card.integration.id: card for card in cards}
        return [self._event(card) for card in cards]

    async def answer(self, fact: Fact) -> Sequence[Event]:
        """Return the card a fact is about; what is not on the page, or not the viewer's, is passed over."""
        if isinstance(fact, IntegrationChanged):
            return await self.snapshot() if fact.integration_id in self.cards else ()
        if not isinstance(fact, SyncChanged) or fact.sync.integration_id not in self.cards:
            return ()
        if fact.sync.is_final:
            return await self.snapshot()
        card = self.cards[fact.sync.integration_id]
        moved = msgspec.structs.replace(card, seen=view(fact.sync, self.request.app.state.tools.now()))
        return [Event(moved.region, renderings_of(self.request).once(("card", fact.sync), lambda: self._markup(moved)))]

    def _event(self, card: Card) -> Event:
        return Event(card.region, self._markup(card))

    def _markup(self, card: Card) -> str:
        return render_shared(self.request, "integrations/_card.html", card=card)


routes = [index, follow_all, show, show_failures, request_sync, retry]
