"""The contradictions page: two quotes side by side, what most likely holds, and the word of whoever owns them."""

from urllib.parse import urlencode

import msgspec
from litestar import get, post
from litestar.params import FromPath, FromQuery

from domain.errors import Forbidden, Invalid
from domain.people import Viewer
from domain.radar import Contradiction, ShownSide, SideName, Standing, may_settle, proposal
from domain.vault import Vault
from web.forms import Form
from web.narrowing import passage_path
from web.numbers import whole_number
from web.rendering import Page, SeeOther, page, see_other

N_SHOWN = 20
MAX_PAGES = 1000
TABS = ((Standing.OPEN, "Open"), (Standing.SETTLED, "Settled"), (Standing.DISMISSED, "Dismissed"))
NOT_YOURS = "Only the author of one of the two documents, or an admin, can say which one holds. Ask one of them."


class Side(msgspec.Struct, frozen=True):
    """One of the two quotes, and where it stands."""

    said: ShownSide
    path: str
    is_proposed: bool
    is_winner: bool
    is_loser: bool


class ShownContradiction(msgspec.Struct, frozen=True):
    """A contradiction as the page words it."""

    found: Contradiction
    sides: tuple[Side, ...]
    proposed: str
    """Why one side is proposed; "" where neither is."""
    may_settle: bool


@get("/contradictions", include_in_schema=False)
async def index(vault: Vault, show: FromQuery[str] = "open", after: FromQuery[str] = "") -> Page:
    """Show what clashes among the documents that the viewer may read, surest first."""
    state = Standing(show) if show in frozenset(Standing) else Standing.OPEN
    offset = min(whole_number(after) or 0, MAX_PAGES * N_SHOWN)
    found = await vault.radar.page(state, offset, N_SHOWN + 1)
    counts = await vault.radar.counts()
    return page(
        "contradictions/index.html",
        contradictions=[shown(each, vault.viewer) for each in found[:N_SHOWN]],
        state=state,
        tabs=[(f"{name} ({counts.get(each, 0):,})", path_of(each, 0), each is state) for each, name in TABS],
        next_path=path_of(state, offset + N_SHOWN) if len(found) > N_SHOWN else "",
        first_path=path_of(state, 0) if offset else "",
    )


@post("/contradictions/{contradiction_id:int}/settlement", include_in_schema=False)
async def settle(vault: Vault, form: Form, contradiction_id: FromPath[int]) -> SeeOther:
    """Say which side holds. Raises: NotFound, Forbidden, Invalid."""
    found = await owned(vault, contradiction_id)
    if form.value("winner") not in frozenset(SideName):
        raise Invalid("Choose the statement that holds.")
    winner = SideName(form.value("winner"))
    await vault.radar.close(contradiction_id, Standing.SETTLED, winner.value)
    held = next(side for side in found.sides if side.name is winner)
    await vault.audit.record("contradiction.settled", held.title)
    return see_other("/contradictions", f"Settled: “{held.title}” holds. Answers from the other side are marked.")


@post("/contradictions/{contradiction_id:int}/dismissal", include_in_schema=False)
async def dismiss(vault: Vault, contradiction_id: FromPath[int]) -> SeeOther:
    """Say that both hold. Raises: NotFound, Forbidden."""
    await owned(vault, contradiction_id)
    await vault.radar.close(contradiction_id, Standing.DISMISSED, "")
    await vault.audit.record("contradiction.dismissed", f"Contradiction {contradiction_id}")
    return see_other("/contradictions", "Dismissed. It comes back only if one of the texts changes.")


@post("/contradictions/{contradiction_id:int}/opening", include_in_schema=False)
async def reopen(vault: Vault, contradiction_id: FromPath[int]) -> SeeOther:
    """Take a settlement or a dismissal back. Raises: NotFound, Forbidden."""
    found = await owned(vault, contradiction_id)
    await vault.radar.reopen(contradiction_id)
    await vault.audit.record("contradiction.reopened", f"Contradiction {contradiction_id}")
    return see_other(path_of(found.state, 0), "Open again.")


@post("/answer-notices/{contradiction_id:int}/{message_id:int}/reading", include_in_schema=False)
async def read_notice(vault: Vault, contradiction_id: FromPath[int], message_id: FromPath[int]) -> SeeOther:
    """Put a notice about one's own answer away."""
    await vault.radar.read_notice(contradiction_id, message_id)
    return see_other("/")


async def owned(vault: Vault, contradiction_id: int) -> Contradiction:
    """Return one that is the viewer's to settle. Raises: NotFound, Forbidden."""
    found = await vault.radar.get(contradiction_id)
    if not may_settle(vault.viewer, found):
        raise Forbidden(NOT_YOURS)
    return found


def shown(found: Contradiction, viewer: Viewer) -> ShownContradiction:
    """Return a contradiction in the page's words."""
    proposed = proposal(found) if found.state is Standing.OPEN else None
    sides = tuple(
        Side(
            said,
            passage_path(said.document_id, said.version_id, said.start, said.end),
            is_proposed=proposed is not None and proposed[0] is said.name,
            is_winner=found.winner == said.name,
            is_loser=found.winner not in ("", said.name),
        )
        for said in found.sides
    )
    return ShownContradiction(found, sides, proposed[1] if proposed else "", may_settle(viewer, found))


def path_of(state: Standing, offset: int) -> str:
    """Return the address of a page of contradictions."""
    asked = {"show": "" if state is Standing.OPEN else state.value, "after": offset or ""}
    kept = {key: value for key, value in asked.items() if value}
    return f"/contradictions?{urlencode(kept)}" if kept else "/contradictions"


routes = [index, settle, dismiss, reopen, read_notice]
