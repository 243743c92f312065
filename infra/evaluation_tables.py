"""All public sets at once, each figure beside its floor: what `make eval` prints without SET."""

import dataclasses
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import sqlalchemy as sa

from domain.errors import Invalid
from domain.integrations import IntegrationKind
from domain.people import system_viewer
from domain.syncs import SyncState, Trigger
from domain.vault import Tools, Vault
from infra.answer_evaluation import Measures
from infra.conversation_evaluation import evaluate_conversations, read_conversations
from infra.database import tenant_transaction
from infra.evaluation import CorpusConnector, Snapshot, evaluate, read_set
from infra.span_evaluation import SpanConnector, SpanMeasures, evaluate_spans, read_spans
from infra.store import Stores
from infra.worker import run_sync


class Floor(msgspec.Struct, frozen=True):
    """A reference measured elsewhere, in the columns of its table; empty where nobody has measured."""

    name: str
    figures: tuple[str, ...]


RETRIEVAL_COLUMNS = ("ndcg@10", "recall@10", "recall@100", "ms")
SPAN_COLUMNS = ("recall", "precision", "iou", "n_characters", "n_passages", "ms")
RETRIEVAL_SETS: Mapping[str, tuple[Floor, ...]] = {
    "retrieval/product_docs": (
        Floor("floor: BM25", (".628", ".739")),
        Floor("floor: all-MiniLM-L6-v2", (".682", ".804")),
        Floor("floor: their rank fusion, k = 60", (".786", ".870")),
        Floor("to reach", (".82", ".90")),
    ),
    "retrieval/cranfield": (
        Floor("floor: BM25", (".366", "", ".725")),
        Floor("floor: all-MiniLM-L6-v2", (".400",)),
        Floor("floor: their rank fusion, k = 60", (".431", "", ".792")),
        Floor("to reach", (".46",)),
    ),
    "conversations/beir_pooled": (
        Floor("floor: BM25 and MiniLM, k = 60, as asked", (".818", ".889")),
        Floor("floor: the same, made standalone", (".875", ".934")),
    ),
}
ANSWERING_COLUMNS = ("auc", "accuracy", "answered", "refused", "verbatim", "ms")
ANSWERING_FLOORS = (
    Floor("floor: BM25's score alone", (".756",)),
    Floor("to reach", (".85", "", "", "", "1.000")),
)
"""`answered` of those that the corpus answers, `refused` of the others."""
SPAN_FLOORS = (
    Floor("floor: BM25, 800 characters, top 5", (".853", "", ".056")),
    Floor("to reach", (".90", "", ".08")),
)


@asynccontextmanager
async def brought_in(
    stores: Stores, tools: Tools, name: str, connector: Snapshot
) -> AsyncIterator[tuple[Vault, dict[str, int]]]:
    """Open a scratch tenant with these documents, and their ids by external id; it is removed again in any case."""
    async with stores.open_lobby() as lobby:
        tenant = await lobby.add_tenant(f"Evaluation of {name}"[:200], f"eval-{uuid.uuid4().hex[:12]}")
    viewer = system_viewer(tenant.id)
    scratch = dataclasses.replace(tools, connect=lambda *_: connector)
    try:
        async with stores.open_vault(viewer) as vault:
            corpus = await vault.integrations.add(IntegrationKind.FOLDER, "Corpus", {}, None)
            sync = await vault.syncs.request(corpus.id, Trigger.IMPORT)
        finished = await run_sync(stores.open_vault, scratch, viewer, sync.id)
        if finished is None or finished.state is not SyncState.SUCCEEDED:
            raise Invalid(finished.reason if finished else "Another process has taken this sync over. Try again.")
        async with stores.open_vault(viewer) as vault:
            known = await vault.documents.known(corpus.id, connector.ids)
        async with stores.open_vault(viewer) as vault:
            yield vault, {external_id: each.document_id for external_id, each in known.items()}
    finally:
        async with tenant_transaction(stores.engine, tenant.id) as connection:
            await connection.execute(sa.text("delete from tenants where id = :id"), {"id": tenant.id})


async def evaluate_folder(stores: Stores, tools: Tools, folder: Path) -> dict[str, dict[str, float]]:
    """Return the measures of a folder in BEIR form, by leg. Raises: Invalid when it is not in that form."""
    read_set(folder)  # refused before anything is brought in
    async with brought_in(stores, tools, folder.name, CorpusConnector(folder / "corpus.jsonl")) as (
        vault,
        document_ids,
    ):
        return await _legs(vault, tools, folder, document_ids)


async def _legs(
    vault: Vault, tools: Tools, folder: Path, document_ids: Mapping[str, int]
) -> dict[str, dict[str, float]]:
    external_ids = {each: external_id for external_id, each in document_ids.items()}
    return await evaluate(vault, tools, read_set(folder), external_ids)


async def evaluate_all(stores: Stores, tools: Tools, data: Path) -> AsyncIterator[str]:
    """Yield one table a set, as text. Raises: Invalid when the folder of public sets is not there."""
    _check(data)
    for name, floors in RETRIEVAL_SETS.items():
        conversations = read_conversations(data / name)
        connector = CorpusConnector(data / name / "corpus.jsonl")
        async with brought_in(stores, tools, name, connector) as (vault, document_ids):
            measured = await _legs(vault, tools, data / name, document_ids)
            answered = await evaluate_conversations(vault, tools, conversations) if conversations else None
        rows = ((leg, [each[column] for column in RETRIEVAL_COLUMNS]) for leg, each in measured.items())
        yield table(name, RETRIEVAL_COLUMNS, rows, floors)
        if answered is not None:
            yield table(f"{name}, answerable or not", ANSWERING_COLUMNS, [_told(answered)], ANSWERING_FLOORS)
    spans = read_spans(data / "spans")
    async with brought_in(stores, tools, "spans", SpanConnector(spans.files)) as (vault, document_ids):
        found = await evaluate_spans(vault, tools, spans, document_ids)
    yield table("spans, top 5", SPAN_COLUMNS, ((name, _figures(each)) for name, each in found.items()), SPAN_FLOORS)


def _check(data: Path) -> None:
    if not data.is_dir():
        raise Invalid(f"There are no public sets at {data}. Name a folder in BEIR form: make eval SET=DIR.")


def _told(measures: Measures) -> tuple[str, list[float]]:
    told = measures.abstention
    shares = (told.auc, told.accuracy, told.answered_of_answerable, told.refused_of_unanswerable, measures.verbatim)
    return "answers", [*(share or 0.0 for share in shares), measures.first_sentence_ms]


def _figures(measures: SpanMeasures) -> list[float]:
    return [float(getattr(measures, column)) for column in SPAN_COLUMNS]


def table(name: str, columns: Iterable[str], rows: Iterable[tuple[str, list[float]]], floors: Iterable[Floor]) -> str:
    """Return a table as text: what was measured, then what it is to be compared with."""
    heads = list(columns)
    lines = [f"{name:<36}" + "".join(f"{head:>14}" for head in heads)]
    lines += [f"  {row:<34}" + "".join(f"{_number(each):>14}" for each in figures) for row, figures in rows]
    lines += [f"  {floor.name:<34}" + "".join(f"{each:>14}" for each in floor.figures) for floor in floors]
    return "\n".join(line.rstrip() for line in lines)


def _number(value: float) -> str:
    return f"{value:.3f}" if value < 2 else f"{value:,.1f}"
