"""What a tenant's documents explain, and the words its people may have meant: rows in, nearest rows out."""

import asyncio
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.glossary import Expansion, explained
from domain.people import Viewer
from infra.store.access import READABLE, access_binds

MAX_FOUND = 8
MAX_SIMILAR = 4_000
"""Lexemes that a misspelt word is compared with, the most frequent first: a few hundred kilobytes, for one request."""
TWO_EDITS_FROM_CHARACTERS = 7

WRITE = sa.text(
    "insert into glossary (tenant_id, document_id, short, long)"
    " select :tenant, g.document_id, g.short, g.long"
    " from unnest(cast(:documents as bigint[]), cast(:shorts as text[]), cast(:longs as text[]))"
    " g (document_id, short, long) on conflict do nothing"
)
FORGET = sa.text("delete from glossary where document_id = any(cast(:documents as bigint[]))")
ASKED = "(lower(g.short) = any(cast(:words as text[])) or position(lower(g.long) in :question) > 0)"
IS_KNOWN = f"select exists (select from glossary g where g.tenant_id = :tenant and {ASKED}) as is_known"
EXPLAIN = f"""
select g.short, min(g.long) as long from glossary g
join documents d on (d.tenant_id, d.id) = (g.tenant_id, g.document_id)
where {ASKED} and {READABLE}
group by g.short, lower(g.long) order by count(*) desc, g.short, 2 limit :limit
"""
SIMILAR = """
select lexeme from lexemes
where tenant_id = :tenant and n_chunks > 0 and char_length(lexeme) between :low and :high
    and (left(lexeme, 1) = any(cast(:firsts as text[])) or right(lexeme, 2) = any(cast(:lasts as text[])))
order by n_chunks desc, lexeme limit :limit
"""


async def write_glossary(
    connection: AsyncConnection, tenant_id: int, changed: Sequence[int], texts: Sequence[tuple[int, str]]
) -> None:
    """Make what documents explain their only entries; `changed` are those that may have others yet."""
    if changed:
        await connection.execute(FORGET, {"documents": list(changed)})
    found = [(document_id, each) for document_id, text in texts for each in explained(text)]
    if found:
        await connection.execute(
            WRITE,
            {
                "tenant": tenant_id,
                "documents": [document_id for document_id, _ in found],
                "shorts": [each.short for _, each in found],
                "longs": [each.long for _, each in found],
            },
        )


async def explain(connection: AsyncConnection, viewer: Viewer, words: Sequence[str], question: str) -> list[Expansion]:
    """See `domain.search.Passages.explain`. Who may read it is asked only where anything is known at all."""
    asked = {"words": sorted({word.lower() for word in words}), "question": question.lower()}
    known = await connection.execute(sa.text(IS_KNOWN), {"tenant": viewer.tenant_id, **asked})
    if not known.one().is_known:
        return []
    rows = await connection.execute(sa.text(EXPLAIN), {**access_binds(viewer), **asked, "limit": MAX_FOUND})
    return [Expansion(row.short, row.long) for row in rows]


async def spellings(connection: AsyncConnection, viewer: Viewer, lexemes: Sequence[str]) -> dict[str, str]:
    """See `domain.search.Passages.spellings`."""
    rows = await connection.execute(
        sa.text(SIMILAR),
        {
            "tenant": viewer.tenant_id,
            "low": min(map(len, lexemes)) - 2,
            "high": max(map(len, lexemes)) + 2,
            "firsts": sorted({lexeme[0] for lexeme in lexemes}),
            "lasts": sorted({lexeme[-2:] for lexeme in lexemes}),
            "limit": MAX_SIMILAR,
        },
    )
    return await asyncio.to_thread(_nearest, lexemes, list(rows.scalars()))


def _nearest(lexemes: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    """Return for each word the one it was meant to be, where there is one."""
    from rapidfuzz import process  # noqa: PLC0415  # 2 MB that only a misspelt question pays for
    from rapidfuzz.distance import OSA  # noqa: PLC0415

    found = {
        lexeme: process.extractOne(lexeme, known, scorer=OSA.distance, score_cutoff=_edits(lexeme))
        for lexeme in lexemes
    }
    return {lexeme: best[0] for lexeme, best in found.items() if best is not None}


def _edits(lexeme: str) -> int:
    return 2 if len(lexeme) >= TWO_EDITS_FROM_CHARACTERS else 1
