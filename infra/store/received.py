"""Received mails of one tenant."""

import hashlib
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import NotFound
from domain.people import Viewer
from domain.received import ReceivedMail

COLUMNS = "id, sender, octet_length(content) as size_bytes, received_at"


class ReceivedStore:
    """The received mails of one tenant."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer) -> None:
        self._connection = connection
        self._viewer = viewer

    async def add(self, integration_id: int, sender: str, content: bytes) -> bool:
        rows = await self._connection.execute(
            sa.text(
                "insert into received_mails (tenant_id, integration_id, digest, sender, content)"
                " values (:tenant, :integration, :digest, :sender, :content)"
                " on conflict (tenant_id, integration_id, digest) do nothing returning id"
            ),
            {
                "tenant": self._viewer.tenant_id,
                "integration": integration_id,
                "digest": hashlib.sha256(content).hexdigest(),
                "sender": sender.replace("\0", "")[:320],
                "content": content,
            },
        )
        return rows.one_or_none() is not None

    async def after(self, integration_id: int, mail_id: int, limit: int) -> list[ReceivedMail]:
        rows = await self._connection.execute(
            sa.text(
                f"select {COLUMNS} from received_mails"
                " where integration_id = :integration and id > :id order by id limit :limit"
            ),
            {"integration": integration_id, "id": mail_id, "limit": limit},
        )
        return [msgspec.convert(dict(row._mapping), ReceivedMail) for row in rows]

    async def get_many(self, integration_id: int, mail_ids: Sequence[int]) -> list[ReceivedMail]:
        rows = await self._connection.execute(
            sa.text(
                f"select {COLUMNS} from received_mails"
                " where integration_id = :integration and id = any(:ids) order by id"
            ),
            {"integration": integration_id, "ids": list(mail_ids)},
        )
        return [msgspec.convert(dict(row._mapping), ReceivedMail) for row in rows]

    async def content(self, mail_id: int) -> bytes:
        rows = await self._connection.execute(
            sa.text("select content from received_mails where id = :id"), {"id": mail_id}
        )
        content: bytes | None = rows.scalar_one_or_none()
        if content is None:
            raise NotFound("This mail is no longer kept.")
        return bytes(content)

    async def is_members(self, address: str) -> bool:
        rows = await self._connection.execute(
            sa.text("select exists (select from member_addresses where email = lower(:address))"),
            {"address": address.replace("\0", "")},
        )
        return bool(rows.scalar_one())
