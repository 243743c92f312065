"""Golden questions: the list, the runs over them as a trend, and what broke; for admins, who answer for the vault."""

from collections.abc import Sequence

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from domain.errors import Invalid
from domain.golden import Evidence, Expects, GoldenQuestion, Origin, Result, Run, RunCause, RunState
from domain.golden_runs import broken, fingerprint
from domain.retrieval import checked_question
from domain.vault import Tools, Vault
from web.forms import EMPTY, Form
from web.numbers import whole_number
from web.rendering import Page, page, see_other
from web.sessions import require_admin

N_RUNS = 30
CHART_WIDTH, CHART_HEIGHT = 640, 160
MARGIN = 24
"""Room around the line, in the chart's own units."""
NO_QUESTION = "Type the question that must be answered."
NO_DOCUMENT = "Give the number at the end of the document's address, or leave the field empty."
WAITS = "A run waits already. It starts as soon as a worker is free."
NOTHING = "There is nothing to run yet. Add a question first."


class Point(msgspec.Struct, frozen=True):
    """A run in the chart."""

    x: float
    y: float
    run: Run


class ShownQuestion(msgspec.Struct, frozen=True):
    """A golden question with what may be shown of its evidence, and what became of it last."""

    question: GoldenQuestion
    evidence: tuple[Evidence, ...]
    last: Result | None


@get("/golden-questions", include_in_schema=False, guards=[require_admin])
async def index(vault: Vault) -> Page:
    """Show the questions, the trend, and what broke."""
    return await index_page(vault, EMPTY)


async def index_page(vault: Vault, form: Form, status: int = 200) -> Page:
    """Return the page, with what was wrong with its form."""
    questions, evidence = await vault.golden.questions(), await vault.golden.evidence()
    runs = await vault.golden.runs(N_RUNS)
    results = await vault.golden.results([run.id for run in runs])
    finished = [run for run in runs if run.state is RunState.FINISHED]
    last = {result.question_id: result for result in results.get(finished[0].id, ())} if finished else {}
    return page(
        "golden_questions/index.html",
        status=status,
        form=form,
        questions=[show_question(each, evidence, last.get(each.id)) for each in questions],
        runs=runs,
        points=chart(finished),
        broken=broken(questions, runs, results, evidence),
        is_running=any(run.state in (RunState.QUEUED, RunState.RUNNING) for run in runs),
    )


def show_question(question: GoldenQuestion, evidence: Sequence[Evidence], last: Result | None) -> ShownQuestion:
    """Return a question as the list has it."""
    return ShownQuestion(question, tuple(each for each in evidence if each.question_id == question.id), last)


def chart(finished: Sequence[Run]) -> tuple[Point, ...]:
    """Return the runs as points, the oldest first, evenly apart; the share that passed is their height."""
    oldest_first = list(reversed(finished))
    step = (CHART_WIDTH - 2 * MARGIN) / max(1, len(oldest_first) - 1)
    room = CHART_HEIGHT - 2 * MARGIN
    return tuple(
        Point(round(MARGIN + place * step, 1), round(MARGIN + room * (1 - run.share), 1), run)
        for place, run in enumerate(oldest_first)
    )


@post("/golden-questions", include_in_schema=False, guards=[require_admin])
async def create(vault: Vault, form: Form) -> Response[str]:
    """Add a question by hand."""
    try:
        question, expects = read_question(form), read_expects(form)
        document_id = await read_document(vault, form)
    except Invalid as error:
        return await index_page(vault, form.refused(error), status=422)
    quotes = [] if document_id is None or expects is Expects.REFUSAL else [(document_id, "")]
    await vault.golden.add(question, expects, Origin.ENTERED, quotes)
    return see_other("/golden-questions", "The question is kept. The next run asks it.")


@post("/golden-questions/{question_id:int}/removal", include_in_schema=False, guards=[require_admin])
async def remove(vault: Vault, question_id: FromPath[int]) -> Response[str]:
    """Remove a question with its results."""
    await vault.golden.remove(question_id)
    return see_other("/golden-questions", "The question is removed.")


@post("/golden-questions/runs", include_in_schema=False, guards=[require_admin])
async def run(vault: Vault, tools: Tools) -> Response[str]:
    """Queue a run."""
    made_with = fingerprint(tools.speaking(await vault.passages.model()))
    requested = await vault.golden.request(RunCause.ASKED, f"asked for by {vault.viewer.name}", made_with)
    if requested is not None:
        return see_other("/golden-questions", "The run is queued. Reload the page in a moment.")
    return see_other("/golden-questions", WAITS if await vault.golden.questions() else NOTHING)


def read_question(form: Form) -> str:
    """Return the question of a form. Raises: Invalid when there is none."""
    try:
        return checked_question(form.value("question"))
    except Invalid as error:
        raise Invalid(NO_QUESTION, {"question": NO_QUESTION}) from error


def read_expects(form: Form) -> Expects:
    """Return what is expected; an answer unless the form says otherwise."""
    return Expects.REFUSAL if form.value("expects") == Expects.REFUSAL else Expects.ANSWER


async def read_document(vault: Vault, form: Form) -> int | None:
    """Return the document of a form, from its number or its address. Raises: Invalid where there is none such."""
    written = form.value("document").partition("?")[0].rstrip("/").rpartition("/")[2]
    if not written:
        return None
    document_id = whole_number(written)
    if document_id is None or not await vault.documents.get_many([document_id]):
        raise Invalid(NO_DOCUMENT, {"document": NO_DOCUMENT})
    return document_id


routes = [index, create, remove, run]
