"""Who got an answer from what was settled otherwise: found among the kept answers, and told once."""

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.conversations import Answer
from domain.radar import Lost, is_lost
from infra.store.radar_sql import LOST_TO

MAX_ANSWERS = 5_000
"""The newest that cite a document; older ones are hardly acted on any more."""
CITING = """
select m.id, c.user_id, m.answer from messages m
join conversations c on (c.tenant_id, c.id) = (m.tenant_id, m.conversation_id)
where m.role = 'answer' and m.state = 'complete' and exists (
    select from json_array_elements(m.answer->'sentences') s, json_array_elements(s->'citations') cited
    where cast(cited->>'document_id' as bigint) = any(:documents)
) order by m.id desc limit :limit
"""
TELL = """
insert into answer_notices (tenant_id, contradiction_id, message_id, user_id)
select :tenant, :id, t.message_id, t.user_id
from unnest(cast(:messages as bigint[]), cast(:users as bigint[])) t (message_id, user_id)
on conflict do nothing
"""
UNREAD = """
select n.contradiction_id, n.message_id, m.conversation_id, c.name as conversation, k.closed_at
from answer_notices n join contradictions k on (k.tenant_id, k.id) = (n.tenant_id, n.contradiction_id)
join messages m on (m.tenant_id, m.id) = (n.tenant_id, n.message_id)
join conversations c on (c.tenant_id, c.id) = (m.tenant_id, m.conversation_id)
where n.user_id = :user and k.state = 'settled' order by n.created_at desc, n.message_id limit 20
"""
FORGET = "delete from answer_notices where contradiction_id = :id and message_id = :message and user_id = :user"


async def tell(connection: AsyncConnection, tenant_id: int, contradiction_id: int) -> None:
    """Leave a notice for each person who got an answer that cites what has just lost."""
    rows = await connection.execute(sa.text(LOST_TO), {"tenant": tenant_id, "id": contradiction_id})
    lost = [msgspec.convert(dict(row._mapping), Lost) for row in rows]
    documents = sorted({each.document_id for each in lost})
    answers = await connection.execute(sa.text(CITING), {"documents": documents, "limit": MAX_ANSWERS})
    told = [(int(row.id), int(row.user_id)) for row in answers if _rests_on(msgspec.convert(row.answer, Answer), lost)]
    if told:
        messages, users = ([pair[place] for pair in told] for place in (0, 1))
        binds = {"tenant": tenant_id, "id": contradiction_id, "messages": messages, "users": users}
        await connection.execute(sa.text(TELL), binds)


def _rests_on(answer: Answer, lost: list[Lost]) -> bool:
    cited = [citation for sentence in answer.sentences for citation in sentence.citations]
    return any(is_lost(citation, one) for citation in cited for one in lost)
