"""Make the sets on which answers are measured: each question with what the product's own search finds for it.

`python -m bench.answer_sets FOLDER [NAME …]` writes `demo.jsonl`, `spans.jsonl`, `conversations.jsonl`, `manual.jsonl`
and `claims.jsonl` there, in the form that `knowledgevault eval-answers` reads. Questions of the demo vault are those
its authors planted; the others come from `../shared/data`.

Where a set names the passages that answer, each of its questions comes a second time without them, unanswerable. What
stands around those passages often says it again, so that in `spans` and `manual` many of these do have an answer; in
`spans_apart` and `manual_apart` the surroundings are taken away too, as in a vault that lacks the document. In
`one_passage` each question has but one: a passage that answers, or another one of the same document.
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
from infra.answer_evaluation import AnswerLine, LinePassage, line_of, places_of_selected
from infra.commands import plant_demo
from infra.connectors.folder import FolderConnector
from infra.connectors.folder_access import folder_access
from infra.conversation_evaluation import read_conversations
from infra.evaluation import CorpusConnector
from infra.logs import configure_logs
from infra.worker import run_sync
from tests.factories import Source

SHARED = Path(__file__).parent.parent.parent / "shared" / "data"
N_PASSAGES = 8
N_SPARE = 12
"""Passages beyond those, to take the place of what is left out."""
AROUND_CHARACTERS = 4_000
"""How far from a passage that answers its surroundings reach, in a long document of many parts."""


class Asked(msgspec.Struct, frozen=True):
    """A question before its passages are known."""

    question: str
    answerable: bool
    gold: tuple[str, ...] = ()
    search: str = ""
    """What to search for, where that is not the question."""
    gold_documents: frozenset[str] = frozenset()
    """Titles of the documents that answer."""
    around: frozenset[str] = frozenset()
    """Titles of the documents on the same pages."""


Made = dict[str, list[AnswerLine]]
"""The lines of each set, by its name."""


async def demo(house: Measured) -> Made:
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
    return {"demo": await lines(house, viewer, [*known, *unknown])}


def demo_folder(integration: Integration) -> FolderConnector:
    """Read the demo's documents as the product does, with their access rules."""
    return FolderConnector(seeds.FOLDER, folder_access(seeds.FOLDER, integration.settings.get("admin", "")))


async def spans(house: Measured) -> Made:
    """Ask about five long documents."""
    source = Source(page_size=10)
    source.files = {path.name: path.read_text() for path in sorted((SHARED / "spans" / "corpora").iterdir())}
    viewer = await brought_in(house, source)
    asked = []
    with (SHARED / "spans" / "questions_df.csv").open() as rows:
        for row in csv.DictReader(rows):
            gold = tuple(each["content"].strip() for each in json.loads(row["references"]))
            asked.append(Asked(row["question"], answerable=True, gold=gold))
    found = await lines(house, viewer, asked, N_PASSAGES + N_SPARE)
    gold_ids = [{made.passages[place].id for place in places_of_selected(made)} for made in found]
    around_ids = [surroundings(made, ids) for made, ids in zip(found, gold_ids, strict=True)]
    return {
        "spans": all_split(found, gold_ids, gold_ids),
        "spans_apart": all_split(found, gold_ids, around_ids),
        "one_passage": alone(found, gold_ids),
    }


def surroundings(made: AnswerLine, gold_ids: AbstractSet[str | int]) -> set[str | int]:
    """Return the passages that stand around one of these in its document, and these."""
    gold = [one for one in made.passages if one.id in gold_ids]
    return {
        one.id
        for one in made.passages
        for other in gold
        if one.document == other.document and abs(one.start - other.start) <= AROUND_CHARACTERS
    }


def alone(found: Sequence[AnswerLine], gold_ids: Sequence[AbstractSet[str | int]]) -> list[AnswerLine]:
    """Return each question with the first passage that answers, then with one that does not.

    That one stands beside what answers, just out of its surroundings: whoever looks into the right document finds it.
    """
    known = {one.id: one for made in found for one in made.passages}
    made_lines = []
    for made, ids in zip(found, gold_ids, strict=True):
        gold = next((one for one in made.passages if one.id in ids), None)
        if gold is None:
            continue
        others = [one for one in known.values() if one.document == gold.document and one.id not in ids]
        apart = [one for one in others if abs(one.start - gold.start) > AROUND_CHARACTERS]
        if apart:
            other = min(apart, key=lambda one: abs(one.start - gold.start))
            made_lines.append(msgspec.structs.replace(made, passages=(gold,)))
            made_lines.append(AnswerLine(made.question, (other,), answerable=False))
    return made_lines


async def manual(house: Measured) -> Made:
    """Ask about a product's manual, of which it is known which sections answer."""
    folder = SHARED / "retrieval" / "product_docs"
    viewer = await brought_in(house, CorpusConnector(folder / "corpus.jsonl"))
    asked = manual_questions(folder)
    found = await lines(house, viewer, asked, N_PASSAGES + N_SPARE)
    gold_ids = [titled(made, each.gold_documents) for each, made in zip(asked, found, strict=True)]
    around_ids = [titled(made, each.around) for each, made in zip(asked, found, strict=True)]
    return {
        "manual": all_split(found, gold_ids, gold_ids),
        "manual_apart": all_split(found, gold_ids, around_ids),
    }


def manual_questions(folder: Path) -> list[Asked]:
    """Return the questions that have a section that answers; a section's id begins with its page's address."""
    titles = {
        each["_id"]: each["title"] for each in map(json.loads, (folder / "corpus.jsonl").read_text().splitlines())
    }
    gold: dict[str, set[str]] = {}
    for row in (folder / "qrels" / "test.tsv").read_text().splitlines()[1:]:
        question_id, document_id, grade = row.split("\t")
        if int(grade) > 0:
            gold.setdefault(question_id, set()).add(document_id)
    asked = []
    for each in map(json.loads, (folder / "queries.jsonl").read_text().splitlines()):
        if sections := gold.get(each["_id"]):
            pages = {section.split("#")[0] for section in sections}
            around = frozenset(title for section, title in titles.items() if section.split("#")[0] in pages)
            answering = frozenset(titles[section] for section in sections)
            asked.append(Asked(each["text"], answerable=True, gold_documents=answering, around=around))
    return asked


def titled(made: AnswerLine, titles: AbstractSet[str]) -> set[str | int]:
    """Return the passages of documents with these titles."""
    return {one.id for one in made.passages if one.title in titles}


async def claims(_: Measured) -> Made:
    """Take claims with five sentences each; answerable are those that a sentence supports or refutes."""
    made = []
    for each in map(json.loads, (SHARED / "contradictions" / "climate-fever.jsonl").read_text().splitlines()):
        passages = tuple(LinePassage(one["evidence_id"], one["article"], one["evidence"]) for one in each["evidences"])
        gold = tuple(one["evidence"] for one in each["evidences"] if one["evidence_label"] != "NOT_ENOUGH_INFO")
        if each["claim_label"] != "DISPUTED":
            made.append(AnswerLine(each["claim"], passages, bool(gold), gold))
    return {"claims": made}


def all_split(
    found: Sequence[AnswerLine],
    gold_ids: Sequence[AbstractSet[str | int]],
    left_out: Sequence[AbstractSet[str | int]],
) -> list[AnswerLine]:
    """Return the lines of `split` for each."""
    triples = zip(found, gold_ids, left_out, strict=True)
    return [line for made, gold, left in triples for line in split(made, gold, left)]


def split(made: AnswerLine, gold_ids: AbstractSet[str | int], left_out: AbstractSet[str | int]) -> list[AnswerLine]:
    """Return the line where a gold passage was found among the first, and the line without what is left out."""
    first = made.passages[:N_PASSAGES]
    left = tuple(one for one in made.passages if one.id not in left_out)[:N_PASSAGES]
    without = AnswerLine(made.question, left, answerable=False)
    if not any(one.id in gold_ids for one in first):
        return [without]
    return [msgspec.structs.replace(made, passages=first), without]


async def conversations(house: Measured) -> Made:
    """Ask the last questions of human conversations; the partly answerable and underspecified are left out."""
    folder = SHARED / "conversations" / "beir_pooled"
    viewer = await brought_in(house, CorpusConnector(folder / "corpus.jsonl"))
    asked = [
        Asked(
            standalone(each.text, each.earlier),
            each.answerability == "ANSWERABLE",
            search=searched(each.text, each.earlier),
        )
        for each in read_conversations(folder)
    ]
    return {"conversations": await lines(house, viewer, asked)}


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
            made.append(line_of(each.question, found, answerable=each.answerable, gold=each.gold))
    return made


async def main(folder: Path, names: Sequence[str]) -> None:
    """Write the sets of these names, or all."""
    configure_logs("error", is_production=True)
    async with scratch_house() as house:
        for make in (demo, spans, conversations, manual, claims):
            if names and make.__name__ not in names:
                continue
            for name, made in (await make(house)).items():
                (folder / f"{name}.jsonl").write_bytes(b"\n".join(msgspec.json.encode(line) for line in made))
                print(f"{name}: {len(made)} lines", flush=True)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(target, sys.argv[2:]))
