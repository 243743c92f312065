"""The storing stage of a sync: documents that were embedded together are written in one transaction."""

from collections.abc import Sequence

import numpy as np

from domain.documents import Arrival, Incoming
from domain.embedding import Matrix
from domain.privacy import Judge, classify, mean_vector, signals_of
from domain.sync_ends import owned
from domain.sync_steps import Prepared, Run
from domain.trails import ItemStage, Reached
from domain.vault import Tools


async def store_documents(run: Run, steps: Sequence[Prepared]) -> None:
    """Write documents with their vectors, none of them twice, under the attempt or the part they belong to."""
    async with owned(run) as vault:
        document_ids = await vault.documents.put([_arrival(run, step) for step in steps])
        if run.judge:
            for document_id, step in zip(document_ids, steps, strict=True):
                vector = mean_vector(_judged(run.judge, run.tools, step))
                verdict = classify(signals_of(step.item, step.parsed), vector, run.judge)
                await vault.reviews.put(document_id, run.judge.owner_id, verdict, vector, run.judge.model)
    for step in steps:
        run.trace(Reached(step.item.external_id, step.item.name, ItemStage.VISIBLE))
        run.succeeded.append(step.item.external_id)
    run.count(processed=len(steps), indexed=len(steps), n_chunks=sum(len(step.chunks) for step in steps))


def _arrival(run: Run, step: Prepared) -> Arrival:
    incoming = Incoming(
        integration_id=run.integration.id,
        sync_id=run.sync.id,
        external_id=step.item.external_id,
        revision=step.item.revision,
        content_hash=step.content_hash,
        size_bytes=step.size_bytes,
        url=step.item.url,
        principals=step.item.principals,
        parsed=step.parsed,
        blob_id=step.item.blob_id,
    )
    vectors = step.vectors if step.vectors is not None else np.zeros((0, 0), np.float32)
    return Arrival(incoming, step.chunks, vectors, step.next_vectors)


def _judged(judge: Judge, tools: Tools, step: Prepared) -> Matrix | None:
    """Return the vectors that may be compared with the judge's examples: those of the same model, where there are."""
    made = dict(zip(tools.embedders, (step.vectors, step.next_vectors), strict=False))
    return made.get(judge.model)
