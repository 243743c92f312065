"""Make the sets on which answers are measured: each question with what the product's own search finds for it.

`python -m bench.answer_sets FOLDER [NAME …]` writes `demo.jsonl`, `spans.jsonl`, `conversations.jsonl`, `manual.jsonl`
and `claims.jsonl` there, in the form that `knowledgevault eval-answers` reads. Questions of the demo vault are those
its authors planted; the others come from `../shared/data`.

Where a set names the passages that answer, each of its questions comes a second time without them, unanswerable: what
is left is near, and does not say it.
"""

import asyncio
import csv
import dataclasses
import json
import sys
import uuid
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

import msgspec

from bench.house import Measured, scratch_house
from domain.followups import searched, standalone
from domain.integrations import Integration, IntegrationKind
from domain.people import Viewer, system_viewer
from domain.retrieval import find_passages
from domain.search import SearchFilter
from domain.studying import study
from domain.syncs import SyncState, Trigger
from infra import seeds
from infra.answer_evaluation import AnswerLine, LinePassage, places_of_selected
from infra.commands import plant_demo
from infra.connectors.folder import FolderConnector
from infra.connectors.folder_access import folder_access
from infra.evaluation import CorpusConnector
from infra.logs import configure_logs
from infra.worker import run_sync
from tests.factories import Source

SHARED = Path(__file__).parent.parent.parent / "shared" / "data"
N_PASSAGES = 8
N_SPARE = 12
"""Passages beyond those, to take the place of what is left out."""


class Asked(msgspec.Struct, frozen=True):
    """A question before its passages are known."""

    question: str
    answerable: bool
    gold: tuple[str, ...] = ()
    search: str = ""
    """What to search for, where that is not the question."""
    gold_documents: frozenset[str] = frozenset()
    """Titles of the documents that answer."""


async def demo(house: Measured) -> list[AnswerLine]:
    """Plant the demo vault and ask its planted questions, answerable and not, in the eyes of its admin."""
    stores = house.stores
    tools = dataclasses.replace(house.tools, connect=lambda integration, *_: demo_folder(integration))
    await plant_demo(stores.open_lobby, stores.open_vault, tools)
    async with stores.open_lobby() as lobby:
        tenant, user = await lobby.tenant_by_slug(seeds.TENANT_SLUG), await lobby.user_by_email(seeds.ADMIN.email)
        assert tenant is not None
        assert user is not None
        viewer = await lobby.viewer(tenant.id, user.id)
    await study(stores.open_vault, system_viewer(tenant.id), tools)
    planted = json.loads((seeds.FOLDER / "planted.json").read_text())
    known = [Asked(each["question"], answerable=True, gold=(each["quote"],)) for each in planted["questions"]]
    unknown = [Asked(question, answerable=False) for question in planted["unanswerable"]]
    return await lines(house, viewer, [*known, *unknown])


def demo_folder(integration: Integration) -> FolderConnector:
    """Read the demo's documents as the product does, with their access rules."""
    return FolderConnector(seeds.FOLDER, folder_access(seeds.FOLDER, integration.settings.get("admin", "")))


async def spans(house: Measured) -> list[AnswerLine]:
    """Ask about five long documents."""
    source = Source(page_size=10)
    source.files = {path.name: path.read_text() for path in sorted((SHARED / "spans" / "corpora").iterdir())}
    viewer = await brought_in(house, source)
    asked = []
    with (SHARED / "spans" / "questions_df.csv").open() as rows:
        for row in csv.DictReader(rows):
            gold = tuple(each["content"].strip() for each in json.loads(row["references"]))
            asked.append(Asked(row["question"], answerable=True, gold=gold))
    return with_left_out(await lines(house, viewer, asked, N_PASSAGES + N_SPARE))


async def manual(house: Measured) -> list[AnswerLine]:
    """Ask about a product's manual, of which it is known which sections answer."""
    folder = SHARED / "retrieval" / "product_docs"
    viewer = await brought_in(house, CorpusConnector(folder / "corpus.jsonl"))
    titles = {
        each["_id"]: each["title"] for each in map(json.loads, (folder / "corpus.jsonl").read_text().splitlines())
    }
    gold: dict[str, set[str]] = {}
    for row in (folder / "qrels" / "test.tsv").read_text().splitlines()[1:]:
        question_id, document_id, grade = row.split("\t")
        if int(grade) > 0:
            gold.setdefault(question_id, set()).add(titles[document_id])
    asked = [
        Asked(each["text"], answerable=True, gold_documents=frozenset(gold[each["_id"]]))
        for each in map(json.loads, (folder / "queries.jsonl").read_text().splitlines())
        if each["_id"] in gold
    ]
    found = await lines(house, viewer, asked, N_PASSAGES + N_SPARE)
    return [
        line
        for each, made in zip(asked, found, strict=True)
        for line in split(made, {one.id for one in made.passages if one.title in each.gold_documents})
    ]


async def claims(_: Measured) -> list[AnswerLine]:
    """Take claims with five sentences each; answerable are those that a sentence supports or refutes."""
    made = []
    for each in map(json.loads, (SHARED / "contradictions" / "climate-fever.jsonl").read_text().splitlines()):
        passages = tuple(LinePassage(one["evidence_id"], one["article"], one["evidence"]) for one in each["evidences"])
        gold = tuple(one["evidence"] for one in each["evidences"] if one["evidence_label"] != "NOT_ENOUGH_INFO")
        if each["claim_label"] != "DISPUTED":
            made.append(AnswerLine(each["claim"], passages, bool(gold), gold))
    return made


def with_left_out(found: Sequence[AnswerLine]) -> list[AnswerLine]:
    """Return each line, then the same without the passages that hold a selected sentence."""
    return [
        line for made in found for line in split(made, {made.passages[place].id for place in places_of_selected(made)})
    ]


def split(made: AnswerLine, gold_ids: AbstractSet[str | int]) -> list[AnswerLine]:
    """Return the line where a gold passage was found among the first, and the line without any of them."""
    first = made.passages[:N_PASSAGES]
    left = tuple(one for one in made.passages if one.id not in gold_ids)[:N_PASSAGES]
    without = AnswerLine(made.question, left, answerable=False)
    if not any(one.id in gold_ids for one in first):
        return [without]
    return [msgspec.structs.replace(made, passages=first), without]


async def conversations(house: Measured) -> list[AnswerLine]:
    """Ask the last questions of human conversations; the partly answerable and underspecified are left out."""
    folder = SHARED / "conversations" / "beir_pooled"
    viewer = await brought_in(house, CorpusConnector(folder / "corpus.jsonl"))
    asked = []
    for line in (folder / "queries.jsonl").read_text().splitlines():
        each = json.loads(line)
        if each["answerability"] in ("ANSWERABLE", "UNANSWERABLE"):
            earlier = [turn["text"] for turn in each["history"] if turn["speaker"] == "user"]
            question, search = standalone(each["text"], earlier), searched(each["text"], earlier)
            asked.append(Asked(question, each["answerability"] == "ANSWERABLE", search=search))
    return await lines(house, viewer, asked)


async def brought_in(house: Measured, source: Source | CorpusConnector) -> Viewer:
    """Return a viewer of a new tenant that holds what stands in the source."""
    async with house.stores.open_lobby() as lobby:
        tenant = await lobby.add_tenant("Answers", f"answers-{uuid.uuid4().hex[:8]}")
    viewer = system_viewer(tenant.id)
    async with house.stores.open_vault(viewer) as vault:
        integration = await vault.integrations.add(IntegrationKind.FOLDER, "Answers", {}, None)
        requested = await vault.syncs.request(integration.id, Trigger.IMPORT)
    tools = dataclasses.replace(house.tools, connect=lambda *_: source)
    finished = await run_sync(house.stores.open_vault, tools, viewer, requested.id)
    assert finished is not None
    assert finished.state is SyncState.SUCCEEDED
    return viewer


async def lines(
    house: Measured, viewer: Viewer, asked: Iterable[Asked], n_passages: int = N_PASSAGES
) -> list[AnswerLine]:
    """Return a line a question."""
    made = []
    async with house.stores.open_vault(viewer) as vault:
        for each in asked:
            found = await find_passages(vault, house.tools, each.search or each.question, SearchFilter(), n_passages)
            passages = tuple(
                LinePassage(
                    str(passage.chunk_id),
                    passage.title,
                    passage.text,
                    passage.heading_path,
                    f"{passage.document_id}.{passage.version_id}",
                    passage.start,
                )
                for passage in found
            )
            made.append(AnswerLine(each.question, passages, each.answerable, each.gold))
    return made


async def main(folder: Path, names: Sequence[str]) -> None:
    """Write the sets of these names, or all."""
    configure_logs("error", is_production=True)
    async with scratch_house() as house:
        for make in (demo, spans, conversations, manual, claims):
            if names and make.__name__ not in names:
                continue
            made = await make(house)
            encoded = b"\n".join(msgspec.json.encode(line) for line in made)
            (folder / f"{make.__name__}.jsonl").write_bytes(encoded)
            print(f"{make.__name__}: {len(made)} lines", flush=True)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(target, sys.argv[2:]))
