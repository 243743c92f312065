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
from domain.matching import telling_sets
from domain.people import Viewer
from domain.search import Candidate, Passage, Proposed, SearchFilter, Stretch
from infra.analysis import WordAnalyzer
from infra.store import glossary
from infra.store.access import MINE, READABLE, access_binds
from infra.store.ingest import dense_text, sparse_text, tenant_lexeme
from infra.store.proposals import read_proposed

MAX_QUESTION_WORDS = 64
"""Of a very long question, its rarest words are searched for."""
EXACT_BELOW_CHUNKS = 20_000
"""Tenants smaller than this are searched exactly: reading their rows costs less than walking everybody's graph."""

WALK_WIDTH = 200
"""hnsw.ef_search: nodes kept in mind while walking the graph."""
MAX_WALKED = 40_000
"""Nodes looked at before the walk ends with fewer results than were asked for."""
FEW_DOCUMENTS = 2_000
"""Where a viewer may read fewer, or a filter leaves fewer, all their chunks are compared: a walk would pass most by."""
MAX_RELATED_CHUNKS = 40
"""Of related documents, their nearest chunks join what the legs propose."""
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
CHECKED = f"cross join lateral (select from documents d where d.id = i.document_id and {NARROWED}{{worded}} offset 0) d"
"""Access asked for chunk after chunk, best first, until enough have passed.

Of a plain join the planner expects almost no document to pass, and reads all of them before anything else.
"""
LEXICAL = f"""
select i.chunk_id, i.document_id, -i.distance as score
from (
    select chunk_id, document_id, tsv, sv <#> cast(:sv as sparsevec) as distance from chunk_index
    where tenant_id = :tenant and tsv @@ cast(:query as tsquery) order by distance, chunk_id offset 0
) i {CHECKED}
order by i.distance, i.chunk_id limit :limit
"""
DENSE = f"""
select i.chunk_id, i.document_id, -(i.embedding <#> cast(:vector as halfvec(384))) as score
from chunk_index i {CHECKED} where i.tenant_id = :tenant
order by i.embedding <#> cast(:vector as halfvec(384)) limit :limit
"""
DENSE_OF_ALL = f"""
select i.chunk_id, i.document_id, -i.distance as score
from (
    select chunk_id, document_id, tsv, embedding <#> cast(:vector as halfvec(384)) as distance from chunk_index
    where tenant_id = :tenant order by distance, chunk_id offset 0
) i {CHECKED}
order by i.distance, i.chunk_id limit :limit
"""
DENSE_OF_FEW = f"""
with few as materialized (select d.id from documents d where {NARROWED})
select i.chunk_id, i.document_id, -(i.embedding <#> cast(:vector as halfvec(384))) as score
from few join chunk_index i on i.tenant_id = :tenant and i.document_id = few.id join documents d on d.id = few.id
where true{{worded}} order by 3 desc, i.chunk_id limit :limit
"""
RELATED = f"""
select i.chunk_id from (
    select chunk_id, document_id, tsv, embedding <#> cast(:vector as halfvec(384)) as distance from chunk_index
    where tenant_id = :tenant and document_id = any(cast(:related as bigint[])) order by distance, chunk_id offset 0
) i {CHECKED} order by i.distance, i.chunk_id limit {MAX_RELATED_CHUNKS}
"""
N_GRANTED = f"""
select count(*) from (
    select from document_access a where a.tenant_id = :tenant and a.principal = any({MINE}) limit {FEW_DOCUMENTS}
) a
"""
N_NARROWED = f"select count(*) from (select from documents d where {NARROWED} limit {FEW_DOCUMENTS}) d"
NOTHING = "select null::bigint as chunk_id where false"
PROPOSED = """
with lexical as materialized ({lexical}), dense as materialized ({dense}), related as materialized ({related})
select i.chunk_id, i.document_id, sparsevec_send(i.sv) as weights, halfvec_send(i.embedding) as vector
from (select chunk_id from lexical union select chunk_id from dense union select chunk_id from related) p
join chunk_index i on i.tenant_id = :tenant and i.chunk_id = p.chunk_id order by i.chunk_id
"""
"""What either leg proposes, with all that scoring it needs: a widened question asks for nothing more."""
WORDED = {
    "phrases": " and exists (select from chunks c where c.id = i.chunk_id and not exists ("
    "select from unnest(cast(:phrases as text[])) p where c.text !~* p and d.title !~* p"
    " and array_to_string(c.heading_path, chr(10)) !~* p))",
    "excluded": " and not i.tsv @@ cast(:excluded as tsquery)",
}
"""Conditions of a question that has quoted phrases or excluded words."""
LEXEMES_OF = """
select l.lexeme, l.n_chunks from (
    select distinct w.lexeme from chunk_index i, unnest(i.tsv) w
    where i.tenant_id = :tenant and i.chunk_id = any(cast(:ids as bigint[]))
) w join lexemes l on l.tenant_id = :tenant and l.lexeme = w.lexeme where l.n_chunks > 0
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

    def __init__(self, connection: AsyncConnection, viewer: Viewer, analyzer: WordAnalyzer) -> None:
        self._connection = connection
        self._viewer = viewer
        self._analyzer = analyzer
        self._n_chunks: int | None = None
        self._n_containing: dict[str, int] = {}
        """The tenant's statistics as this transaction has read them; 0 for words it does not have."""

    def _binds(self, narrowed: SearchFilter) -> dict[str, object]:
        return {
            **access_binds(self._viewer),
            "tenant": self._viewer.tenant_id,
            "integration": narrowed.integration_id,
            "media_type": narrowed.media_type,
            "author": narrowed.author,
            "since": narrowed.since,
            "until": narrowed.until,
            **({"phrases": [_pattern(each) for each in narrowed.phrases]} if narrowed.phrases else {}),
            **({"excluded": self._any_of(narrowed.excluded)} if narrowed.excluded else {}),
        }

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
        rows = await self._connection.execute(sa.text(_worded(statement, narrowed)), {**self._binds(narrowed), **binds})
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

    async def _dense_leg(self, narrowed: SearchFilter) -> str:
        """Return the statement that finds the nearest in the least time, with its settings set."""
        n_chunks, _ = await self._statistics([])
        if n_chunks < EXACT_BELOW_CHUNKS:
            return DENSE_OF_ALL
        counting = N_NARROWED if _is_narrow(narrowed) else N_GRANTED
        if self._viewer.is_system and counting is N_GRANTED:
            n_documents = FEW_DOCUMENTS
        else:
            rows = await self._connection.execute(sa.text(counting), self._binds(narrowed))
            n_documents = int(rows.scalar_one())
        if n_documents < FEW_DOCUMENTS:
            return DENSE_OF_FEW
        await self._connection.execute(sa.text(WALK), {"ef": str(WALK_WIDTH), "tuples": str(MAX_WALKED)})
        return DENSE

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
        statement = PROPOSED.format(
            lexical=_worded(LEXICAL, narrowed) if asked else NOTHING,
            dense=_worded(dense, narrowed),
            related=_worded(RELATED, narrowed) if related else NOTHING,
        )
        rows = await self._connection.execute(
            sa.text(statement),
            {
                **self._binds(narrowed),
                **asked,
                "vector": dense_text(vector),
                "limit": depth,
                **({"related": list(related)} if related else {}),
            },
        )
        return read_proposed(rows.all(), len(vector))

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
        rows = await self._connection.execute(
            sa.text(
                "select i.chunk_id, i.embedding::text as embedding from chunk_index i"
                " join documents d on (d.tenant_id, d.id) = (i.tenant_id, i.document_id)"
                f" where i.tenant_id = :tenant and i.chunk_id = any(:ids) and {READABLE}"
            ),
            {**access_binds(self._viewer), "tenant": self._viewer.tenant_id, "ids": list(chunk_ids)},
        )
        found = {row.chunk_id: msgspec.json.decode(row.embedding, type=list[float]) for row in rows}
        n_dimensions = len(next(iter(found.values()))) if found else 0
        matrix = np.zeros((len(chunk_ids), n_dimensions), np.float32)
        for position, chunk_id in enumerate(chunk_ids):
            if chunk_id in found:
                matrix[position] = found[chunk_id]
        return matrix


def _worded(statement: str, narrowed: SearchFilter) -> str:
    """Return the statement with the conditions that this question needs."""
    return statement.replace("{worded}", "".join(WORDED[name] for name in WORDED if getattr(narrowed, name)))


def _is_narrow(narrowed: SearchFilter) -> bool:
    return any((narrowed.integration_id, narrowed.media_type, narrowed.author, narrowed.since, narrowed.until))


def _pattern(phrase: str) -> str:
    """Return a regular expression for a phrase at the bounds of words, with any white space between them."""
    words = (re.sub(r"(\W)", r"\\\1", word) for word in phrase.split())
    return r"(?:^|\W)" + r"\s+".join(words) + r"(?:$|\W)"


def _quoted(lexeme: str) -> str:
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"
