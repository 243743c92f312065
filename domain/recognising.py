"""Recognising: each document version is read once for the names in it, after it is stored."""

import asyncio
from collections.abc import AsyncGenerator

from domain.documents import Document, DocumentVersion
from domain.errors import NotFound
from domain.parsing import ParsedDocument
from domain.people import Viewer
from domain.recognition import extract
from domain.vault import OpenVault

BATCH = 50


async def recognise(open_vault: OpenVault, viewer: Viewer) -> AsyncGenerator[int, None]:
    """Read what was not read for names yet, one transaction a document, yielding the id of each."""
    last_id, due = 0, [0]
    while due:
        async with open_vault(viewer) as vault:
            due = await vault.entities.unread(last_id, BATCH)
        for last_id in due:
            async with open_vault(viewer) as vault:
                try:
                    document = await vault.documents.get(last_id)
                    version = await vault.documents.version(last_id)
                except NotFound:  # it was deleted meanwhile
                    continue
            extraction = await asyncio.to_thread(extract, _parsed(document, version), document.external_id)
            async with open_vault(viewer) as vault:
                await vault.entities.put(last_id, extraction)
            yield last_id


def _parsed(document: Document, version: DocumentVersion) -> ParsedDocument:
    return ParsedDocument(
        document.title, version.text, version.blocks, document.media_type, document.author, metadata=version.metadata
    )
