"""Answering a gap: the answer is written, and the sync is asked for that makes it a document at once."""

from collections.abc import Sequence

from domain.errors import Conflict
from domain.found_gaps import FoundGap
from domain.gap_answers import ANSWERS, ANSWERS_KIND, Via, checked
from domain.integrations import Integration
from domain.syncs import Sync, Trigger
from domain.uploads import Upload
from domain.vault import Vault


async def answer_gap(
    vault: Vault, gap: FoundGap, text: str, via: Via, reviewer_id: int | None, files: Sequence[Upload] = ()
) -> Sync:
    """Write an answer and ask for the sync that makes it a document; return that sync. Raises: Invalid."""
    answer_id = await vault.gap_answers.put(gap, checked(text), via, reviewer_id)
    await vault.gap_answers.attach(answer_id, [each.id for each in files])
    await vault.audit.record("gap.answered", gap.question)
    return await vault.syncs.request((await answers_integration(vault)).id, Trigger.UPLOAD)


async def answers_integration(vault: Vault) -> Integration:
    """Return the integration that holds a tenant's answers; the first answer makes it."""
    found = await vault.integrations.find(ANSWERS_KIND, ANSWERS)
    if found:
        return found
    try:
        return await vault.integrations.add(ANSWERS_KIND, ANSWERS, {}, None)
    except Conflict:
        return await answers_integration(vault)
