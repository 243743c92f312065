"""Verifications in Postgres: one row a document, gone with it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.people import Viewer
from domain.verifications import MAX_DAYS, Verification
from infra.store.access import READABLE, access_binds
from infra.store.readers import AccessStore

COLUMNS = """
    v.document_id, d.title, v.verifier_id, coalesce(u.name, '') as verifier, v.every_days, v.due_at, v.verified_at,
    v.verified_by, coalesce(v.verified_version_id = d.version_id, false) as is_of_this_version
"""
FROM = """
    from document_verifications v join documents d on (d.tenant_id, d.id) = (v.tenant_id, v.document_id)
    left join users u on u.id = v.verifier_id
"""
DUE = f"""
    (v.due_at <= :now or (v.verified_at is not null and v.verified_version_id is distinct from d.version_id))
    and (:is_for_all or v.verifier_id = :viewer_id) and {READABLE}
"""
NOT_ARRANGED = "Nobody is asked to verify this document. Name somebody on its page first."


class VerificationStore:
    """The verifications of one tenant."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer) -> None:
        self._connection = connection
        self._viewer = viewer

    async def get(self, document_id: int) -> Verification | None:
        return (await self.of_many([document_id])).get(document_id)

    async def of_many(self, document_ids: Sequence[int]) -> dict[int, Verification]:
        rows = await self._connection.execute(
            sa.text(f"select {COLUMNS} {FROM} where v.document_id = any(:ids) and {READABLE} order by v.document_id"),
            {**access_binds(self._viewer), "ids": list(document_ids)},
        )
        return {row.document_id: _verification(row) for row in rows}

    async def arrange(self, document_id: int, verifier_id: int, every_days: int, now: datetime) -> None:
        if not 0 <= every_days <= MAX_DAYS:
            raise Invalid("Please look at the marked fields.", {"every_days": f"Enter 0 to {MAX_DAYS:,} days."})
        readers = await AccessStore(self._connection, self._viewer).readers(document_id)
        if verifier_id not in {reason.user_id for reason in readers.reasons}:
            message = "Choose somebody who may read this document."
            raise Invalid("Please look at the marked fields.", {"verifier": message})
        await self._connection.execute(
            sa.text(
                "insert into document_verifications as v (tenant_id, document_id, verifier_id, every_days, due_at)"
                " values (:tenant, :document, :verifier, :days, :now) on conflict (tenant_id, document_id) do update"
                " set verifier_id = excluded.verifier_id, every_days = excluded.every_days, due_at = case"
                " when v.verified_at is null then :now when :days = 0 then null"
                " else v.verified_at + make_interval(days => :days) end"
            ),
            {
                "tenant": self._viewer.tenant_id,
                "document": document_id,
                "verifier": verifier_id,
                "days": every_days,
                "now": now,
            },
        )

    async def end(self, document_id: int) -> None:
        rows = await self._connection.execute(
            sa.text(
                "delete from document_verifications v using documents d where v.document_id = :document"
                f" and (d.tenant_id, d.id) = (v.tenant_id, v.document_id) and {READABLE} returning v.document_id"
            ),
            {**access_binds(self._viewer), "document": document_id},
        )
        if rows.one_or_none() is None:
            raise NotFound(NOT_ARRANGED)

    async def verify(self, document_id: int, version_id: int, now: datetime) -> None:
        arranged = await self.get(document_id)
        if arranged is None:
            raise NotFound(NOT_ARRANGED)
        if arranged.verifier_id != self._viewer.user_id and not self._viewer.is_admin:
            raise Forbidden(f"Only {arranged.verifier or 'an admin'} or an admin may verify this document.")
        rows = await self._connection.execute(
            sa.text(
                "update document_verifications v set verified_at = :now, verified_by = :by,"
                " verified_version_id = :version, due_at = :due from documents d where v.document_id = :document"
                " and (d.tenant_id, d.id, d.version_id) = (v.tenant_id, v.document_id, :version)"
                " returning v.document_id"
            ),
            {
                "document": document_id,
                "version": version_id,
                "now": now,
                "by": self._viewer.name,
                "due": now + timedelta(days=arranged.every_days) if arranged.every_days else None,
            },
        )
        if rows.one_or_none() is None:
            raise Conflict("The document has changed while you read it. Read it again, then verify it.")
        await self._connection.execute(
            sa.text(
                "update gap_answers a set state = 'verified' from gap_answer_documents l"
                " where (l.tenant_id, l.answer_id) = (a.tenant_id, a.id) and l.document_id = :document"
                " and a.state = 'waiting'"
            ),
            {"document": document_id},
        )

    async def due(self, now: datetime, is_for_all: bool, offset: int, size: int) -> list[Verification]:
        rows = await self._connection.execute(
            sa.text(
                f"select {COLUMNS} {FROM} where {DUE} order by v.due_at nulls last, v.document_id"
                " offset :offset limit :size"
            ),
            {**access_binds(self._viewer), "now": now, "is_for_all": is_for_all, "offset": offset, "size": size},
        )
        return [_verification(row) for row in rows]

    async def count_due(self, now: datetime, is_for_all: bool) -> int:
        rows = await self._connection.execute(
            sa.text(f"select count(*) {FROM} where {DUE}"),
            {**access_binds(self._viewer), "now": now, "is_for_all": is_for_all},
        )
        return int(rows.scalar_one())


def _verification(row: sa.Row[tuple[object, ...]]) -> Verification:
    return msgspec.convert(dict(row._mapping), Verification)
