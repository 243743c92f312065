"""Why can't I find this? The stations between a source and a search result, and at which of them something stopped.

What a viewer may not see is never told from what does not exist: a member gets the same words for both. An admin learns
of a shared document that it exists and how many people may read it, but only by its exact address or title.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import msgspec

from domain.errors import Invalid
from domain.integrations import Integration, IntegrationKind
from domain.scope import left_out_path, scope_of
from domain.syncs import Sync, SyncState
from domain.trails import ItemStage

MAX_CHARACTERS = 2_000
LONG_ID = re.compile(r"[A-Za-z0-9_-]{15,200}")
PAGE_ID = re.compile(r"(?:^|[/-])([0-9a-f]{32})$")
MESSAGE_ID = re.compile(r"/archives/([A-Z0-9]+)/p(\d{10})(\d{6})$")


class Station(StrEnum):
    """Where something may have stopped, in the order of the way."""

    SOURCE = "source"
    FILTER = "filter"
    PERMISSION = "permission"
    PARSE = "parse"
    INDEX = "index"
    RANK = "rank"


class Outcome(StrEnum):
    """What is known of a station."""

    PASSED = "passed"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


class Finding(msgspec.Struct, frozen=True):
    """One station; `words` say what is known and what to do next."""

    station: Station
    outcome: Outcome
    words: str
    path: str = ""
    """Where to go on, with what a person may do there in `action`."""
    action: str = ""


class Sighting(msgspec.Struct, frozen=True):
    """A document that the viewer may read."""

    document_id: int
    title: str
    integration_id: int
    integration_name: str
    n_chunks: int
    n_people: int
    is_gone: bool


class Hidden(msgspec.Struct, frozen=True):
    """A shared document an admin asked for by its exact name, but may not read."""

    integration_name: str
    n_people: int


class Trace(msgspec.Struct, frozen=True):
    """The last that was heard of an item which is no document."""

    integration_id: int
    integration_name: str
    name: str
    stage: ItemStage
    note: str
    at: datetime


class Evidence(msgspec.Struct, frozen=True):
    """What the vault knows of something, as far as the viewer may know it."""

    sightings: tuple[Sighting, ...] = ()
    hidden: tuple[Hidden, ...] = ()
    traces: tuple[Trace, ...] = ()


class Placing(msgspec.Struct, frozen=True):
    """Where a document stands in a search; `place` is None when it is not among the best passages."""

    words: str
    place: int | None


class Whereabouts(Protocol):
    """Looks for something in one tenant, in the eyes of one viewer."""

    async def look(self, wanted: str) -> Evidence:
        """Return what is known of an address, an external id or a title."""


def checked(entered: str) -> str:
    """Return what is looked for. Raises: Invalid when it is empty."""
    wanted = " ".join("".join(letter if letter.isprintable() else " " for letter in entered).split())[:MAX_CHARACTERS]
    if not wanted:
        raise Invalid("Paste an address or a title.", {"wanted": "Paste an address or a title."})
    return wanted


def addresses(wanted: str) -> tuple[str, ...]:
    """Return the forms under which an address may be stored: with and without fragment, query and last slash.

    What a browser shows is often not what the source told us, so ids of things within it count as well.
    """
    whole = wanted.strip()
    bare = whole.partition("#")[0]
    short = bare.partition("?")[0]
    forms = [whole, bare, bare.rstrip("/"), short, short.rstrip("/"), f"{short.rstrip('/')}/"]
    named = _ids_in(whole) if "://" in whole else ()
    return tuple(dict.fromkeys(form for form in (*forms, *named) if form))


def _ids_in(address: str) -> list[str]:
    """The ids in an address: long parts of it (Google's), the end of a page's name (Notion's), a message (Slack's)."""
    parts = urlsplit(address)
    names = [*parts.path.split("/"), *(value for values in parse_qs(parts.query).values() for value in values)]
    found = [name for name in names if LONG_ID.fullmatch(name)]
    if page := PAGE_ID.search(parts.path.rstrip("/")):
        number = str(UUID(page[1]))
        found += [f"page/{number}", f"data_source/{number}"]
    if message := MESSAGE_ID.search(parts.path):
        thread = parse_qs(parts.query).get("thread_ts", [f"{message[2]}.{message[3]}"])[0]
        found.append(f"{message[1]}/thread-{thread}")
    return found


def explain(
    wanted: str,
    evidence: Evidence,
    integrations: Sequence[Integration],
    latest: Sequence[Sync],
    placing: Placing | None,
    is_admin: bool,
) -> list[Finding]:
    """Return the stations in order, up to the one where it stopped."""
    if evidence.sightings:
        return _seen(evidence.sightings[0], placing)
    if evidence.hidden:
        return _hidden(evidence.hidden[0])
    if evidence.traces:
        return _traced(evidence.traces[0])
    if words := _not_chosen(wanted, integrations):
        return [_passed(Station.SOURCE, "A source of this kind is connected."), words]
    return [_unknown_at_source(integrations, latest), *([] if is_admin else [_maybe_not_shared()])]


def _seen(sighting: Sighting, placing: Placing | None) -> list[Finding]:
    way = [
        _passed(Station.SOURCE, f"“{sighting.integration_name}” has listed it."),
        _passed(Station.FILTER, "It is among what is read."),
        _passed(Station.PERMISSION, _readers(sighting.n_people)),
        _passed(Station.PARSE, "Its text could be read."),
    ]
    path = f"/documents/{sighting.document_id}"
    if not sighting.n_chunks:
        words = "It holds no text that could be searched: an empty file, or only pictures. It opens by its title."
        return [*way, Finding(Station.INDEX, Outcome.STOPPED, words, path, "Open it")]
    passages = "1 passage" if sighting.n_chunks == 1 else f"{sighting.n_chunks:,} passages"
    gone = " The source has it no more; it was kept here." if sighting.is_gone else ""
    way.append(_passed(Station.INDEX, f"It is indexed, in {passages}.{gone}"))
    return [*way, _ranked(placing, path)]


def _ranked(placing: Placing | None, path: str) -> Finding:
    if placing is None:
        return Finding(
            Station.RANK, Outcome.UNKNOWN, "Say which words you searched with to see its place.", path, "Open"
        )
    if placing.place is None:
        words = f"For “{placing.words}” other documents come before it, so far that it is not shown. Use its own words."
        return Finding(Station.RANK, Outcome.STOPPED, words, path, "Open it")
    words = f"For “{placing.words}” it stands at place {placing.place}."
    return Finding(Station.RANK, Outcome.PASSED, words, path, "Open it")


def _hidden(hidden: Hidden) -> list[Finding]:
    words = (
        f"It is in “{hidden.integration_name}”, but not shared with you: {_people(hidden.n_people)} may read it. "
        "Share it at the source; from the next sync on it is found here."
    )
    return [
        _passed(Station.SOURCE, f"“{hidden.integration_name}” has listed it."),
        _passed(Station.FILTER, "It is among what is read."),
        Finding(Station.PERMISSION, Outcome.STOPPED, words),
    ]


def _traced(trace: Trace) -> list[Finding]:
    listed = _passed(Station.SOURCE, f"“{trace.integration_name}” has listed it as {trace.name}.")
    home = f"/integrations/{trace.integration_id}"
    match trace.stage:
        case ItemStage.FILTERED:
            words = trace.note or "It is not among what was chosen."
            return [
                listed,
                Finding(Station.FILTER, Outcome.STOPPED, words, f"{home}/scope/edit", "Choose what is read"),
            ]
        case ItemStage.DELETED:
            words = f"“{trace.integration_name}” had it once. It is gone at the source, and so it is gone here."
            return [Finding(Station.SOURCE, Outcome.STOPPED, words, home, "See its syncs")]
        case ItemStage.FAILED:
            chosen = _passed(Station.FILTER, "It is among what is read.")
            words = trace.note or "It could not be read."
            return [
                listed,
                chosen,
                Finding(Station.PARSE, Outcome.STOPPED, words, f"{home}/failures", "See the failures"),
            ]
        case _:
            chosen = _passed(Station.FILTER, "It is among what is read.")
            words = f"It was {trace.stage.value} and is on its way. Look again in a minute."
            return [listed, chosen, Finding(Station.INDEX, Outcome.UNKNOWN, words, home, "Watch its sync")]


def _not_chosen(wanted: str, integrations: Sequence[Integration]) -> Finding | None:
    """What can be told from an address or a path alone."""
    found = (_not_chosen_in(wanted, integration) for integration in integrations)
    return next((finding for finding in found if finding), None)


def _not_chosen_in(wanted: str, integration: Integration) -> Finding | None:
    home = f"/integrations/{integration.id}"
    if "://" in wanted:
        parts = urlsplit(wanted)
        name = "/".join(parts.path.strip("/").split("/")[:2])
        is_repository = "github" in parts.netloc and integration.kind == IntegrationKind.GITHUB and "/" in name
        if not is_repository or name in integration.settings.get("chosen", "").split("\n"):
            return None
        words = f"The repository {name} is not chosen in “{integration.name}”."
        return Finding(Station.FILTER, Outcome.STOPPED, words, f"{home}/selection/edit", "Choose repositories")
    reason = left_out_path(wanted, scope_of(integration.settings)) if "/" in wanted.strip("/") else ""
    if not reason:
        return None
    action = f"Choose what “{integration.name}” reads"
    return Finding(Station.FILTER, Outcome.STOPPED, reason, f"{home}/scope/edit", action)


def _unknown_at_source(integrations: Sequence[Integration], latest: Sequence[Sync]) -> Finding:
    if not integrations:
        return Finding(
            Station.SOURCE,
            Outcome.STOPPED,
            "Nothing is connected yet.",
            "/integrations",
            "Connect a source or upload it",
        )
    troubled = [sync for sync in latest if sync.state in (SyncState.FAILED, SyncState.HELD, SyncState.CANCELLED)]
    busy = [sync for sync in latest if not sync.is_final]
    if busy:
        words = f"No source has listed it yet, but “{busy[0].integration_name}” is being read now. Look again later."
        return Finding(Station.SOURCE, Outcome.UNKNOWN, words, f"/syncs/{busy[0].id}", "Watch")
    if troubled:
        words = f"No source has listed it. The last sync of “{troubled[0].integration_name}” did not come to its end."
        return Finding(Station.SOURCE, Outcome.STOPPED, words, f"/syncs/{troubled[0].id}", "See why")
    words = (
        "No connected source has listed it under this address or title. Check the spelling, connect the source it "
        "lies in, or upload it."
    )
    return Finding(Station.SOURCE, Outcome.STOPPED, words, "/integrations", "See what is connected")


def _maybe_not_shared() -> Finding:
    words = (
        "If it does exist, it is not shared with you. Ask whoever owns it to share it at the source, "
        "or an admin to look for it."
    )
    return Finding(Station.PERMISSION, Outcome.UNKNOWN, words)


def _passed(station: Station, words: str) -> Finding:
    return Finding(station, Outcome.PASSED, words)


def _readers(n_people: int) -> str:
    if n_people <= 1:
        return "You may read it, and nobody else."
    return f"You may read it, one of {_people(n_people)}."


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"
