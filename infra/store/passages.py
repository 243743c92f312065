"""The search index in Postgres: a lexical and a vector leg, each one statement that checks access itself.

`chunk_index` has no row-level policy (docs/decisions/0002), so each statement names its tenant and joins `documents`,
whose policy is forced: a row of another tenant cannot come through either. The legs join by the document's id alone:
were tenants equated too, the planner would carry the policy's condition over to `chunk_index`, and with it the ban on
using the word index for `@@`.
"""

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
from domain.people import Viewer
from domain.search import Candidate, Passage, SearchFilter, Stretch, Weighed
from infra.analysis import WordAnalyzer
from infra.store import glossary
from infra.store.access import READABLE, access_binds
from infra.store.columns import LABELLED, N_DIMENSIONS, Column, Columns, read_columns
from infra.store.ingest import dense_text, sparse_text, tenant_lexeme

MAX_QUESTION_WORDS = 64
"""Of a very long question, its rarest words are searched for."""
MAX_MATCHED_CHUNKS = 6_000
MIN_MATCHED_WORDS = 2
"""In a large tenant only chunks with one of the question's rarer words are scored, by all of its words: those that have
nothing but its most common ones, and there may be tens of thousands, could hardly come first."""
EXACT_BELOW_CHUNKS = 20_000
"""Tenants smaller than this are searched exactly: reading their rows costs less than walking everybody's graph."""

WALK_WIDTH = 200
"""hnsw.ef_search: nodes kept in mind while walking the graph."""
MAX_WALKED = 40_000
"""Nodes looked at before the walk ends with fewer results than were asked for."""
WALK = (
    "select set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.ef_search', :ef, true),"
    " set_config('hnsw.max_scan_tuples', :tuples, true)"
)
"""The walk goes on until enough rows have passed the tenant and the permissions (pgvector 0.8)."""

NARROWED = f"""
    {READABLE}
    and (cast(:integration as bigint) is null or d.integration_id = :integration)
    and (:media_type = '' or d.media_type = :media_type)
    and (:author = '' or d.author = :author)
    and (cast(:since as timestamptz) is null or d.sorted_at >= :since)
    and (cast(:until as timestamptz) is null or d.sorted_at < :until)
"""
LEXICAL = f"""
select i.chunk_id, i.document_id, -(i.sv <#> cast(:sv as sparsevec)) as score
from chunk_index i join documents d on d.id = i.document_id
where i.tenant_id = :tenant and i.tsv @@ cast(:query as tsquery) and {NARROWED}
order by i.sv <#> cast(:sv as sparsevec), i.chunk_id limit :limit
"""
DENSE = f"""
select i.chunk_id, i.document_id, -(i.embedding <#> cast(:vector as halfvec(384))) as score
from chunk_index i join documents d on d.id = i.document_id
where i.tenant_id = :tenant and {LABELLED} and {NARROWED}
order by i.embedding <#> cast(:vector as halfvec(384)) limit :limit
"""
DENSE_EXACT = DENSE.replace("order by i.embedding <#> cast(:vector as halfvec(384))", "order by 3 desc, i.chunk_id")
WORDED = {
    "phrases": " and exists (select from chunks c where c.id = i.chunk_id and not exists ("
    "select from unnest(cast(:phrases as text[])) p where c.text !~* p and d.title !~* p"
    " and array_to_string(c.heading_path, chr(10)) !~* p))",
    "excluded": " and not i.tsv @@ cast(:excluded as tsquery)",
}
"""Conditions of a question that has quoted phrases or excluded words."""
WEIGH = f"""
select i.chunk_id, i.document_id, -(i.sv <#> cast(:sv as sparsevec)) as lexical,
    case when {LABELLED} then -(i.embedding <#> cast(:vector as halfvec(384))) else 0 end as dense
from chunk_index i where i.tenant_id = :tenant and i.chunk_id = any(:ids) order by i.chunk_id
"""
"""Scores alone, of chunks that a leg has proposed, and has checked: access is not asked for again before `LOAD`."""
VECTORS = f"""
select i.chunk_id, i.embedding::text as vector from chunk_index i
join documents d on (d.tenant_id, d.id) = (i.tenant_id, i.document_id)
where i.tenant_id = :tenant and i.chunk_id = any(:ids) and {LABELLED} and {READABLE}
"""
READ = f"""
select w.place, substr(v.text, w.start_at + 1, w.end_at - w.start_at) as text
from unnest(cast(:versions as bigint[]), cast(:starts as int[]), cast(:ends as int[]))
    with ordinality as w (version_id, start_at, end_at, place)
join document_versions v on v.id = w.version_id
join documents d on (d.tenant_id, d.id) = (v.tenant_id, v.document_id)
where {READABLE} order by w.place
"""
LOAD = f"""
select c.id as chunk_id, c.document_id, c.version_id, d.title, c.heading_path, c.text, c.start_at as start,
    c.end_at as "end", c.page, n.name as integration_name, d.media_type, d.author, d.url,
    d.source_modified_at as modified_at
from chunks c join documents d on (d.tenant_id, d.id) = (c.tenant_id, c.document_id)
join integrations n on (n.tenant_id, n.id) = (d.tenant_id, d.integration_id)
where c.id = any(:ids) and {READABLE}
"""


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

    def _binds(self, narrowed: SearchFilter, limit: int) -> dict[str, object]:
        return {
            **access_binds(self._viewer),
            "tenant": self._viewer.tenant_id,
            "integration": narrowed.integration_id,
            "media_type": narrowed.media_type,
            "author": narrowed.author,
            "since": narrowed.since,
            "until": narrowed.until,
            "limit": limit,
            **({"phrases": [_pattern(each) for each in narrowed.phrases]} if narrowed.phrases else {}),
            **({"excluded": self._any_of(narrowed.excluded)} if narrowed.excluded else {}),
        }

    def _any_of(self, texts: Sequence[str]) -> str:
        lexemes = {word.lexeme for text in texts for word in self._analyzer.words(text)}
        return " | ".join(_quoted(lexeme) for lexeme in sorted(lexemes)) or _quoted(" nothing")

    async def lexical(self, question: str, narrowed: SearchFilter, limit: int) -> list[Candidate]:
        counted = frequencies(((word.lexeme for word in self._analyzer.words(question)), 1))
        n_chunks, n_containing = await self._statistics(list(counted))
        rarest = sorted(n_containing, key=lambda lexeme: (n_containing[lexeme], lexeme))[:MAX_QUESTION_WORDS]
        weights = question_weights({lexeme: counted[lexeme] for lexeme in rarest}, n_chunks, n_containing)
        if not weights:
            return []
        rows = await self._connection.execute(
            sa.text(_worded(LEXICAL, narrowed)),
            {
                **self._binds(narrowed, limit),
                "sv": sparse_text(weights),
                "query": self._query(_telling(rarest, n_containing)),
            },
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

    def _query(self, lexemes: Sequence[str]) -> str:
        """Return a tsquery: the tenant's own lexeme and any of these. Lexemes are quoted, never parsed."""
        alternatives = " | ".join(_quoted(lexeme) for lexeme in lexemes)
        return f"{_quoted(tenant_lexeme(self._viewer.tenant_id))} & ({alternatives})"

    async def dense(self, vector: Matrix, narrowed: SearchFilter, limit: int) -> list[Candidate]:
        n_chunks, _ = await self._statistics([])
        if n_chunks < EXACT_BELOW_CHUNKS:
            return await self.dense_exact(vector, narrowed, limit)
        await self._connection.execute(sa.text(WALK), {"ef": str(WALK_WIDTH), "tuples": str(MAX_WALKED)})
        found = await self._dense(DENSE, vector, narrowed, limit)
        return sorted(found, key=lambda each: (-each.score, each.chunk_id))  # a relaxed walk may swap neighbours

    async def dense_exact(self, vector: Matrix, narrowed: SearchFilter, limit: int) -> list[Candidate]:
        """Return what `dense` does by reading every row of the tenant: for small tenants, and to measure recall."""
        return await self._dense(DENSE_EXACT, vector, narrowed, limit)

    async def _dense(self, statement: str, vector: Matrix, narrowed: SearchFilter, limit: int) -> list[Candidate]:
        column = await self._column()
        rows = await self._connection.execute(
            sa.text(column.of(_worded(statement, narrowed))),
            {**self._binds(narrowed, limit), "vector": dense_text(vector), "model": column.model},
        )
        return [Candidate(row.chunk_id, row.document_id, row.score) for row in rows]

    async def weigh(self, chunk_ids: Sequence[int], words: Mapping[str, float], vector: Matrix) -> list[Weighed]:
        n_chunks, n_containing = await self._statistics(list(words))
        weights = question_weights(words, n_chunks, n_containing)
        column = await self._column()
        rows = await self._connection.execute(
            sa.text(column.of(WEIGH)),
            {
                "model": column.model,
                "tenant": self._viewer.tenant_id,
                "ids": list(chunk_ids),
                "sv": sparse_text(weights),
                "vector": dense_text(vector),
            },
        )
        return [msgspec.convert(dict(row._mapping), Weighed) for row in rows]

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
        rows = await self._connection.execute(
            sa.text(READ),
            {
                **access_binds(self._viewer),
                "versions": [each.version_id for each in stretches],
                "starts": [each.start for each in stretches],
                "ends": [each.end for each in stretches],
            },
        )
        found = {row.place: row.text for row in rows}
        return [found.get(place, "") for place in range(1, len(stretches) + 1)]

    async def load(self, chunk_ids: Sequence[int]) -> list[Passage]:
        rows = await self._connection.execute(sa.text(LOAD), {**access_binds(self._viewer), "ids": list(chunk_ids)})
        found = {row.chunk_id: msgspec.convert(dict(row._mapping), Passage) for row in rows}
        return [found[chunk_id] for chunk_id in chunk_ids if chunk_id in found]

    async def vectors(self, chunk_ids: Sequence[int]) -> Matrix:
        column = await self._column()
        binds = {"tenant": self._viewer.tenant_id, "ids": list(chunk_ids), "model": column.model}
        rows = await self._connection.execute(sa.text(column.of(VECTORS)), {**access_binds(self._viewer), **binds})
        found = {row.chunk_id: msgspec.json.decode(row.vector, type=list[float]) for row in rows}
        matrix = np.zeros((len(chunk_ids), N_DIMENSIONS), np.float32)
        for position, chunk_id in enumerate(chunk_ids):
            if chunk_id in found:
                matrix[position] = found[chunk_id]
        return matrix


def _worded(statement: str, narrowed: SearchFilter) -> str:
    """Return the statement with the conditions that this question needs, before its order."""
    conditions = "".join(WORDED[name] for name in WORDED if getattr(narrowed, name))
    return statement.replace("\norder by", f"{conditions}\norder by") if conditions else statement


def _telling(rarest: Sequence[str], n_containing: Mapping[str, int]) -> list[str]:
    """Return the first words, rarest first, whose chunks together are few enough to be scored."""
    n_matched = 0
    kept: list[str] = []
    for lexeme in rarest:
        n_matched += n_containing[lexeme]
        if len(kept) >= MIN_MATCHED_WORDS and n_matched > MAX_MATCHED_CHUNKS:
            break
        kept.append(lexeme)
    return kept


def _pattern(phrase: str) -> str:
    """Return a regular expression for a phrase at the bounds of words, with any white space between them."""
    words = (re.sub(r"(\W)", r"\\\1", word) for word in phrase.split())
    return r"(?:^|\W)" + r"\s+".join(words) + r"(?:$|\W)"


def _quoted(lexeme: str) -> str:
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"
