"""Examining: detectors read each document version once, after it is stored, and again when they have changed."""

import asyncio
from collections.abc import AsyncIterator

from domain.detection import detect, detector_version
from domain.errors import NotFound
from domain.people import Viewer
from domain.surroundings import Source
from domain.vault import OpenVault, Tools

BATCH = 50


async def examine(open_vault: OpenVault, viewer: Viewer, tools: Tools) -> AsyncIterator[int]:
    """Read what no detector of this version has read, one transaction a document, yielding the id of each."""
    version = detector_version(tools.matcher)
    async with open_vault(viewer) as vault:
        due = await vault.gaps.due(version, BATCH)
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
            async with open_vault(viewer) as vault:
                await vault.gaps.record(document_id, read.id, version, found, read.text)
                await vault.gap_answers.settle(document_id, read.id, tools.now())
            yield document_id
        async with open_vault(viewer) as vault:
            due = await vault.gaps.due(version, BATCH)
