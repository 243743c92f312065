"""Handovers: choose who leaves, ask what they alone know, and watch the coverage rise as they answer."""

from collections.abc import Sequence
from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from domain.answering import answer_gap, answers_integration
from domain.entities import EntityKind
from domain.errors import Invalid, NotFound
from domain.expertise import standings
from domain.facts import Fact, HandoverChanged
from domain.found_gaps import GapFilter
from domain.gap_answers import Via, checked
from domain.handovers import Handover, plan, principals_of
from domain.people import Viewer
from domain.syncs import Trigger
from domain.vault import Tools, Vault
from web.doors import Doors
from web.events import CLOSE, Event, EventStream, follow, render_shared
from web.forms import EMPTY, Form
from web.numbers import whole_number
from web.rendering import Page, page, see_other

N_PEOPLE = 200
N_DEEDS = 1_000
N_GAPS_LOOKED_AT = 300
COVERAGE = "handovers/_coverage.html"
LOOK = "Please look at the marked fields."
NOTHING_KNOWN = "The vault knows of nothing that hangs on this person. Bring in documents that name them."


@get("/handovers", include_in_schema=False)
async def index(vault: Vault) -> Page:
    """Show the handovers under way, and the form to begin one."""
    return await index_page(vault, EMPTY, 200)


@post("/handovers", include_in_schema=False)
async def begin(vault: Vault, tools: Tools, form: Form) -> Response[Any]:
    """Begin the interview of the person chosen."""
    try:
        handover_id = await begin_handover(vault, tools, whole_number(form.value("person")), form)
    except Invalid as error:
        return await index_page(vault, form.refused(error), 422)
    return see_other(f"/handovers/{handover_id}")


async def begin_handover(vault: Vault, tools: Tools, person_id: int | None, form: Form) -> int:
    """Plan and keep an interview. Raises: Invalid when nobody was chosen, or nothing hangs on them."""
    if person_id is None:
        raise Invalid(LOOK, {"person": "Choose who leaves."})
    person = await vault.entities.get(person_id)
    deeds = await vault.graph.deeds_of(person_id, N_DEEDS)
    found = await vault.gaps.page(GapFilter(), N_GAPS_LOOKED_AT)
    planned = plan(standings(deeds, tools.now()), person_id, found.gaps, person.name)
    if not planned:
        raise Invalid(LOOK, {"person": NOTHING_KNOWN})
    readers = principals_of(vault.viewer, form.value("readers") == "everyone")
    handover_id = await vault.handovers.begin(person.name, planned, readers)
    await vault.audit.record("handover.begun", person.name)
    return handover_id


@get("/handovers/{handover_id:int}", include_in_schema=False)
async def show(vault: Vault, handover_id: FromPath[int]) -> Page:
    """Show an interview; the page follows its coverage by itself."""
    return page("handovers/show.html", handover=await vault.handovers.get(handover_id), form=EMPTY, wrong_place=0)


@post("/handovers/{handover_id:int}/answers/{place:int}", include_in_schema=False)
async def answer(vault: Vault, form: Form, handover_id: FromPath[int], place: FromPath[int]) -> Response[Any]:
    """Keep one answer; what documents ask is answered as their gap is."""
    handover = await vault.handovers.get(handover_id)
    asked = next((each for each in handover.questions if each.place == place), None)
    if asked is None:
        raise NotFound("This question is not part of the handover.")
    try:
        text = checked(form.value("text"))
    except Invalid as error:
        refused = form.refused(error)
        return page("handovers/show.html", status=422, handover=handover, form=refused, wrong_place=place)
    if asked.gap_id is not None:
        await answer_gap(vault, await vault.gap_answers.gap(asked.gap_id), text, Via.INTERVIEW, None)
    await vault.handovers.answer(handover_id, place, "" if asked.gap_id is not None else text)
    await vault.syncs.request((await answers_integration(vault)).id, Trigger.UPLOAD)
    return see_other(f"/handovers/{handover_id}#question-{place}", "Kept. The document is being brought up to date.")


@get("/handovers/{handover_id:int}/events", include_in_schema=False)
async def follow_one(
    request: Request[Any, Any, Any], viewer: Viewer, doors: Doors, handover_id: FromPath[int]
) -> EventStream:
    """Stream the coverage of a handover. Raises: NotFound, before anything is sent."""

    async def snapshot() -> Sequence[Event]:
        try:
            async with doors.open_vault(viewer) as vault:
                handover = await vault.handovers.get(handover_id)
        except NotFound:
            return [CLOSE]
        return [Event(f"coverage-{handover_id}", rendered(request, handover))]

    async def changed(fact: Fact) -> Sequence[Event]:
        is_ours = isinstance(fact, HandoverChanged) and fact.handover_id == handover_id
        return await snapshot() if is_ours else ()

    async with doors.open_vault(viewer) as vault:
        await vault.handovers.get(handover_id)
    return EventStream(follow(doors.watch, request, viewer, snapshot, changed))


def rendered(request: Request[Any, Any, Any], handover: Handover) -> str:
    """Return the region of the coverage."""
    return render_shared(request, COVERAGE, handover=handover)


async def index_page(vault: Vault, form: Form, status: int) -> Page:
    """Return the list with the form to begin one."""
    people = await vault.entities.page(EntityKind.PERSON.value, "", "", N_PEOPLE)
    choices = sorted(((str(each.id), each.name) for each in people.entities), key=lambda pair: pair[1].casefold())
    return page(
        "handovers/index.html",
        status=status,
        form=form,
        handovers=await vault.handovers.all(),
        people=choices,
    )


routes = [index, begin, show, answer, follow_one]
