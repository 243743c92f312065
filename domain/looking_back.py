"""Looking back: what the vault said on a day gone by, from the index and from superseded versions, cut anew."""

from datetime import datetime

import msgspec
import numpy as np

from domain.chunking import chunk
from domain.embedding import Embedder, Matrix
from domain.history import PastVersion
from domain.parsing import ParsedDocument
from domain.retrieval import find_passages
from domain.search import Analyzer, Passage, SearchFilter
from domain.vault import Tools, Vault

MAX_VERSIONS = 40
"""Superseded versions that are read for one question, those with most of its words first."""
MAX_PAST_CHUNKS = 24
"""Their passages that are embedded, likewise."""
RANK_CONSTANT = 20


class Past(msgspec.Struct, frozen=True):
    """What was found for a moment: passages of texts that still stand, and versions that were superseded since."""

    question: str
    standing: tuple[Passage, ...]
    superseded: tuple[PastVersion, ...]


async def look_back(vault: Vault, tools: Tools, question: str, moment: datetime, n: int) -> Past:
    """Return what stood at `moment` and may hold the answer; `ranked` puts both kinds in one order."""
    standing = await find_passages(vault, tools, question, SearchFilter(until=moment), n)
    words = list(dict.fromkeys(question[word.start : word.end].lower() for word in tools.analyzer.words(question)))
    return Past(question, tuple(standing), tuple(await vault.history.in_force(moment, words, MAX_VERSIONS)))


async def ranked(past: Past, embedder: Embedder, analyzer: Analyzer, n: int) -> list[Passage]:
    """Return the best `n` passages of either kind, best first, by words and by meaning (reciprocal rank fusion).

    Raises: Unavailable when the embedder is.
    """
    wanted = {word.lexeme for word in analyzer.words(past.question)}
    chunks = [passage for version in past.superseded for passage in passages_of(version)]
    near = sorted(chunks, key=lambda passage: -_shared(passage, wanted, analyzer))[:MAX_PAST_CHUNKS]
    if not near:
        return list(past.standing)[:n]
    passages = [*past.standing, *near]
    vectors = await embedder.embed([past.question, *(_spoken(passage) for passage in passages)])
    by_words = np.array([_shared(passage, wanted, analyzer) for passage in passages], np.float32)
    scores = 1 / (RANK_CONSTANT + _ranks(vectors[1:] @ vectors[0])) + 1 / (RANK_CONSTANT + _ranks(by_words))
    order = np.argsort(-scores, kind="stable")[:n]
    return [msgspec.structs.replace(passages[place], score=float(scores[place])) for place in order]


def passages_of(version: PastVersion) -> list[Passage]:
    """Cut a superseded version as the current ones were cut; its passages have negative ids, since none is stored."""
    parsed = ParsedDocument(
        title=version.title, text=version.text, blocks=version.blocks, media_type=version.media_type
    )
    return [
        Passage(
            chunk_id=-(version.version_id * 100_000 + each.ordinal + 1),
            document_id=version.document_id,
            version_id=version.version_id,
            title=version.title,
            heading_path=each.heading_path,
            text=each.text,
            start=each.start,
            end=each.end,
            page=each.page,
            integration_name=version.integration_name,
            media_type=version.media_type,
            author=version.author,
            url=version.url,
            modified_at=version.modified_at,
        )
        for each in chunk(parsed)
    ]


def _spoken(passage: Passage) -> str:
    return "\n".join(part for part in (passage.title, " > ".join(passage.heading_path), passage.text) if part)


def _shared(passage: Passage, wanted: set[str], analyzer: Analyzer) -> int:
    return len(wanted & {word.lexeme for word in analyzer.words(_spoken(passage))})


def _ranks(values: Matrix) -> Matrix:
    """Return each value's rank from 1, the highest first; equal values share the better one."""
    ranks: Matrix = (1 + (values[None, :] > values[:, None]).sum(axis=1)).astype(np.float32)
    return ranks
