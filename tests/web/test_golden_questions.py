"""Golden questions: entered or approved, run by a job, shown as a trend with what broke and why."""

from dataclasses import replace

import pytest_asyncio
from procrastinate.jobs import Status

from domain.embedding import EmbeddingModel
from domain.golden import Outcome, RunCause
from domain.golden_runs import fingerprint, request_after_change, request_after_sync
from domain.people import Viewer, system_viewer
from domain.vault import Tools
from infra.golden_jobs import look_for_changes, run_golden
from infra.store import Stores
from tests import factories
from tests.domain.fakes import WordEmbedder
from tests.factories import Source
from tests.web.asking import HANDBOOK, LIBRARY, bring_in
from tests.web.browser import Browser
from tests.web.test_conversations import QUESTION, UNANSWERED

PAGE = "/golden-questions"


@pytest_asyncio.fixture
async def library(stores: Stores, tools: Tools, source: Source, admin_viewer: Viewer) -> None:
    await bring_in(stores, tools, source, admin_viewer, LIBRARY)


async def handbook_id(stores: Stores, viewer: Viewer) -> int:
    async with stores.open_vault(viewer) as vault:
        integration = (await vault.integrations.all())[0]
        return (await vault.documents.known(integration.id, ["handbook.md"]))["handbook.md"].document_id


async def run_all(stores: Stores, tools: Tools, viewer: Viewer, cause: RunCause = RunCause.ASKED) -> dict[str, Outcome]:
    """Carry out a run as a worker does; return each question's outcome."""
    async with stores.open_vault(viewer) as vault:
        run = await vault.golden.request(cause, "", fingerprint(tools))
        assert run is not None
    await run_golden(stores.open_vault, tools, viewer.tenant_id, run.id)
    async with stores.open_vault(viewer) as vault:
        questions = {each.id: each.question for each in await vault.golden.questions()}
        results = (await vault.golden.results([run.id]))[run.id]
    return {questions[each.question_id]: each.outcome for each in results}


async def add(admin: Browser, question: str, **fields: str) -> Browser:
    await admin.visit(PAGE)
    return await admin.submit(PAGE, question=question, **fields)


async def test_the_page_begins_empty_and_says_what_to_do(admin: Browser) -> None:
    await admin.visit(PAGE)
    assert "No golden questions yet" in admin.words
    assert admin.page.css_first("svg.trend") is None
    await admin.post(f"{PAGE}/runs", csrf_token=admin.csrf_token())
    assert "Add a question first" in admin.words


async def test_a_question_is_entered_run_and_its_trend_shown(
    admin: Browser, library: None, stores: Stores, tools: Tools, admin_viewer: Viewer
) -> None:
    document_id = await handbook_id(stores, admin_viewer)
    await add(admin, QUESTION, document=f"http://vault.test/documents/{document_id}?version=3")
    await add(admin, UNANSWERED, expects="refusal")
    await add(admin, "Which oil did the storage round choose?", document=str(document_id))
    await add(admin, "Who paints the ships?")
    outcomes = await run_all(stores, tools, admin_viewer)
    assert outcomes == {
        QUESTION: Outcome.PASSED,
        UNANSWERED: Outcome.PASSED,
        "Which oil did the storage round choose?": Outcome.ELSEWHERE,
        "Who paints the ships?": Outcome.REFUSED,
    }
    await admin.visit(PAGE)
    assert len(admin.page.css("svg.trend circle")) == 1
    assert "2 of 4 questions passed in the newest run" in admin.words
    assert "Answered from elsewhere" in admin.words


async def test_a_press_of_the_button_queues_one_job_however_often(
    admin: Browser, library: None, stores: Stores, admin_viewer: Viewer
) -> None:
    await add(admin, QUESTION)
    await admin.submit(f"{PAGE}/runs")
    assert "queued" in admin.words
    await admin.post(f"{PAGE}/runs", csrf_token=admin.csrf_token())
    assert "waits already" in admin.words
    async with stores.queue.open_async():
        jobs = [
            job
            for job in await stores.queue.job_manager.list_jobs_async(task="golden_run", status=Status.TODO.value)
            if job.task_kwargs["tenant_id"] == admin_viewer.tenant_id
        ]
    assert len(jobs) == 1


async def test_what_broke_is_named_with_what_had_changed(
    admin: Browser, library: None, stores: Stores, tools: Tools, source: Source, admin_viewer: Viewer
) -> None:
    await add(admin, QUESTION, document=str(await handbook_id(stores, admin_viewer)))
    assert await run_all(stores, tools, admin_viewer) == {QUESTION: Outcome.PASSED}
    without = HANDBOOK.replace("Nightly backups are kept for 35 days. Monthly backups are kept for two years.", "Gone.")
    await bring_in(stores, tools, source, admin_viewer, {"handbook.md": without})
    assert await run_all(stores, tools, admin_viewer) != {QUESTION: Outcome.PASSED}
    await admin.visit(PAGE)
    assert "What broke" in admin.words
    assert "“Operations handbook” changed" in admin.words
    await bring_in(stores, tools, source, admin_viewer, {"other.md": "# Ships\n\nShips are blue."})
    assert await run_all(stores, tools, admin_viewer) == {QUESTION: Outcome.EVIDENCE_GONE}
    await admin.visit(PAGE)
    assert "Its document is deleted" in admin.words


async def test_a_large_sync_and_other_settings_bring_a_run_of_their_own(
    admin: Browser, stores: Stores, tools: Tools, source: Source, admin_viewer: Viewer
) -> None:
    await bring_in(stores, tools, source, admin_viewer, LIBRARY)
    await add(admin, QUESTION)
    system = system_viewer(admin_viewer.tenant_id)
    await request_after_change(stores.open_vault, tools, system)
    source.files = {f"note-{number}.md": f"# Note {number}\n\nA ship of {number} tons." for number in range(25)}
    sync = await factories.synced(stores, tools, admin_viewer)
    await request_after_sync(stores.open_vault, tools, system, sync)
    async with stores.open_vault(admin_viewer) as vault:
        [run] = await vault.golden.runs(5)
    assert (run.cause, run.words) == (RunCause.SYNC, "27 documents of Files changed")
    await run_golden(stores.open_vault, tools, admin_viewer.tenant_id, run.id)
    changed = replace(tools, embedder=OtherEmbedder(384))
    await look_for_changes(stores.open_lobby, stores.open_vault, tools)
    await look_for_changes(stores.open_lobby, stores.open_vault, changed)
    async with stores.open_vault(admin_viewer) as vault:
        newest, *_ = runs = await vault.golden.runs(5)
    assert (len(runs), newest.cause) == (2, RunCause.SETTINGS)


class OtherEmbedder(WordEmbedder):
    """The same vectors under another name: to the product, another model."""

    def __init__(self, n_dimensions: int) -> None:
        super().__init__(n_dimensions)
        self.model = EmbeddingModel("others", "1", n_dimensions)


async def test_a_question_that_cannot_be_one_is_refused_and_one_can_be_removed(admin: Browser, library: None) -> None:
    await add(admin, " ")
    assert (admin.status, "Type the question" in admin.words) == (422, True)
    await add(admin, QUESTION, document="987654321")
    assert (admin.status, "number at the end" in admin.words) == (422, True)
    await add(admin, QUESTION)
    removal = admin.page.css_first("form[action$='/removal']").attributes["action"]  # type: ignore[union-attr]
    await admin.submit(removal or "")
    assert "The question is removed." in admin.words
    assert "No golden questions yet" in admin.words


async def test_only_admins_see_them_and_the_page_asks_few_statements_however_many_there_are(
    admin: Browser,
    library: None,
    stores: Stores,
    tools: Tools,
    admin_viewer: Viewer,
    statements: list[str],
    stranger: Browser,
) -> None:
    for number in range(6):
        await add(admin, f"Question {number}, how long are nightly backups kept?")
    await run_all(stores, tools, admin_viewer)
    await admin.visit(PAGE)
    statements.clear()
    await admin.visit(PAGE)
    assert len(statements) <= 7
    await stranger.visit(PAGE)
    assert "Question 1" not in stranger.words
