"""Recognising: documents that were stored before names were looked for in them are read for them at a sync's end."""

import asyncio
from collections.abc import AsyncIterator

from domain.documents import Document, DocumentVersion
from domain.errors import NotFound
from domain.parsing import ParsedDocument
from domain.people import Viewer
from domain.recognition import extract
from domain.vault import OpenVault

BATCH = 50


async def recognise(open_vault: OpenVault, viewer: Viewer) -> AsyncIterator[int]:
    """Read what was never read for names, one transaction a document, yielding the id of each."""
    last_id, due = 0, [0]
    while due:
        async with open_vault(viewer) as vault:
            due = await vault.entities.unread(last_id, BATCH)
        for last_id in due:
            async with open_vault(viewer) as vault:
                try:
                    parsed = _parsed(await vault.documents.get(last_id), await vault.documents.version(last_id))
                except NotFound:  # it was deleted meanwhile
                    continue
            extraction = await asyncio.to_thread(extract, parsed)
            async with open_vault(viewer) as vault:
                await vault.entities.put(last_id, extraction)
            yield last_id


def _parsed(document: Document, version: DocumentVersion) -> ParsedDocument:
    return ParsedDocument(
        document.title, version.text, version.blocks, document.media_type, document.author, metadata=version.metadata
    )
