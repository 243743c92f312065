"""Studying: what a sync has stored can be searched at once; it is read for names and gaps afterwards, by this."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from domain.examining import examine
from domain.overlooking import overlook
from domain.people import Viewer
from domain.recognising import recognise
from domain.vault import OpenVault, Tools


async def study(open_vault: OpenVault, viewer: Viewer, tools: Tools, limit: int | None = None) -> bool:
    """Read up to `limit` documents for names and as many for gaps; return whether more may wait.

    What was read stays read, a transaction a document: whoever is stopped goes on with the next one. Once nothing
    waits, the vault is seen as a whole.
    """
    has_more = await _has_more(recognise(open_vault, viewer), limit)
    has_more |= await _has_more(examine(open_vault, viewer, tools), limit)
    if not has_more:
        await overlook(open_vault, viewer, tools)
    return has_more


async def _has_more(reading: AsyncGenerator[int, None], limit: int | None) -> bool:
    """Follow a reading to its end, or to its limit, where more may follow."""
    n_read = 0
    async with aclosing(reading) as ids:
        async for _ in ids:
            n_read += 1
            if limit is not None and n_read >= limit:
                return True
    return False
