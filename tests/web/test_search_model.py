"""Another search model: filled in beside, compared, read and given back, while everybody goes on asking."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import pytest_asyncio
import sqlalchemy as sa
from procrastinate.jobs import Status

from domain.embedding import EmbeddingModel, Matrix
from domain.errors import Conflict
from domain.golden import RunCause
from domain.model_changes import FillState, QuestionOrigin, SearchModel
from domain.model_runs import advance, choose
from domain.people import Viewer, system_viewer
from domain.ranking import ask
from domain.retrieval import search
from domain.search import SearchFilter
from domain.vault import Tools
from infra.database import tenant_transaction
from infra.model_jobs import look_for_models, request_filling
from infra.store import Stores
from tests import factories
from tests.domain.fakes import WordEmbedder
from tests.factories import Source
from tests.web.asking import LIBRARY, bring_in
from tests.web.browser import Browser
from tests.web.test_conversations import QUESTION

PAGE = "/settings/search-model"
OLD, NEW = "words@1", "turned@2"


class TurnedEmbedder(WordEmbedder):
    """Another model: as good, but at a right angle to the first, so that a mixture finds nothing.

    It breaks off when it was told to, as a killed worker does, and counts what it embeds.
    """

    def __init__(self) -> None:
        super().__init__(384)
        self.model = EmbeddingModel("turned", "2", 384)
        self.breaks_after: int | None = None
        self.n_texts = 0

    async def embed(self, texts: Sequence[str]) -> Matrix:
        if self.breaks_after is not None and self.n_texts >= self.breaks_after:
            raise ConnectionError("killed")
        self.n_texts += len(texts)
        return await super().embed(texts)

    def _vector(self, text: str) -> Matrix:
        turned: Matrix = np.roll(super()._vector(text)[::-1], 7)
        return turned


@pytest.fixture
def turned() -> TurnedEmbedder:
    return TurnedEmbedder()


@pytest.fixture
def both(tools: Tools, turned: TurnedEmbedder) -> Tools:
    """Tools of a deployment that names a next model."""
    return replace(tools, next_embedder=turned)


@pytest.fixture
def following(stores: Stores) -> Stores:
    """The stores of such a deployment."""
    return replace(stores, next_model=NEW)


@pytest_asyncio.fixture
async def library(stores: Stores, tools: Tools, source: Source, admin_viewer: Viewer) -> None:
    """Brought in before there was a next model."""
    await bring_in(stores, tools, source, admin_viewer, LIBRARY)


def many(n: int) -> dict[str, str]:
    return {f"n{place}.md": f"# Note {place}\n\nA ship of {place} tons carries grain {place}." for place in range(n)}


async def fill(stores: Stores, tools: Tools, viewer: Viewer, n_chunks: int = 1000) -> SearchModel:
    """Do what the worker's job does, once."""
    await advance(stores.open_vault, tools, system_viewer(viewer.tenant_id), n_chunks)
    return await current(stores, viewer)


async def current(stores: Stores, viewer: Viewer) -> SearchModel:
    async with stores.open_vault(viewer) as vault:
        return await vault.models.current()


async def nearest(stores: Stores, tools: Tools, viewer: Viewer, question: str = QUESTION) -> tuple[str, float]:
    """The title of the first result, and how near the vector leg found it."""
    async with stores.open_vault(viewer) as vault:
        results = await search(vault, tools, question, SearchFilter())
        model = await vault.passages.model()
        [vector] = await tools.speaking(model).embedder.embed([question])
        dense = await vault.passages.dense(vector, SearchFilter(), 3)
    return results.hits[0].title, dense[0].score if dense else 0.0


async def labels(stores: Stores, viewer: Viewer) -> list[tuple[str, str]]:
    async with tenant_transaction(stores.engine, viewer.tenant_id) as connection:
        rows = await connection.execute(
            sa.text(
                "select coalesce(a.label, ''), coalesce(b.label, '') from chunk_index i"
                " left join embedding_models a on a.id = i.model_id left join embedding_models b"
                " on b.id = i.model_next_id where i.tenant_id = :tenant order by i.chunk_id"
            ),
            {"tenant": viewer.tenant_id},
        )
        return [(first, second) for first, second in rows]


async def test_a_vault_goes_on_answering_during_the_filling_the_change_and_the_way_back(
    following: Stores, both: Tools, library: None, admin_viewer: Viewer
) -> None:
    before = await nearest(following, both, admin_viewer)
    assert before[0] == "Operations handbook"
    change = await fill(following, both, admin_viewer)
    assert (change.model, change.other, change.state, change.percent) == (OLD, NEW, FillState.READY, 100)
    assert await nearest(following, both, admin_viewer) == before

    for model in (NEW, OLD, NEW):
        async with following.open_vault(admin_viewer) as vault:
            assert await choose(vault, both, model)
        title, score = await nearest(following, both, admin_viewer)
        assert (title, round(score, 3)) == (before[0], round(before[1], 3))
        assert (await current(following, admin_viewer)).model == model
    assert set(await labels(following, admin_viewer)) == {(OLD, NEW)}


async def test_a_filling_that_was_killed_goes_on_where_it_was(
    following: Stores, both: Tools, turned: TurnedEmbedder, source: Source, admin_viewer: Viewer, tools: Tools
) -> None:
    source.files = dict(many(150))
    await factories.synced(replace(following, next_model=""), tools, admin_viewer)
    turned.breaks_after = 64
    with pytest.raises(ConnectionError):
        await fill(following, both, admin_viewer)
    half = await current(following, admin_viewer)
    assert (half.state, half.n_filled, half.n_total) == (FillState.FILLING, 64, 150)
    async with following.open_vault(admin_viewer) as vault:
        with pytest.raises(Conflict, match="not been compared"):
            await vault.models.read(NEW)
    assert (await nearest(following, both, admin_viewer, "grain 149"))[0] == "Note 149"

    turned.breaks_after = None
    piece = await fill(following, both, admin_viewer, n_chunks=64)
    assert (piece.state, piece.n_filled) == (FillState.FILLING, 128)
    async with following.queue.open_async():
        waiting = await following.queue.job_manager.list_jobs_async(task="fill_vectors", status=Status.TODO.value)
    assert sum(job.task_kwargs["tenant_id"] == admin_viewer.tenant_id for job in waiting) == 1
    done = await fill(following, both, admin_viewer)
    assert (done.state, done.n_filled) == (FillState.READY, 150)
    assert turned.n_texts == 150 + 100  # every chunk once, and the questions of the comparison


async def test_questions_are_never_compared_with_vectors_of_another_model(
    following: Stores, both: Tools, stores: Stores, tools: Tools, library: None, admin_viewer: Viewer
) -> None:
    """Not while half is filled, not by a process with older settings, not after the server's own model was changed."""
    await fill(following, both, admin_viewer)
    async with following.open_vault(admin_viewer) as vault:
        await choose(vault, both, NEW)
    old_question = (await tools.embedder.embed([QUESTION]))[0]
    async with stores.open_vault(admin_viewer) as vault:  # knows the old model alone
        found = await vault.passages.dense(old_question, SearchFilter(), 3)
        assert await vault.passages.model() == OLD
        assert found[0].score > 0.3
        assert (await search(vault, tools, QUESTION, SearchFilter())).hits[0].title == "Operations handbook"
    third = replace(stores, model="third@1")
    async with third.open_vault(admin_viewer) as vault:
        assert await vault.passages.dense(old_question, SearchFilter(), 3) == []
        ids = [each.chunk_id for each in found]
        by_words = Counter(word.lexeme for word in tools.analyzer.words(QUESTION))
        related = [each.document_id for each in found]
        proposed = await vault.passages.propose(by_words, old_question, SearchFilter(), 3, related)
        assert proposed.chunk_ids
        assert not (proposed.vectors @ old_question).any()
        assert not (await vault.passages.vectors(ids)).any()


async def test_every_way_through_the_index_compares_by_the_model_that_is_read(
    following: Stores, both: Tools, library: None, admin_viewer: Viewer
) -> None:
    """Row by row, the few that may be read, the walk through the graph, and documents of what is related."""
    await fill(following, both, admin_viewer)
    tenant = {"tenant": admin_viewer.tenant_id}
    for model in (NEW, OLD):
        asked = await ask(both.speaking(model), QUESTION)
        strange = await ask(both.speaking(OLD if model == NEW else NEW), QUESTION)
        async with following.open_vault(admin_viewer) as vault:
            await choose(vault, both, model)
        for n_chunks, viewer in (
            (3, admin_viewer),
            (50_000, admin_viewer),
            (50_000, system_viewer(admin_viewer.tenant_id)),
        ):
            async with tenant_transaction(following.engine, admin_viewer.tenant_id) as connection:
                counted = sa.text("update lexical_statistics set n_chunks = :n where tenant_id = :tenant")
                await connection.execute(counted, {**tenant, "n": n_chunks})
            async with following.open_vault(viewer) as vault:
                best = (await vault.passages.dense(asked.vector, SearchFilter(), 3))[0]
                other = await vault.passages.dense(strange.vector, SearchFilter(), 3)
                related = [best.document_id]
                joined = await vault.passages.propose({}, strange.vector, SearchFilter(), 0, related)
                stored = await vault.passages.vectors(joined.chunk_ids)
            assert best.score > 0.3
            assert max(each.score for each in other) < best.score / 2
            assert best.chunk_id in joined.chunk_ids
            assert np.allclose(joined.vectors, stored)
            assert float((joined.vectors @ asked.vector).max()) == pytest.approx(best.score, abs=1e-3)


async def test_what_comes_in_meanwhile_gets_both_vectors_and_what_an_older_process_wrote_is_caught_up(
    following: Stores, both: Tools, stores: Stores, tools: Tools, source: Source, library: None, admin_viewer: Viewer
) -> None:
    await fill(following, both, admin_viewer)
    await bring_in(following, both, source, admin_viewer, {**LIBRARY, "ships.md": "# Ships\n\nShips carry grain."})
    assert set(await labels(following, admin_viewer)) == {(OLD, NEW)}
    await bring_in(stores, tools, source, admin_viewer, {**LIBRARY, "ships.md": "# Ships\n\nShips carry coal."})
    assert (OLD, "") in await labels(following, admin_viewer)

    async with following.open_vault(admin_viewer) as vault:
        assert not await choose(vault, both, NEW)
    assert (await current(following, admin_viewer)).state is FillState.FILLING
    assert (await fill(following, both, admin_viewer)).state is FillState.READY
    async with following.open_vault(admin_viewer) as vault:
        assert await choose(vault, both, NEW)
    assert await nearest(following, both, admin_viewer, "coal") == await nearest(following, both, admin_viewer, "coal")
    assert (await nearest(following, both, admin_viewer, "coal"))[0] == "Ships"


async def test_the_next_model_becomes_the_servers_own_and_a_third_takes_the_place_of_the_first(
    following: Stores, both: Tools, stores: Stores, source: Source, library: None, admin_viewer: Viewer
) -> None:
    await fill(following, both, admin_viewer)
    async with following.open_vault(admin_viewer) as vault:
        await choose(vault, both, NEW)
    assert both.next_embedder is not None
    alone = replace(both, embedder=both.next_embedder, next_embedder=None)
    settled = replace(stores, model=NEW)
    assert (await nearest(settled, alone, admin_viewer))[0] == "Operations handbook"
    assert await fill(settled, alone, admin_viewer) == await current(settled, admin_viewer)

    third = WordEmbedder(384)
    third.model = EmbeddingModel("third", "1", 384)
    later, tools = replace(settled, next_model="third@1"), replace(alone, next_embedder=third)
    await bring_in(later, tools, source, admin_viewer, {**LIBRARY, "ships.md": "# Ships\n\nShips carry grain."})
    change = await fill(later, tools, admin_viewer)
    assert (change.model, change.other, change.state) == (NEW, "third@1", FillState.READY)
    assert set(await labels(later, admin_viewer)) == {("third@1", NEW)}
    async with later.open_vault(admin_viewer) as vault:
        await choose(vault, tools, "third@1")
    assert (await nearest(later, tools, admin_viewer))[0] == "Operations handbook"


async def test_a_server_that_was_given_another_model_outright_fills_it_in_and_reads_it_by_itself(
    stores: Stores, tools: Tools, turned: TurnedEmbedder, library: None, admin_viewer: Viewer
) -> None:
    changed, alone = replace(stores, model=NEW), replace(tools, embedder=turned)
    assert await nearest(changed, alone, admin_viewer) == ("Operations handbook", 0.0)  # by words alone for now
    await fill(changed, alone, admin_viewer)
    title, score = await nearest(changed, alone, admin_viewer)
    assert (title, score > 0.3) == ("Operations handbook", True)
    assert (await current(changed, admin_viewer)).model == NEW


async def test_a_worker_that_starts_queues_one_job_for_each_vault_that_lacks_vectors(
    following: Stores, library: None, admin_viewer: Viewer, both: Tools
) -> None:
    await look_for_models(following.open_lobby, following.open_vault)
    await request_filling(following.open_vault, system_viewer(admin_viewer.tenant_id))
    async with following.queue.open_async():
        jobs = await following.queue.job_manager.list_jobs_async(task="fill_vectors", status=Status.TODO.value)
    assert sum(job.task_kwargs["tenant_id"] == admin_viewer.tenant_id for job in jobs) == 1
    await fill(following, both, admin_viewer)
    async with following.open_vault(system_viewer(admin_viewer.tenant_id)) as vault:
        assert not await vault.models.request()


async def test_the_dimension_and_the_name_of_its_model_are_kept_with_each_vector(
    stores: Stores, library: None, admin_viewer: Viewer
) -> None:
    async with tenant_transaction(stores.engine, admin_viewer.tenant_id) as connection:
        rows = await connection.execute(
            sa.text(
                "select distinct e.label, e.n_dimensions, vector_dims(i.embedding) from chunk_index i"
                " join embedding_models e on e.id = i.model_id where i.tenant_id = :tenant"
            ),
            {"tenant": admin_viewer.tenant_id},
        )
        assert [tuple(row) for row in rows] == [(OLD, 384, 384)]


class TestThePage:
    """Of an admin whose server names a next model."""

    @pytest.fixture
    def stores(self, stores: Stores) -> Stores:
        return replace(stores, next_model=NEW)

    @pytest.fixture
    def tools(self, tools: Tools, turned: TurnedEmbedder) -> Tools:
        return replace(tools, next_embedder=turned)

    async def test_shows_the_filling_the_figures_and_the_way_there_and_back(
        self,
        admin: Browser,
        stores: Stores,
        tools: Tools,
        source: Source,
        admin_viewer: Viewer,
        statements: list[str],
        member: Browser,
    ) -> None:
        await admin.visit(PAGE)
        assert "Nothing to compare yet" in admin.words
        await bring_in(
            replace(stores, next_model=""), replace(tools, next_embedder=None), source, admin_viewer, many(70)
        )
        await admin.visit(PAGE)
        assert "waits for a worker" in admin.words
        await fill(stores, tools, admin_viewer, n_chunks=64)
        await admin.visit(PAGE)
        assert "64 of about 70 passages" in admin.words
        await admin.post(PAGE, csrf_token=admin.csrf_token(), model=NEW)
        assert "not been compared yet" in admin.words

        change = await fill(stores, tools, admin_viewer)
        assert change.evaluation is not None
        assert change.evaluation.origin is QuestionOrigin.TITLES
        assert change.evaluation.n_questions == 70
        statements.clear()
        await admin.visit(PAGE)
        assert len(statements) <= 4
        assert "70 questions, titles of documents" in admin.words
        await admin.submit(PAGE, model=NEW)
        assert "Questions are compared by turned now." in admin.words
        assert "Go back to it" in admin.words
        assert "chosen by" in admin.words
        async with stores.open_vault(admin_viewer) as vault:
            assert "search_model.chosen" in {event.action for event in await vault.audit.page(None, 10)}
        await admin.submit(PAGE, model=OLD)
        assert "Questions are compared by words now." in admin.words
        await admin.post(PAGE, csrf_token=admin.csrf_token(), model="gone@1")
        assert "not set up on this server" in admin.words
        await member.visit(PAGE)
        assert member.status == 403

    async def test_compares_by_golden_questions_where_there_are_any(
        self, admin: Browser, stores: Stores, tools: Tools, source: Source, admin_viewer: Viewer
    ) -> None:
        await bring_in(stores, tools, source, admin_viewer, LIBRARY)
        await admin.visit("/golden-questions")
        async with stores.open_vault(admin_viewer) as vault:
            integration = (await vault.integrations.all())[0]
            known = await vault.documents.known(integration.id, ["handbook.md"])
        await admin.submit("/golden-questions", question=QUESTION, document=str(known["handbook.md"].document_id))
        change = await fill(stores, tools, admin_viewer)
        assert change.evaluation is not None
        assert (change.evaluation.origin, change.evaluation.n_questions) == (QuestionOrigin.GOLDEN, 1)
        assert {name: each.recall for name, each in change.evaluation.figures.items()} == {OLD: 1.0, NEW: 1.0}
        await admin.visit(PAGE)
        await admin.submit(PAGE, model=NEW)
        async with stores.open_vault(admin_viewer) as vault:
            [run] = await vault.golden.runs(1)
        assert (run.cause, run.words) == (RunCause.SETTINGS, "questions are asked by turned")
