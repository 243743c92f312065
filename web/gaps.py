"""The gaps page: what the documents leave open, each with its evidence in context, and its dismissal for good."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Request, get, post
from litestar.params import FromPath

from domain.errors import NotFound
from domain.found_gaps import FoundGap, GapFilter
from domain.gap_kinds import GapKind, wording
from domain.gap_ranking import Lesson
from domain.vault import Vault
from web.forms import Form
from web.gap_list import SORTS, path_back, read_query
from web.rendering import Page, SeeOther, page, see_other

N_GAPS = 30


class ShownGap(msgspec.Struct, frozen=True):
    """A gap as the page words it."""

    gap: FoundGap
    name: str
    why: str
    evidence_path: str
    """The document, with the sentence marked."""


class KindChoice(msgspec.Struct, frozen=True):
    """A kind to narrow the page to."""

    value: str
    words: str
    count: int


class Muted(msgspec.Struct, frozen=True):
    """A kind that is not shown unasked any more."""

    lesson: Lesson
    name: str


@get("/gaps", include_in_schema=False)
async def index(request: Request[Any, Any, Any], vault: Vault) -> Page:
    """Show the gaps that the viewer's documents have, narrowed and ordered as the address says."""
    query = read_query(request.query_params)
    lessons = await vault.ranking.lessons()
    narrowed = query.narrowed(lessons)
    found = await vault.gaps.page(narrowed, N_GAPS, query.sort, query.key)
    counts = await vault.gaps.counts(query.state, query.person)
    listed = page(
        "gaps/index.html",
        "gaps/_list.html",
        gaps=[shown(gap) for gap in found.gaps],
        total=counts.get(query.kind, 0) if query.kind else n_unmuted(counts, narrowed),
        muted=[Muted(each, wording(each.kind).name) for each in lessons if each.is_muted],
        query=query,
        sorts=SORTS,
        kinds=kinds_to_choose(counts, query.kind),
        people=people_to_choose(query.person, vault.viewer.name),
        next_path=query.path_to(after=found.next_key) if found.next_key else "",
        first_path=query.path_to(after="") if query.key else "",
    )
    listed.headers["HX-Push-Url"] = query.path
    return listed


@post("/gaps/{gap_id:int}/dismissal", include_in_schema=False)
async def dismiss(vault: Vault, form: Form, gap_id: FromPath[int]) -> SeeOther:
    """Close a gap for good, with the reason given, if any."""
    await vault.gaps.dismiss(gap_id, form.value("reason"))
    await vault.audit.record("gap.dismissed", form.value("reason") or f"Gap {gap_id}")
    return see_other(path_back(form), "Dismissed. This will not be asked again.")


@post("/gaps/{gap_id:int}/appraisal", include_in_schema=False)
async def praise(vault: Vault, form: Form, gap_id: FromPath[int]) -> SeeOther:
    """Say that a question is worth asking, so that such come first. Raises: NotFound."""
    await vault.ranking.praise(gap_id)
    return see_other(path_back(form), "Thank you. Such questions come earlier from now on.")


@post("/gap-kinds/{kind:str}/hearing", include_in_schema=False)
async def unmute(vault: Vault, kind: FromPath[str]) -> SeeOther:
    """Show a muted kind again, and forget what was said to it. Raises: NotFound."""
    if kind not in frozenset(GapKind):
        raise NotFound("There is no such kind of gap.")
    await vault.ranking.forget(GapKind(kind))
    await vault.audit.record("gaps.unmuted", wording(GapKind(kind)).name)
    return see_other("/gaps", "Shown again.")


@post("/gaps/{gap_id:int}/opening", include_in_schema=False)
async def reopen(vault: Vault, form: Form, gap_id: FromPath[int]) -> SeeOther:
    """Open a dismissed gap again."""
    await vault.gaps.reopen(gap_id)
    await vault.audit.record("gap.reopened", f"Gap {gap_id}")
    return see_other(path_back(form, "/gaps?show=dismissed"), "Open again.")


def shown(gap: FoundGap) -> ShownGap:
    """Return a gap in the page's words."""
    place = urlencode({"version": gap.version_id, "start": gap.start, "end": gap.end})
    return ShownGap(gap, wording(gap.kind).name, wording(gap.kind).reason, f"/documents/{gap.document_id}?{place}")


def n_unmuted(counts: Mapping[GapKind, int], narrowed: GapFilter) -> int:
    """Return how many gaps are listed."""
    return sum(count for kind, count in counts.items() if kind not in narrowed.muted)


def kinds_to_choose(counts: Mapping[GapKind, int], chosen: GapKind | None) -> list[KindChoice]:
    """Return the kinds of which there are any, most first, and the one that is chosen."""
    offered = {**counts, **({chosen: counts.get(chosen, 0)} if chosen else {})}
    return [KindChoice(each.value, wording(each).name, count) for each, count in offered.items()]


def people_to_choose(asked: str, own: str) -> list[tuple[str, str]]:
    """Return whom the page can be narrowed to: everybody, the viewer, and whom it is narrowed to now."""
    other = [(asked, asked)] if asked and asked.casefold() != own.casefold() else []
    return [("", "Everybody"), (own, f"Me ({own})"), *other]


routes = [index, dismiss, praise, unmute, reopen]
