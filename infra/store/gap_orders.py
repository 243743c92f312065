"""In which order gaps are listed, and the keys by which a list goes on where a page of it ended."""

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from domain.errors import Invalid
from domain.found_gaps import GapSort
from infra.store.gap_sql import RANKED
from infra.store.texts import storable

TIMES = frozenset({GapSort.NEWEST, GapSort.OLDEST})
CHANGED = "coalesce(closed_at, found_at)"
THEN_BEST = ("value, rank, id", "(value, rank, id) > (:value, cast(:rank as double precision), :id)")
ORDERS = {
    GapSort.PRIORITY: ("''", *THEN_BEST),
    GapSort.NEWEST: (CHANGED, "value desc, id desc", "(value, id) < (cast(:value as timestamptz), :id)"),
    GapSort.OLDEST: (CHANGED, "value, id", "(value, id) > (cast(:value as timestamptz), :id)"),
    GapSort.KIND: ("name", *THEN_BEST),
    GapSort.DOCUMENT: ("lower(title)", *THEN_BEST),
    GapSort.PERSON: ("case when addressee = '' then '1' else '0' || lower(addressee) end", *THEN_BEST),
}
"""Of each order: what it goes by, how, and what comes after a key."""
MAX_ID = 2**63 - 1


def page_statement(sort: GapSort, is_first: bool) -> str:
    """Return the statement of a page, the first or one after a key."""
    value, order, after = ORDERS[sort]
    listed = f"select *, {value} as value, -priority as rank from best where place = 1"
    condition = "true" if is_first else after
    page = f"select *, value::text as key from listed where {condition} order by {order} limit :size"
    return f"{RANKED}, listed as ({listed}) {page}"


def key_of(row: sa.Row[Any]) -> str:
    """Return the key after which the next page begins."""
    return msgspec.json.encode((row.key, row.rank, row.id)).decode()


def key_binds(key: str, sort: GapSort) -> dict[str, object]:
    """Return what a key stands for. Raises: Invalid for one that was not given out here."""
    if not key:
        return {}
    try:
        value, rank, gap_id = msgspec.json.decode(key, type=tuple[str, float, int])
        if sort in TIMES:
            datetime.fromisoformat(value)
    except (msgspec.DecodeError, ValueError) as error:
        raise Invalid("This page of the gaps does not exist. Start again from the first page.") from error
    found = {"value": storable(value), "id": min(abs(gap_id), MAX_ID)}
    return found if sort in TIMES else {**found, "rank": rank}
