"""Examining: detectors read each document version once, after it is stored, and again when they have changed."""

import asyncio
from collections.abc import AsyncIterator

from domain.detection import detect, detector_version
from domain.errors import NotFound
from domain.overlooking import overlook
from domain.people import Viewer
from domain.radar import comparable, watch
from domain.surroundings import Source
from domain.vault import OpenVault, Tools

BATCH = 50


async def examine(open_vault: OpenVault, viewer: Viewer, tools: Tools) -> AsyncIterator[int]:
    """Read what no detector of this version has read, one transaction a document, yielding the id of each."""
    version = detector_version(tools.matcher)
    last_id = 0
    async with open_vault(viewer) as vault:
        due = await vault.gaps.due(version, last_id, BATCH)
        around = await vault.gaps.surroundings() if due else None
    while due and around is not None:
        for document_id in due:
            async with open_vault(viewer) as vault:
                try:
                    document = await vault.documents.get(document_id)
                    read = await vault.documents.version(document_id)
                except NotFound:
                    continue
            date = document.modified_at or document.created_at
            source = Source(read.text, document.title, document.author, date)
            found = await asyncio.to_thread(detect, source, around, tools.matcher, tools.analyzer, read.blocks)
            stated = await asyncio.to_thread(comparable, read.text, read.blocks, tools.analyzer)
            vectors = await tools.embedder.embed([claim.text for claim in stated])
            async with open_vault(viewer) as vault:
                await vault.gaps.record(document_id, read.id, version, found, read.text)
                await watch(vault.radar, document_id, read.id, stated, vectors)
                await vault.gap_answers.settle(document_id, read.id, tools.now())
            yield document_id
        last_id = due[-1]  # what could not be read, since it is just being removed, does not come again
        async with open_vault(viewer) as vault:
            due = await vault.gaps.due(version, last_id, BATCH)
    async with open_vault(viewer) as vault:
        await vault.radar.forget_unproven()
    await overlook(open_vault, viewer, tools)
