"""Filling in another model's vectors in pieces, and setting both models side by side when all are there."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

from domain.golden import Expects, RunCause
from domain.golden_runs import fingerprint
from domain.model_changes import Evaluation, Figures, FillState, QuestionOrigin, SearchModel
from domain.people import Viewer
from domain.ranking import DEPTH, ask, rank
from domain.search import Candidate, SearchFilter
from domain.vault import OpenVault, Tools, Vault

BATCH_CHUNKS = 64
"""Chunks embedded, and written, together: what a killed worker loses."""
MAX_QUESTIONS = 100
FIRST = 10

Question = tuple[str, frozenset[int]]
"""What is asked, and the documents that are wanted."""


async def advance(open_vault: OpenVault, tools: Tools, viewer: Viewer, n_chunks: int) -> None:
    """Fill in up to `n_chunks` vectors, compare the models once all are there, queue the next piece otherwise.

    No transaction is open while texts are embedded. Breaking off at any place loses a batch at most.
    Raises: Unavailable when an embedding model is.
    """
    async with open_vault(viewer) as vault:
        change = await vault.models.begin()
    if change is None or change.other not in tools.embedders:
        return
    if change.state is FillState.FILLING and not await _fill(open_vault, tools, viewer, change.other, n_chunks):
        return
    evaluation = await evaluate(open_vault, tools, viewer, change)
    async with open_vault(viewer) as vault:
        await vault.models.end_evaluation(evaluation)
        if change.model not in tools.embedders:  # nobody can ask in it any more: nothing is there to choose between
            await vault.models.read(change.other)


async def _fill(open_vault: OpenVault, tools: Tools, viewer: Viewer, model: str, n_chunks: int) -> bool:
    """Return whether all vectors are there; where not, the next piece is queued."""
    embedder = tools.embedders[model]
    for _ in range(-(-n_chunks // BATCH_CHUNKS)):
        async with open_vault(viewer) as vault:
            batch = await vault.models.unfilled(model, BATCH_CHUNKS)
            if not batch and await vault.models.end_filling(model):
                return True
        if batch:
            vectors = await embedder.embed([each.text for each in batch])
            async with open_vault(viewer) as vault:
                await vault.models.fill(model, [each.chunk_id for each in batch], vectors)
    async with open_vault(viewer) as vault:
        await vault.models.queue()
    return False


async def evaluate(open_vault: OpenVault, tools: Tools, viewer: Viewer, change: SearchModel) -> Evaluation:
    """Ask the vault its golden questions, or its documents' titles, by both models, in short transactions."""
    origin, questions = await _questions(open_vault, viewer)
    models = [each for each in (change.model, change.other) if each in tools.embedders]
    places: dict[str, list[tuple[int | None, int | None]]] = {model: [] for model in models}
    for asked, wanted in questions:
        for model in models:
            async with open_vault(viewer) as vault:
                places[model].append(await _places(vault, tools, model, asked, wanted))
    return Evaluation(origin, len(questions), {model: _figures(found) for model, found in places.items()})


async def _questions(open_vault: OpenVault, viewer: Viewer) -> tuple[QuestionOrigin, list[Question]]:
    async with open_vault(viewer) as vault:
        golden, evidence = await vault.golden.questions(), await vault.golden.evidence()
        wanted: dict[int, set[int]] = {}
        for each in evidence:
            wanted.setdefault(each.question_id, set()).add(each.document_id)
        kept = [
            (each.question, frozenset(wanted[each.id]))
            for each in golden
            if each.expects is Expects.ANSWER and each.id in wanted
        ]
        if kept:
            return QuestionOrigin.GOLDEN, kept[:MAX_QUESTIONS]
        return QuestionOrigin.TITLES, _by_title(await vault.models.sample(MAX_QUESTIONS))


def _by_title(sampled: Sequence[tuple[str, int]]) -> list[Question]:
    """Titles as questions; documents that share one are all wanted."""
    wanted: dict[str, set[int]] = {}
    for title, document_id in sampled:
        wanted.setdefault(title, set()).add(document_id)
    return [(title, frozenset(ids)) for title, ids in wanted.items()]


async def _places(
    vault: Vault, tools: Tools, model: str, question: str, wanted: frozenset[int]
) -> tuple[int | None, int | None]:
    """Where the first document wanted stands: in the whole search, and among the nearest vectors alone."""
    through = replace(vault, passages=vault.passages.through(model))
    asked = await ask(tools.speaking(model), question)
    whole = await rank(through, asked, SearchFilter())
    near = await through.passages.dense(asked.vector, SearchFilter(), DEPTH)
    return _place(whole, wanted), _place(near, wanted)


def _place(candidates: Sequence[Candidate], wanted: frozenset[int]) -> int | None:
    documents = list(dict.fromkeys(each.document_id for each in candidates))[:FIRST]
    return next((place for place, each in enumerate(documents, start=1) if each in wanted), None)


def _figures(places: Sequence[tuple[int | None, int | None]]) -> Figures:
    if not places:
        return Figures(0.0, 0.0, 0.0, 0.0)
    whole, near = zip(*places, strict=True)
    return Figures(_recall(whole), _reciprocal_rank(whole), _recall(near), _reciprocal_rank(near))


def _recall(places: Sequence[int | None]) -> float:
    return round(fmean(place is not None for place in places), 4)


def _reciprocal_rank(places: Sequence[int | None]) -> float:
    return round(fmean(1 / place if place else 0.0 for place in places), 4)


async def choose(vault: Vault, tools: Tools, model: str) -> bool:
    """Read another model's vectors from the commit on, and have the golden questions asked again.

    False where some vectors are missing, which are filled in then. Raises: Conflict for a model that cannot be read.
    """
    if not await vault.models.read(model):
        return False
    words = f"questions are asked by {model.partition('@')[0]}"
    await vault.golden.request(RunCause.SETTINGS, words, fingerprint(tools.speaking(model)))
    return True
