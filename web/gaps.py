"""The gaps page: what the documents leave open, each with its evidence in context, and its dismissal for good."""

from collections.abc import Mapping
from urllib.parse import urlencode

import msgspec
from litestar import get, post
from litestar.params import FromPath, FromQuery

from domain.errors import NotFound
from domain.found_gaps import FoundGap, GapFilter, GapState
from domain.gap_kinds import GapKind, wording
from domain.gap_ranking import Lesson
from domain.vault import Vault
from web.forms import Form
from web.numbers import whole_number
from web.rendering import Page, SeeOther, page, see_other

N_GAPS = 30
MAX_PAGES = 1000


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
async def index(vault: Vault, show: FromQuery[str] = "", kind: FromQuery[str] = "", after: FromQuery[str] = "") -> Page:
    """Show the gaps that the viewer's documents have, best first."""
    lessons = tuple(await vault.ranking.lessons())
    narrowed = GapFilter(
        state=GapState.DISMISSED if show == GapState.DISMISSED else GapState.OPEN,
        kind=GapKind(kind) if kind in frozenset(GapKind) else None,
        lessons=lessons,
    )
    offset = min(whole_number(after) or 0, MAX_PAGES * N_GAPS)
    found = await vault.gaps.page(narrowed, offset, N_GAPS + 1)
    counts = await vault.gaps.counts(narrowed.state)
    return page(
        "gaps/index.html",
        gaps=[shown(gap) for gap in found[:N_GAPS]],
        total=counts.get(narrowed.kind, 0) if narrowed.kind else n_unmuted(counts, narrowed),
        muted=[Muted(each, wording(each.kind).name) for each in lessons if each.is_muted],
        narrowed=narrowed,
        kinds=[KindChoice(each.value, wording(each).name, count) for each, count in counts.items()],
        next_path=path_of(narrowed, offset + N_GAPS) if len(found) > N_GAPS else "",
        first_path=path_of(narrowed, 0) if offset else "",
    )


@post("/gaps/{gap_id:int}/dismissal", include_in_schema=False)
async def dismiss(vault: Vault, form: Form, gap_id: FromPath[int]) -> SeeOther:
    """Close a gap for good, with the reason given, if any."""
    await vault.gaps.dismiss(gap_id, form.value("reason"))
    await vault.audit.record("gap.dismissed", form.value("reason") or f"Gap {gap_id}")
    return see_other("/gaps", "Dismissed. This will not be asked again.")


@post("/gaps/{gap_id:int}/appraisal", include_in_schema=False)
async def praise(vault: Vault, gap_id: FromPath[int]) -> SeeOther:
    """Say that a question is worth asking, so that such come first. Raises: NotFound."""
    await vault.ranking.praise(gap_id)
    return see_other("/gaps", "Thank you. Such questions come earlier from now on.")


@post("/gap-kinds/{kind:str}/hearing", include_in_schema=False)
async def unmute(vault: Vault, kind: FromPath[str]) -> SeeOther:
    """Show a muted kind again, and forget what was said to it. Raises: NotFound."""
    if kind not in frozenset(GapKind):
        raise NotFound("There is no such kind of gap.")
    await vault.ranking.forget(GapKind(kind))
    await vault.audit.record("gaps.unmuted", wording(GapKind(kind)).name)
    return see_other("/gaps", "Shown again.")


@post("/gaps/{gap_id:int}/opening", include_in_schema=False)
async def reopen(vault: Vault, gap_id: FromPath[int]) -> SeeOther:
    """Open a dismissed gap again."""
    await vault.gaps.reopen(gap_id)
    await vault.audit.record("gap.reopened", f"Gap {gap_id}")
    return see_other("/gaps?show=dismissed", "Open again.")


def shown(gap: FoundGap) -> ShownGap:
    """Return a gap in the page's words."""
    place = urlencode({"version": gap.version_id, "start": gap.start, "end": gap.end})
    return ShownGap(gap, wording(gap.kind).name, wording(gap.kind).reason, f"/documents/{gap.document_id}?{place}")


def n_unmuted(counts: Mapping[GapKind, int], narrowed: GapFilter) -> int:
    """Return how many gaps are listed."""
    return sum(count for kind, count in counts.items() if kind not in narrowed.muted)


def path_of(narrowed: GapFilter, offset: int) -> str:
    """Return the address of a page of gaps."""
    asked = {"show": narrowed.state.value, "kind": narrowed.kind.value if narrowed.kind else "", "after": offset or ""}
    kept = {key: value for key, value in asked.items() if value and value != GapState.OPEN.value}
    return f"/gaps?{urlencode(kept)}" if kept else "/gaps"


routes = [index, dismiss, praise, unmute, reopen]
