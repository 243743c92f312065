"""Examining: detectors read each document version once, after it is stored, and again when they have changed."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import datetime
from itertools import accumulate

import msgspec

from domain.claims import Claim
from domain.detection import Detected, detect, detector_version
from domain.embedding import Matrix
from domain.errors import NotFound
from domain.people import Viewer
from domain.radar import comparable, watch
from domain.surroundings import Source, Surroundings
from domain.vault import OpenVault, Tools, Vault

BATCH = 50


class Reading(msgspec.Struct, frozen=True):
    """What was found in one version of a document."""

    document_id: int
    version_id: int
    text: str
    found: Detected
    stated: tuple[Claim, ...]


async def examine(open_vault: OpenVault, viewer: Viewer, tools: Tools) -> AsyncGenerator[int, None]:
    """Read what no detector of this version has read, one transaction a document, yielding the id of each.

    What new documents tell of others, of people and of records, has those that speak of them read again.
    """
    is_told_anew = True
    while is_told_anew:
        async for document_id in _read_due(open_vault, viewer, tools):
            yield document_id
        async with open_vault(viewer) as vault:
            is_told_anew = await vault.tidings.renew()
    async with open_vault(viewer) as vault:
        await vault.radar.forget_unproven()


async def _read_due(open_vault: OpenVault, viewer: Viewer, tools: Tools) -> AsyncIterator[int]:
    version = detector_version(tools.matcher)
    last_id = 0
    while True:
        async with open_vault(viewer) as vault:
            due = await vault.gaps.due(version, last_id, BATCH)
            around = await vault.tidings.surroundings() if due else Surroundings()
        if not due:
            return
        readings = [each async for each in _read(open_vault, viewer, tools, around, due)]
        vectors = await _embedded(tools, readings)
        for reading, own in zip(readings, vectors, strict=True):
            async with open_vault(viewer) as vault:
                await _record(vault, version, reading, own, tools.now())
            yield reading.document_id
        last_id = due[-1]  # what could not be read, since it is just being removed, does not come again


async def _read(
    open_vault: OpenVault, viewer: Viewer, tools: Tools, around: Surroundings, due: Sequence[int]
) -> AsyncIterator[Reading]:
    for document_id in due:
        async with open_vault(viewer) as vault:
            try:
                document = await vault.documents.get(document_id)
                version = await vault.documents.version(document_id)
            except NotFound:
                continue
        date = document.modified_at or document.created_at
        source = Source(version.text, document.title, document.author, date)
        found = await asyncio.to_thread(detect, source, around, tools.matcher, tools.analyzer, version.blocks)
        stated = await asyncio.to_thread(comparable, version.text, version.blocks, tools.analyzer)
        yield Reading(document_id, version.id, version.text, found, tuple(stated))


async def _embedded(tools: Tools, readings: Sequence[Reading]) -> list[Matrix]:
    """Embed the claims of all readings at once, and return each reading's own rows: a call has its price."""
    texts = [claim.text for reading in readings for claim in reading.stated]
    vectors = await tools.embedder.embed(texts)
    ends = list(accumulate(len(reading.stated) for reading in readings))
    return [vectors[end - len(reading.stated) : end] for reading, end in zip(readings, ends, strict=True)]


async def _record(vault: Vault, detector: str, reading: Reading, vectors: Matrix, now: datetime) -> None:
    await vault.gaps.record(reading.document_id, reading.version_id, detector, reading.found, reading.text)
    await watch(vault.radar, reading.document_id, reading.version_id, reading.stated, vectors)
    await vault.gap_answers.settle(reading.document_id, reading.version_id, now)
