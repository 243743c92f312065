"""The search index in Postgres: a lexical and a vector leg, each one statement that checks access itself."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
import numpy as np
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.embedding import Matrix
from domain.glossary import Expansion
from domain.lexical import frequencies, inverse_document_frequency, question_weights
from domain.matching import telling_sets
from domain.people import Viewer
from domain.search import Candidate, Passage, Proposed, SearchFilter, Stretch
from infra.analysis import WordAnalyzer
from infra.store import glossary
from infra.store.access import access_binds
from infra.store.chunk_writing import dense_text, sparse_text, tenant_lexeme
from infra.store.columns import N_DIMENSIONS, N_PARTS, Column, Columns, read_columns
from infra.store.passage_sql import (
    DENSE,
    DENSE_OF_ALL,
    DENSE_OF_FEW,
    LEXEMES_OF,
    LEXICAL,
    LOAD,
    N_NARROWED,
    NOTHING,
    PROPOSED,
    READ,
    RELATED,
    VECTORS,
    WITHIN,
    WORDED,
)
from infra.store.proposals import no_vector, read_proposed
from infra.store.standing import FEW_DOCUMENTS, Standing, look_up

MAX_QUESTION_WORDS = 64
"""Of a very long question, its rarest words are searched for."""
EXACT_BELOW_CHUNKS = 20_000
"""Tenants smaller than this are searched exactly: reading their rows costs less than walking a shared graph."""

WALK_DEPTH = 60
"""Candidates of each leg where the graph is walked: the walk takes longer for each, and the tail comes to nothing."""


class PassageStore:
    """The search index of one tenant, as one viewer may see it."""

    def __init__(
        self,
        connection: AsyncConnection,
        viewer: Viewer,
        analyzer: WordAnalyzer,
        labels: tuple[str, ...],
        pinned: str = "",
    ) -> None:
        self._connection = connection
        self._viewer = viewer
        self._analyzer = analyzer
        self._labels = labels
        self._pinned = pinned
        self._columns: Columns | None = None
        """Read once: a switch that is committed meanwhile counts from the next transaction on."""
        self._standing: Standing | None = None
        self._dense_legs: dict[SearchFilter, str] = {}
        self._n_chunks: int | None = None
        self._n_containing: dict[str, int] = {}
        """The tenant's statistics as this transaction has read them; 0 for words it does not have."""

    async def model(self) -> str:
        if self._pinned or len(self._labels) == 1:
            return self._pinned or self._labels[0]
        read = (await self._held()).read
        return read if read in self._labels else self._labels[0]

    def through(self, model: str) -> "PassageStore":
        return PassageStore(self._connection, self._viewer, self._analyzer, self._labels, model)

    async def _held(self) -> Columns:
        if self._columns is None:
            self._columns = await read_columns(self._connection, self._viewer.tenant_id, self._labels[0])
        return self._columns

    async def _column(self) -> Column:
        """The column of the model that questions come in; one that holds nothing of it finds nothing."""
        model = await self.model()
        return (await self._held()).find(model) or Column(model, is_next=False)

    async def _stands(self) -> Standing:
        if self._standing is None:
            self._standing = await look_up(self._connection, self._viewer)
        return self._standing

    async def _access(self) -> dict[str, object]:
        return {**access_binds(self._viewer), "mine": (await self._stands()).principals}

    async def _binds(self, narrowed: SearchFilter) -> dict[str, object]:
        return {
            **await self._access(),
            "tenant": self._viewer.tenant_id,
            "part": self._viewer.tenant_id % N_PARTS,
            "integration": narrowed.integration_id,
            "media_type": narrowed.media_type,
            "author": narrowed.author,
            "since": narrowed.since,
            "until": narrowed.until,
            **self._phrase_binds(narrowed.phrases),
            **({"excluded": self._any_of(narrowed.excluded)} if narrowed.excluded else {}),
        }

    def _phrase_binds(self, phrases: Sequence[str]) -> dict[str, object]:
        """Phrases as patterns, and the words that a chunk with all of them has in the index, as far as it can tell.

        Of an identifier, whose parts a phrase may cut, only the parts count.
        """
        if not phrases:
            return {}
        lexemes = {word.lexeme for phrase in phrases for word in self._analyzer.words(phrase)}
        plain = sorted(each for each in lexemes if each.isdigit() or (each.isalnum() and len(each) > 1))
        words = [tenant_lexeme(self._viewer.tenant_id), *plain]
        return {"phrases": [_pattern(each) for each in phrases], "phrased": " & ".join(map(_quoted, words))}

    def _any_of(self, texts: Sequence[str]) -> str:
        lexemes = {word.lexeme for text in texts for word in self._analyzer.words(text)}
        return " | ".join(_quoted(lexeme) for lexeme in sorted(lexemes)) or _quoted(" nothing")

    async def lexical(self, question: str, narrowed: SearchFilter, limit: int) -> list[Candidate]:
        counted = frequencies(((word.lexeme for word in self._analyzer.words(question)), 1))
        asked = await self._asked(counted)
        return await self._run(LEXICAL, narrowed, {**asked, "limit": limit}) if asked else []

    async def _asked(self, counted: Mapping[str, float]) -> dict[str, object]:
        """Return the binds of the lexical leg; none where the tenant has none of the words."""
        n_chunks, n_containing = await self._statistics(list(counted))
        rarest = sorted(n_containing, key=lambda lexeme: (n_containing[lexeme], lexeme))[:MAX_QUESTION_WORDS]
        weights = question_weights({lexeme: counted[lexeme] for lexeme in rarest}, n_chunks, n_containing)
        if not weights:
            return {}
        return {"sv": sparse_text(weights), "query": self._query({each: n_containing[each] for each in rarest})}

    async def _run(self, statement: str, narrowed: SearchFilter, binds: Mapping[str, object]) -> list[Candidate]:
        column = await self._column()
        rows = await self._connection.execute(
            sa.text(column.of(_worded(statement, narrowed))),
            {**await self._binds(narrowed), **binds, "model": column.model},
        )
        return [Candidate(row.chunk_id, row.document_id, row.score) for row in rows]

    async def _statistics(self, lexemes: Sequence[str]) -> tuple[int, dict[str, int]]:
        """Return the tenant's number of chunks and, of the lexemes that occur, in how many chunks each does."""
        unread = [lexeme for lexeme in lexemes if lexeme not in self._n_containing]
        if unread or self._n_chunks is None:
            rows = await self._connection.execute(
                sa.text(
                    "select '' as lexeme, n_chunks from lexical_statistics where tenant_id = :tenant union all"
                    " select lexeme, n_chunks from lexemes"
                    " where tenant_id = :tenant and lexeme = any(cast(:lexemes as text[])) and n_chunks > 0"
                ),
                {"tenant": self._viewer.tenant_id, "lexemes": unread},
            )
            found = {row.lexeme: int(row.n_chunks) for row in rows}
            self._n_chunks = found.pop("", 0)
            self._n_containing |= dict.fromkeys(unread, 0) | found
        return self._n_chunks, {each: n for each in lexemes if (n := self._n_containing[each])}

    def _query(self, n_containing: Mapping[str, int]) -> str:
        """Return a tsquery: the tenant's own lexeme, and enough of these. Lexemes are quoted, never parsed."""
        sets = telling_sets(n_containing, self._n_chunks or 0)
        alternatives = " | ".join(f"({' & '.join(map(_quoted, each))})" for each in sets)
        return f"{_quoted(tenant_lexeme(self._viewer.tenant_id))} & ({alternatives})"

    async def dense(self, vector: Matrix, narrowed: SearchFilter, limit: int) -> list[Candidate]:
        statement = await self._dense_leg(narrowed)
        found = await self._run(statement, narrowed, {"vector": dense_text(vector), "limit": limit})
        return sorted(found, key=lambda each: (-each.score, each.chunk_id))  # a relaxed walk may swap neighbours

    async def dense_exact(self, vector: Matrix, narrowed: SearchFilter, limit: int) -> list[Candidate]:
        """Return what `dense` does by reading every row of the tenant: to measure recall."""
        return await self._run(DENSE_OF_ALL, narrowed, {"vector": dense_text(vector), "limit": limit})

    async def prepare(self, narrowed: SearchFilter) -> None:
        await self._column()
        await self._dense_leg(narrowed)

    async def _dense_leg(self, narrowed: SearchFilter) -> str:
        """Return the statement that finds the nearest in the least time."""
        if narrowed not in self._dense_legs:
            self._dense_legs[narrowed] = await self._choose(narrowed)
        return self._dense_legs[narrowed]

    async def _choose(self, narrowed: SearchFilter) -> str:
        n_chunks, _ = await self._statistics([])
        is_walked = n_chunks >= EXACT_BELOW_CHUNKS and (await self._held()).is_walked
        if not is_walked or narrowed.phrases:
            return DENSE_OF_ALL
        n_documents = (await self._stands()).n_documents
        if _is_narrow(narrowed) and n_documents >= FEW_DOCUMENTS:
            rows = await self._connection.execute(sa.text(N_NARROWED), await self._binds(narrowed))
            n_documents = rows.one().n_documents
        return DENSE_OF_FEW if n_documents < FEW_DOCUMENTS else DENSE

    async def propose(
        self,
        words: Mapping[str, float],
        vector: Matrix,
        narrowed: SearchFilter,
        depth: int,
        related: Sequence[int] = (),
    ) -> Proposed:
        asked = await self._asked(words)
        dense = await self._dense_leg(narrowed)
        column = await self._column()
        depth = min(depth, WALK_DEPTH) if dense == DENSE else depth
        statement = PROPOSED.format(
            lexical=_worded(LEXICAL, narrowed) if asked else NOTHING,
            dense=_worded(dense, narrowed),
            related=_worded(RELATED, narrowed) if related else NOTHING,
        )
        rows = await self._connection.execute(
            sa.text(column.of(statement)),
            {
                **await self._binds(narrowed),
                "model": column.model,
                **asked,
                "vector": dense_text(vector),
                "limit": depth,
                "no_vector": no_vector(len(vector)),
                **({"related": list(related)} if related else {}),
            },
        )
        return read_proposed(rows.one(), len(vector))

    async def lexemes_of(self, chunk_ids: Sequence[int]) -> dict[str, float]:
        n_chunks, _ = await self._statistics([])
        rows = await self._connection.execute(
            sa.text(LEXEMES_OF), {"tenant": self._viewer.tenant_id, "ids": list(chunk_ids)}
        )
        found = {row.lexeme: int(row.n_chunks) for row in rows}
        self._n_containing |= found
        return {lexeme: inverse_document_frequency(n_chunks, n) for lexeme, n in found.items()}

    async def question_weights(self, words: Mapping[str, float]) -> dict[int, float]:
        n_chunks, n_containing = await self._statistics(list(words))
        return question_weights(words, n_chunks, n_containing)

    async def changed(self, document_ids: Sequence[int]) -> dict[int, datetime]:
        rows = await self._connection.execute(
            sa.text("select id, sorted_at from documents where id = any(:ids)"), {"ids": list(document_ids)}
        )
        return {row.id: row.sorted_at for row in rows}

    async def rarity(self, lexemes: Sequence[str]) -> dict[str, float]:
        n_chunks, n_containing = await self._statistics(lexemes)
        return {lexeme: inverse_document_frequency(n_chunks, n) for lexeme, n in n_containing.items()}

    async def explain(self, words: Sequence[str], question: str) -> list[Expansion]:
        return await glossary.explain(self._connection, self._viewer, words, question)

    async def spellings(self, lexemes: Sequence[str]) -> dict[str, str]:
        return await glossary.spellings(self._connection, self._viewer, lexemes)

    async def read(self, stretches: Sequence[Stretch]) -> list[str]:
        if not stretches:
            return []
        rows = await self._connection.execute(
            sa.text(READ),
            {
                **await self._access(),
                "versions": [each.version_id for each in stretches],
                "starts": [each.start for each in stretches],
                "ends": [each.end for each in stretches],
            },
        )
        found = {row.place: row.text for row in rows}
        return [found.get(place, "") for place in range(1, len(stretches) + 1)]

    async def load(self, chunk_ids: Sequence[int]) -> list[Passage]:
        rows = await self._connection.execute(sa.text(LOAD), {**await self._access(), "ids": list(chunk_ids)})
        found = {row.chunk_id: msgspec.convert(dict(row._mapping), Passage) for row in rows}
        return [found[chunk_id] for chunk_id in chunk_ids if chunk_id in found]

    async def vectors(self, chunk_ids: Sequence[int]) -> Matrix:
        column = await self._column()
        binds = {"tenant": self._viewer.tenant_id, "ids": list(chunk_ids), "model": column.model}
        rows = await self._connection.execute(sa.text(column.of(VECTORS)), {**await self._access(), **binds})
        found = {row.chunk_id: msgspec.json.decode(row.vector, type=list[float]) for row in rows}
        matrix = np.zeros((len(chunk_ids), N_DIMENSIONS), np.float32)
        for position, chunk_id in enumerate(chunk_ids):
            if chunk_id in found:
                matrix[position] = found[chunk_id]
        return matrix


def _worded(statement: str, narrowed: SearchFilter) -> str:
    """Return the statement with the conditions that this question needs."""
    for place, conditions in (("{worded}", WORDED), ("{within}", WITHIN)):
        needed = (conditions[name] for name in conditions if getattr(narrowed, name))
        statement = statement.replace(place, "".join(needed))
    return statement


def _is_narrow(narrowed: SearchFilter) -> bool:
    return any((narrowed.integration_id, narrowed.media_type, narrowed.author, narrowed.since, narrowed.until))


def _pattern(phrase: str) -> str:
    """Return a regular expression for a phrase at the bounds of words, with any white space between them."""
    words = (re.sub(r"(\W)", r"\\\1", word) for word in phrase.split())
    return r"(?:^|\W)" + r"\s+".join(words) + r"(?:$|\W)"


def _quoted(lexeme: str) -> str:
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"
