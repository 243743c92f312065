"""Conversations in Postgres. Row security knows tenants only, so each statement names the person as well."""

from datetime import UTC, datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.conversations import Answer, Conversation, Message, MessageRole, MessageState
from domain.errors import Invalid, NotFound
from domain.people import Viewer
from infra.store.texts import named, storable

COLUMNS = """
    c.id, c.name, c.created_at, c.updated_at,
    (select count(*) from messages q
      where (q.tenant_id, q.conversation_id) = (c.tenant_id, c.id) and q.role = 'question') as n_questions
"""
MESSAGE_COLUMNS = "m.id, m.conversation_id, m.role, m.state, m.text, m.answer, m.created_at, m.as_of"
FIRST_PAGE = datetime.max.replace(tzinfo=UTC), 2**63 - 1
"""The key before every other."""
NOT_FOUND = "This conversation does not exist, or is not yours. Open one from the list, or ask a new question."


class ConversationStore:
    """The viewer's own conversations; nobody else's."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer) -> None:
        self._connection = connection
        self._viewer = viewer

    async def page(self, before: str, size: int) -> tuple[list[Conversation], str]:
        """Return conversations, last used first, and the key of the next page ("" on the last)."""
        updated_at, before_id = _parsed_key(before) if before else FIRST_PAGE
        rows = await self._connection.execute(
            sa.text(
                f"select {COLUMNS} from conversations c where c.user_id = :user"
                " and (c.updated_at, c.id) < (:at, :id)"
                " order by c.updated_at desc, c.id desc limit :size"
            ),
            {"user": self._viewer.user_id, "at": updated_at, "id": before_id, "size": size + 1},
        )
        found = [_conversation(row) for row in rows]
        return found[:size], _key(found[size - 1]) if len(found) > size else ""

    async def add(self, name: str) -> Conversation:
        """Begin one. Raises: Invalid for a name that is empty or too long."""
        rows = await self._connection.execute(
            sa.text(
                "insert into conversations (tenant_id, user_id, name) values (:tenant, :user, :name)"
                " returning id, name, created_at, updated_at"
            ),
            {"tenant": self._viewer.tenant_id, "user": self._viewer.user_id, "name": named(name)},
        )
        return _conversation(rows.one())

    async def get(self, conversation_id: int) -> Conversation:
        """Return one. Raises: NotFound."""
        rows = await self._connection.execute(
            sa.text(f"select {COLUMNS} from conversations c where c.id = :id and c.user_id = :user"),
            {"id": conversation_id, "user": self._viewer.user_id},
        )
        if row := rows.one_or_none():
            return _conversation(row)
        raise NotFound(NOT_FOUND)

    async def rename(self, conversation_id: int, name: str) -> None:
        """Give it another name. Raises: NotFound, Invalid for a name that is empty or too long."""
        rows = await self._connection.execute(
            sa.text("update conversations set name = :name where id = :id and user_id = :user returning id"),
            {"id": conversation_id, "user": self._viewer.user_id, "name": named(name)},
        )
        if rows.one_or_none() is None:
            raise NotFound(NOT_FOUND)

    async def remove(self, conversation_id: int) -> None:
        """Delete it with its messages. Raises: NotFound."""
        rows = await self._connection.execute(
            sa.text("delete from conversations where id = :id and user_id = :user returning id"),
            {"id": conversation_id, "user": self._viewer.user_id},
        )
        if rows.one_or_none() is None:
            raise NotFound(NOT_FOUND)

    async def messages(self, conversation_id: int) -> list[Message]:
        """Return its messages in order. Raises: NotFound."""
        await self.get(conversation_id)
        rows = await self._connection.execute(
            sa.text(f"select {MESSAGE_COLUMNS} from messages m where m.conversation_id = :id order by m.id"),
            {"id": conversation_id},
        )
        return [_message(row) for row in rows]

    async def message(self, message_id: int) -> Message:
        """Return one message. Raises: NotFound."""
        rows = await self._connection.execute(
            sa.text(
                f"select {MESSAGE_COLUMNS} from messages m"
                " join conversations c on (c.tenant_id, c.id) = (m.tenant_id, m.conversation_id)"
                " where m.id = :id and c.user_id = :user"
            ),
            {"id": message_id, "user": self._viewer.user_id},
        )
        if row := rows.one_or_none():
            return _message(row)
        raise NotFound("This answer does not exist, or is not yours. Ask the question again.")

    async def ask(self, conversation_id: int, question: str, as_of: datetime | None = None) -> tuple[Message, Message]:
        """Append a question and its pending answer; return both. Raises: NotFound."""
        await self._touch(conversation_id)
        asked = await self._append(conversation_id, MessageRole.QUESTION, MessageState.COMPLETE, question, as_of)
        return asked, await self._append(conversation_id, MessageRole.ANSWER, MessageState.PENDING, "", as_of)

    async def complete(self, message_id: int, answer: Answer) -> Message:
        """Write a pending answer once; a complete one is left as it is. Return the message as it now is."""
        await self._connection.execute(
            sa.text(
                "update messages m set state = 'complete', text = :text, answer = cast(:answer as json)"
                " from conversations c where (c.tenant_id, c.id) = (m.tenant_id, m.conversation_id)"
                " and m.id = :id and m.state = 'pending' and m.role = 'answer' and c.user_id = :user"
            ),
            {
                "id": message_id,
                "user": self._viewer.user_id,
                "text": storable(answer.text),
                "answer": msgspec.json.encode(answer).decode(),
            },
        )
        return await self.message(message_id)

    async def _touch(self, conversation_id: int) -> None:
        """The time of the statement, not of the transaction, so that what is used last comes first."""
        rows = await self._connection.execute(
            sa.text(
                "update conversations set updated_at = clock_timestamp()"
                " where id = :id and user_id = :user returning id"
            ),
            {"id": conversation_id, "user": self._viewer.user_id},
        )
        if rows.one_or_none() is None:
            raise NotFound(NOT_FOUND)

    async def _append(
        self, conversation_id: int, role: MessageRole, state: MessageState, text: str, as_of: datetime | None
    ) -> Message:
        rows = await self._connection.execute(
            sa.text(
                "insert into messages as m (tenant_id, conversation_id, role, state, text, as_of)"
                f" values (:tenant, :conversation, :role, :state, :text, :as_of) returning {MESSAGE_COLUMNS}"
            ),
            {
                "tenant": self._viewer.tenant_id,
                "conversation": conversation_id,
                "role": role,
                "state": state,
                "text": storable(text),
                "as_of": as_of,
            },
        )
        return _message(rows.one())


def _key(conversation: Conversation) -> str:
    return f"{conversation.updated_at.isoformat()}|{conversation.id}"


def _parsed_key(key: str) -> tuple[datetime, int]:
    try:
        updated_at, _, conversation_id = key.partition("|")
        return datetime.fromisoformat(updated_at), int(conversation_id)
    except ValueError as error:
        raise Invalid("This address does not name a page of the list. Go back to its first page.") from error


def _conversation(row: sa.Row[tuple[object, ...]]) -> Conversation:
    return msgspec.convert(dict(row._mapping), Conversation)


def _message(row: sa.Row[tuple[object, ...]]) -> Message:
    return msgspec.convert(dict(row._mapping), Message)
