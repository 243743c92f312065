"""Counts of gaps in Postgres, over nothing but what the viewer may read."""

from datetime import UTC, datetime, timedelta

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.gap_stats import N_ANSWERERS, Answerer, GapStats, KindStats, WeekStats, filled, last_weeks
from domain.people import Viewer
from infra.store.access import READABLE, access_binds

SEEN = f"""
with seen as (
    select g.id from gaps g join gap_evidence e on (e.tenant_id, e.gap_id) = (g.tenant_id, g.id)
    join documents d on (d.tenant_id, d.id) = (e.tenant_id, e.document_id) where {READABLE}
    union
    select g.id from gaps g join gap_answers a on (a.tenant_id, a.gap_id) = (g.tenant_id, g.id)
    join documents d on (d.tenant_id, d.id) = (a.tenant_id, a.evidence_document_id)
    where g.state = 'answered' and {READABLE}
), asked as (
    select coalesce(twin_of, id) as cluster, kind, state, min(created_at) as found_at, max(closed_at) as closed_at
    from gaps where id in (select id from seen) group by cluster, kind, state
)
"""
"""An answered gap stays in the count when the text that asked has been mended meanwhile."""
KINDS = f"""
{SEEN}
select kind, count(*) filter (where state = 'open') as n_open, count(*) filter (where state = 'answered') as n_answered,
    count(*) filter (where state = 'dismissed') as n_dismissed,
    percentile_cont(0.5) within group (order by closed_at - found_at) filter (where state = 'answered') as median
from asked group by grouping sets ((kind), ()) order by n_open desc, kind
"""
WEEKS = f"""
{SEEN}
select date_trunc('week', at at time zone 'UTC')::date as week,
    count(*) filter (where event = 'found') as n_found, count(*) filter (where event = 'answered') as n_answered,
    count(*) filter (where event = 'dismissed') as n_dismissed
from (
    select min(found_at) as at, 'found' as event from asked group by cluster
    union all select closed_at, state from asked where closed_at is not null
) events where at >= :since group by week order by week
"""
ANSWERERS = f"""
select v.author as name, count(distinct a.id) as n_answers,
    count(distinct a.id) filter (where a.state = 'verified') as n_verified, max(v.created_at) as last_at
from gap_answers a join gap_answer_versions v on (v.tenant_id, v.answer_id) = (a.tenant_id, a.id)
left join integrations i on i.tenant_id = a.tenant_id and i.kind = 'answers'
left join documents o on (o.tenant_id, o.integration_id, o.external_id) = (a.tenant_id, i.id, a.id::text)
join documents d on d.tenant_id = a.tenant_id and d.id = coalesce(a.evidence_document_id, o.id)
where v.author <> '' and {READABLE}
group by v.author order by n_answers desc, last_at desc, name limit :limit
"""


class GapStatisticStore:
    """Counts the gaps of one tenant."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer) -> None:
        self._connection = connection
        self._viewer = viewer

    async def read(self, now: datetime) -> GapStats:
        rows = await self._rows(KINDS)
        total = next(row for row in rows if row["kind"] is None)
        since = datetime.combine(last_weeks(now)[0], datetime.min.time(), UTC)
        weeks = [msgspec.convert(row, WeekStats) for row in await self._rows(WEEKS, since=since)]
        answerers = await self._rows(ANSWERERS, limit=N_ANSWERERS)
        return GapStats(
            kinds=tuple(msgspec.convert(row, KindStats) for row in rows if row["kind"] is not None),
            weeks=filled(weeks, now),
            answerers=tuple(msgspec.convert(row, Answerer) for row in answerers),
            median_time=msgspec.convert(total["median"], timedelta | None),
        )

    async def _rows(self, statement: str, **binds: object) -> list[dict[str, object]]:
        rows = await self._connection.execute(sa.text(statement), {**access_binds(self._viewer), **binds})
        return [dict(row._mapping) for row in rows]
