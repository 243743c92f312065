"""Unanswered questions in Postgres, one row for each refused answer."""

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.people import Viewer
from domain.unanswered import UnansweredQuestion
from infra.store.texts import storable

MAX_ID = 2**63 - 1


class UnansweredStore:
    """The unanswered questions of one tenant."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer) -> None:
        self._connection = connection
        self._viewer = viewer

    async def keep(self, message_id: int, question: str, confidence: float) -> None:
        await self._connection.execute(
            sa.text(
                "insert into unanswered_questions (tenant_id, user_id, message_id, question, confidence)"
                " values (:tenant, :user, :message, :question, :confidence) on conflict do nothing"
            ),
            {
                "tenant": self._viewer.tenant_id,
                "user": self._viewer.user_id,
                "message": message_id,
                "question": storable(question),
                "confidence": confidence,
            },
        )

    async def newest(self, before_id: int, size: int) -> list[UnansweredQuestion]:
        rows = await self._connection.execute(
            sa.text(
                "select id, message_id, user_id, question, confidence, created_at from unanswered_questions"
                " where id < :before order by id desc limit :size"
            ),
            {"before": before_id or MAX_ID, "size": size},
        )
        return [msgspec.convert(dict(row._mapping), UnansweredQuestion) for row in rows]
