"""Runs over golden questions: each is asked anew, and what became of it is set beside what became of it before."""

from collections.abc import Mapping, Sequence

import msgspec

from domain.asking import ask_once
from domain.confidence import ABSTAIN_BELOW
from domain.conversations import Answer
from domain.golden import LARGE_SYNC, Evidence, Expects, GoldenQuestion, Outcome, Result, Run, RunCause, RunState
from domain.people import Viewer, system_viewer
from domain.syncs import Sync
from domain.vault import OpenVault, Tools

METHOD = 1
"""Raised when the way answers are made changes, so that the change shows as one in the trend."""


class Broken(msgspec.Struct, frozen=True):
    """A question that failed in the newest run: how, since which run, and what had changed by then."""

    question: GoldenQuestion
    outcome: Outcome
    since: Run
    causes: tuple[str, ...]
    was_good: bool
    """Whether it had ever passed in the runs looked at."""


def fingerprint(tools: Tools) -> str:
    """Return what answers are made with, in words: equal ones should give equal answers from equal documents."""
    model = tools.embedder.model
    writer = tools.language_model.name if tools.language_model else "the documents’ own sentences"
    return f"{model.name}@{model.revision}, {writer}, threshold {ABSTAIN_BELOW}, method {METHOD}"


async def carry_out(open_vault: OpenVault, tools: Tools, tenant_id: int, run_id: int) -> None:
    """Ask every golden question in the eyes of the system, one short transaction each; safe to run again.

    Raises: Unavailable when the embedding model is; the run then goes on when its job is tried again.
    """
    viewer = system_viewer(tenant_id)
    async with open_vault(viewer) as vault:
        run = await vault.golden.begin(run_id)
        questions, evidence = await vault.golden.questions(), await vault.golden.evidence()
    if run is None:
        return
    for question in questions:
        held = [each for each in evidence if each.question_id == question.id]
        result = judge(question, held, await ask_once(open_vault, viewer, tools, question.question))
        async with open_vault(viewer) as vault:
            await vault.golden.note(run_id, result)
    async with open_vault(viewer) as vault:
        await vault.golden.finish(run_id, RunState.FINISHED)


def judge(question: GoldenQuestion, evidence: Sequence[Evidence], answer: Answer) -> Result:
    """Return what became of a question."""
    cited = {citation.document_id for sentence in answer.sentences for citation in sentence.citations}
    versions = tuple(each.version_id for each in evidence)
    return Result(question.id, _outcome(question, evidence, answer, cited), answer.confidence, versions)


def _outcome(question: GoldenQuestion, evidence: Sequence[Evidence], answer: Answer, cited: set[int]) -> Outcome:
    if question.expects is Expects.REFUSAL:
        return Outcome.PASSED if answer.is_abstained else Outcome.ANSWERED
    if question.has_evidence and not evidence:
        return Outcome.EVIDENCE_GONE
    if answer.is_abstained:
        return Outcome.REFUSED
    if evidence and not cited & {each.document_id for each in evidence}:
        return Outcome.ELSEWHERE
    return Outcome.PASSED


async def request_after_sync(open_vault: OpenVault, tools: Tools, viewer: Viewer, sync: Sync) -> None:
    """Queue a run when a sync has changed much."""
    progress = sync.progress
    n_changed = progress.indexed + progress.deleted
    if n_changed < LARGE_SYNC:
        return
    async with open_vault(viewer) as vault:
        integration = await vault.integrations.get(sync.integration_id)
        words = f"{n_changed:,} documents of {integration.name} changed"
        made_with = fingerprint(tools.speaking(await vault.passages.model()))
        await vault.golden.request(RunCause.SYNC, words, made_with)


async def request_after_change(open_vault: OpenVault, tools: Tools, viewer: Viewer) -> None:
    """Queue a run when answers were made with other settings the last time; without a run so far there is no need."""
    async with open_vault(viewer) as vault:
        made_with = fingerprint(tools.speaking(await vault.passages.model()))
        last = await vault.golden.runs(1)
        if last and last[0].fingerprint != made_with:
            await vault.golden.request(RunCause.SETTINGS, made_with, made_with)


def broken(
    questions: Sequence[GoldenQuestion],
    runs: Sequence[Run],
    results: Mapping[int, Sequence[Result]],
    evidence: Sequence[Evidence],
) -> list[Broken]:
    """Return the questions that failed in the newest finished run, those that used to pass first.

    `runs` are the newest first.
    """
    finished = [run for run in runs if run.state is RunState.FINISHED]
    by_run = {run.id: {result.question_id: result for result in results.get(run.id, ())} for run in finished}
    found = [
        one
        for question in questions
        if (one := _broken(question, finished, by_run, [each for each in evidence if each.question_id == question.id]))
    ]
    return sorted(found, key=lambda one: (not one.was_good, -one.since.id))


def _broken(
    question: GoldenQuestion,
    runs: Sequence[Run],
    by_run: Mapping[int, Mapping[int, Result]],
    evidence: Sequence[Evidence],
) -> Broken | None:
    asked = [(run, by_run[run.id][question.id]) for run in runs if question.id in by_run[run.id]]
    if not asked or asked[0][0] != runs[0] or asked[0][1].outcome is Outcome.PASSED:
        return None
    n_failing = next((n for n, (_, result) in enumerate(asked) if result.outcome is Outcome.PASSED), len(asked))
    since, failed = asked[n_failing - 1]
    before = asked[n_failing] if n_failing < len(asked) else None
    causes = () if before is None else _causes(before, (since, failed), evidence)
    return Broken(question, asked[0][1].outcome, since, causes, before is not None)


def _causes(before: tuple[Run, Result], after: tuple[Run, Result], evidence: Sequence[Evidence]) -> tuple[str, ...]:
    """Say what changed between the run in which a question passed and the next, in which it did not."""
    causes = []
    n_lost = len(set(before[1].version_ids)) - len(set(after[1].version_ids))
    changed = set(after[1].version_ids) - set(before[1].version_ids)
    titles = [f"“{each.title}”" for each in evidence if each.version_id in changed]
    if titles:
        causes.append(f"{', '.join(titles)} changed")
    elif changed:
        causes.append("a document that held the answer changed")
    if n_lost > 0:
        causes.append("a document that held the answer was deleted")
    if before[0].fingerprint != after[0].fingerprint:
        causes.append(f"answers are made with {after[0].fingerprint}")
    if after[0].cause is RunCause.SYNC:
        causes.append(after[0].words)
    return tuple(causes or ["nothing it rests on; other documents may come before it now"])
