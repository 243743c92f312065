"""Feedback in Postgres: one row for a person's verdict on an answer, and one for each document it rested on."""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import NotFound
from domain.feedback import Feedback, Verdict
from domain.people import Viewer
from infra.store.access import READABLE, access_binds
from infra.store.texts import storable

GIVE = sa.text("""
    insert into answer_feedback (tenant_id, message_id, user_id, verdict, reason)
    select m.tenant_id, m.id, c.user_id, :verdict, :reason from messages m
    join conversations c on (c.tenant_id, c.id) = (m.tenant_id, m.conversation_id)
    where m.id = :message and m.role = 'answer' and m.state = 'complete' and c.user_id = :user
    on conflict (tenant_id, message_id, user_id) do update
        set verdict = excluded.verdict, reason = excluded.reason, created_at = now()
    returning message_id
""")
REST_ON = sa.text(f"""
    insert into feedback_documents (tenant_id, message_id, user_id, document_id)
    select d.tenant_id, :message, :user, d.id from documents d where d.id = any(:documents) and {READABLE}
    on conflict do nothing
""")
BALANCE = sa.text("""
    select r.document_id, sum(case f.verdict when 'up' then 1 else -1 end) as balance from feedback_documents r
    join answer_feedback f using (tenant_id, message_id, user_id)
    where r.document_id = any(:documents) group by r.document_id order by r.document_id
""")


class FeedbackStore:
    """The verdicts of one tenant, as one viewer may give and see them."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer) -> None:
        self._connection = connection
        self._viewer = viewer

    async def give(self, message_id: int, verdict: Verdict, reason: str, document_ids: Sequence[int]) -> None:
        own = {"message": message_id, "user": self._viewer.user_id}
        rows = await self._connection.execute(GIVE, {**own, "verdict": verdict, "reason": storable(reason)})
        if rows.one_or_none() is None:
            raise NotFound("This answer does not exist, or is not yours. Go back to your conversations.")
        await self._connection.execute(REST_ON, {**access_binds(self._viewer), **own, "documents": list(document_ids)})

    async def given(self, message_ids: Sequence[int]) -> dict[int, Feedback]:
        rows = await self._connection.execute(
            sa.text(
                "select message_id, verdict, reason, created_at from answer_feedback"
                " where user_id = :user and message_id = any(:messages) order by message_id"
            ),
            {"user": self._viewer.user_id, "messages": list(message_ids)},
        )
        return {row.message_id: msgspec.convert(dict(row._mapping), Feedback) for row in rows}

    async def balance(self, document_ids: Sequence[int]) -> dict[int, int]:
        rows = await self._connection.execute(BALANCE, {"documents": list(document_ids)})
        return {row.document_id: int(row.balance) for row in rows}
