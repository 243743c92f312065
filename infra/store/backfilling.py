"""A name the vault has just learnt, looked for in the documents it holds: through the word index, and bounded."""

import re
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.entities import EntityKind
from infra.analysis import WordAnalyzer
from infra.store.chunk_writing import tenant_lexeme
from infra.store.columns import N_PARTS, PART
from infra.store.graph_keys import Keyed

MAX_NAMES = 20
"""New names of one document that are looked for."""
MAX_CHUNKS = 100
"""Chunks that are read again for one name; a word in more of them is hardly a name."""
MIN_LETTERS = 4
KINDS = (EntityKind.SYSTEM, EntityKind.PROJECT, EntityKind.ORGANISATION)
FIND = sa.text(
    "select i.chunk_id, d.version_id from chunk_index i join documents d on d.id = i.document_id"
    " join name_readings r on (r.tenant_id, r.document_id, r.version_id) = (d.tenant_id, d.id, d.version_id)"
    f" where i.tenant_id = :tenant and {PART} and i.tsv @@ cast(:query as tsquery) and d.id <> :document"
    f" order by i.chunk_id limit {MAX_CHUNKS}"
)
LOAD = sa.text(
    "select c.document_id, c.version_id, c.start_at, c.text from chunks c where c.id = any(:ids) order by c.id"
)
LONE = sa.text(
    "select k.key from entity_keys k join entity_aliases a on (a.tenant_id, a.id) = (k.tenant_id, k.alias_id)"
    " where k.tenant_id = :tenant and k.key = any(:keys) group by 1 having count(distinct a.entity_id) = 1 order by 1"
)
ADD = sa.text("""
with came as (
    insert into mentions (tenant_id, document_id, version_id, alias_id, start_at, end_at)
    select :tenant, document_id, version_id, :alias, start_at, end_at from unnest(
        cast(:documents as bigint[]), cast(:versions as bigint[]), cast(:starts as int[]), cast(:ends as int[])
    ) n (document_id, version_id, start_at, end_at) on conflict do nothing returning alias_id
)
update entity_aliases set n_mentions = n_mentions + (select count(*)::int from came)
where tenant_id = :tenant and id = :alias
""")


async def find_earlier_mentions(
    connection: AsyncConnection,
    tenant_id: int,
    analyzer: WordAnalyzer,
    document_id: int,
    new: Sequence[tuple[Keyed, int]],
) -> None:
    """Write where documents that were read before name what is new, given with the ids of its aliases.

    What waits to be read finds it by itself. A person is looked for by the full name, where it is one person's only.
    """
    lone = await _borne_by_one(connection, tenant_id, [each for each, _ in new if _is_named_person(each)])
    wanted = [(each.found.name, alias_id) for each, alias_id in new if _is_wanted(each) or (_name_key(each) in lone)][
        :MAX_NAMES
    ]
    for name, alias_id in wanted:
        lexemes = [tenant_lexeme(tenant_id), *dict.fromkeys(word.lexeme for word in analyzer.words(name))]
        if len(lexemes) < 2:
            continue
        query = " & ".join("'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'" for lexeme in lexemes)
        held = await connection.execute(
            FIND, {"tenant": tenant_id, "part": tenant_id % N_PARTS, "query": query, "document": document_id}
        )
        ids = [row.chunk_id for row in held]
        if 0 < len(ids) < MAX_CHUNKS:
            await _add(connection, tenant_id, alias_id, name, ids)


def _is_wanted(each: Keyed) -> bool:
    return each.found.kind in KINDS and len(each.found.name) >= MIN_LETTERS and each.key.startswith("n:")


def _is_named_person(each: Keyed) -> bool:
    parts = each.found.name.split()
    is_name = 1 < len(parts) < 6 and all(len(part.strip(".")) > 1 for part in parts) and "@" not in each.found.name
    return each.found.kind is EntityKind.PERSON and is_name and bool(_name_key(each))


def _name_key(each: Keyed) -> str:
    return next((key for key in each.keys if key.startswith("n:") and " " in key), "")


async def _borne_by_one(connection: AsyncConnection, tenant_id: int, people: Sequence[Keyed]) -> frozenset[str]:
    """Return the keys of the names that one person alone bears in this tenant."""
    keys = sorted({_name_key(each) for each in people})
    if not keys:
        return frozenset()
    rows = await connection.execute(LONE, {"tenant": tenant_id, "keys": keys})
    return frozenset(rows.scalars())


async def _add(connection: AsyncConnection, tenant_id: int, alias_id: int, name: str, chunk_ids: Sequence[int]) -> None:
    pattern = re.compile(rf"(?<![\w@./-]){re.escape(name)}(?![\w@]|-\w)")
    found = [
        (row.document_id, row.version_id, row.start_at + match.start(), row.start_at + match.end())
        for row in await connection.execute(LOAD, {"ids": list(chunk_ids)})
        for match in pattern.finditer(row.text)
    ]
    if found:
        documents, versions, starts, ends = (list(column) for column in zip(*found, strict=True))
        await connection.execute(
            ADD,
            {
                "tenant": tenant_id,
                "alias": alias_id,
                "documents": documents,
                "versions": versions,
                "starts": starts,
                "ends": ends,
            },
        )
